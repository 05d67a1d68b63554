import { startShell } from "./lib/shell.js";
import { startOverview } from "./verification/overview.js";
import { startWizard } from "./verification/wizard.js";

startShell();
const wizard = startWizard({ onChange: () => overview.read() });
const overview = startOverview({
  onBegin: (tier) => wizard.begin(tier),
  onRead: (known) => wizard.show(known),
});
overview.read();
