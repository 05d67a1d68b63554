import { startAuthForm } from "./lib/auth.js";
import { startShell } from "./lib/shell.js";

startShell();
startAuthForm();
