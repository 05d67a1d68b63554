/** The log-in: a password, then a second factor if the person has one. The same API that any client calls. */
import { call } from "./lib/api.js";
import { $, setText } from "./lib/dom.js";
import { CHECKS, showPanel, showRefusal, startForm } from "./lib/forms.js";
import { canPasskeys, showPasskey } from "./lib/passkeys.js";
import { startShell } from "./lib/shell.js";
import { t } from "./lib/words.js";

startShell();
const next = $("#auth-form").dataset.next || "/";

startForm($("#auth-form"), {
  checks: { login: (value) => (value ? "" : t("Who are you?")), password: CHECKS.password },
  busy: t("Logging in…"),
  send: (fields) => call("POST", "/api/v1/session", fields),
  done: (answer) => (answer.factors ? askFor(answer.factors) : goOn()),
});

startForm($("#factor-form"), {
  checks: { code: (value) => (value.trim() ? "" : t("A code, please.")) },
  busy: t("Checking…"),
  send: ({ code }) => call("POST", "/api/v1/session/factor", { code }),
  done: goOn,
});

$("#passkey-alone").addEventListener("click", () => byPasskey($("#auth-form")));
$("#passkey-second").addEventListener("click", () => byPasskey($("#factor-form")));
for (const button of [$("#passkey-alone"), $("#passkey-second")]) button.disabled = !canPasskeys;

$("#lost").addEventListener("click", async () => {
  try {
    await call("POST", "/api/v1/session/factor/reset");
    showPanel("lost");
  } catch (error) {
    showRefusal($("#factor-form"), error);
  }
});

$("#again").addEventListener("click", () => {
  $("#auth-form").reset();
  showPanel("form");
});

/** Ask for what this person has. */
function askFor(factors) {
  const hasApp = factors.includes("totp");
  $("#passkey-second").hidden = !factors.includes("passkey");
  setText($("#code-label"), hasApp ? t("Code of your authenticator app") : t("Recovery code"));
  $("#recovery-hint").hidden = !hasApp || !factors.includes("recovery");
  showPanel("factor");
  $("#code").focus();
}

async function byPasskey(form) {
  try {
    await showPasskey();
    goOn();
  } catch (error) {
    showRefusal(form, error);
  }
}

function goOn() {
  location.assign(next);
}
