import { call } from "./lib/api.js";
import { $ } from "./lib/dom.js";
import { CHECKS, showPanel, startForm, takeWord } from "./lib/forms.js";
import { startShell } from "./lib/shell.js";
import { t } from "./lib/words.js";

startShell();
const word = takeWord();
if (!word) showPanel("spoiled");

startForm($("#reset-form"), {
  checks: { password: CHECKS.newPassword },
  busy: t("Saving…"),
  send: async ({ password }) => {
    try {
      await call("POST", "/api/v1/users/resets/proofs", { token: word, password });
      return "done";
    } catch (error) {
      if (error.code === "bad_proof") return "spoiled";
      throw error;
    }
  },
  done: (panel) => {
    $("#reset-form").reset();
    showPanel(panel);
  },
});
