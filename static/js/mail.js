import { startShell } from "./lib/shell.js";

startShell();
