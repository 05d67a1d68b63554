import { startShell } from "./lib/shell.js";
import { startCodes } from "./security/codes.js";
import { startDevices } from "./security/devices.js";
import { startFactors } from "./security/factors.js";
import { startHappenings } from "./security/happenings.js";
import { startSessions } from "./security/sessions.js";

startShell();
const happenings = startHappenings();
const sessions = startSessions({ onChange: happenings.read });
const codes = startCodes();
startFactors({
  codes,
  onChange: () => {
    sessions.read();
    happenings.read();
  },
});
startDevices({ onChange: happenings.read });
