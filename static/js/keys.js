import { readAccounts } from "./keys/accounts.js";
import { startList } from "./keys/list.js";
import { startMaking } from "./keys/make.js";
import { startShell } from "./lib/shell.js";

startShell();
const accounts = readAccounts();
const list = startList({ accounts });
startMaking({ accounts, onMade: list.read });
