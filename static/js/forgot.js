import { call } from "./lib/api.js";
import { $, $$, setText } from "./lib/dom.js";
import { CHECKS, showPanel, startForm } from "./lib/forms.js";
import { startShell } from "./lib/shell.js";
import { t } from "./lib/words.js";

startShell();

startForm($("#forgot-form"), {
  checks: { email: CHECKS.email },
  busy: t("Sending…"),
  send: (fields) => call("POST", "/api/v1/users/resets", fields),
  done: (_answer, { email }) => {
    for (const place of $$("[data-email]")) setText(place, email);
    showPanel("sent");
  },
});
