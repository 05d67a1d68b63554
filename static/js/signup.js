import { call } from "./lib/api.js";
import { $, $$, setText } from "./lib/dom.js";
import { CHECKS, showPanel, startForm } from "./lib/forms.js";
import { startShell } from "./lib/shell.js";
import { t } from "./lib/words.js";

startShell();

startForm($("#signup-form"), {
  checks: {
    full_name: CHECKS.full_name,
    country: CHECKS.country,
    email: CHECKS.email,
    password: CHECKS.newPassword,
  },
  busy: t("Creating your account…"),
  send: (fields) => call("POST", "/api/v1/users", fields),
  done: (_answer, { email }) => {
    for (const place of $$("[data-email]")) setText(place, email);
    $("#signup-form").reset();
    showPanel("sent");
  },
});

$("#again").addEventListener("click", () => showPanel("form"));
