import { call } from "./lib/api.js";
import { $, setText } from "./lib/dom.js";
import { showPanel, showRefusal, takeWord } from "./lib/forms.js";
import { startShell } from "./lib/shell.js";
import { t } from "./lib/words.js";

const DONE = {
  sign_up: [t("Your account is open"), t("Your e-mail address is confirmed. Log in to go on.")],
  new_email: [t("Your address was changed"), t("Log in with your new e-mail address from now on. Withdrawals wait for a while.")],
  factor_reset: [t("Your request is with us"), t("Somebody looks at it. You hear of it by mail; until then nothing changes.")],
};

startShell();
const word = takeWord();
if (!word) showPanel("spoiled");

// A click, not the visit: programs that look at links for people must not use them up.
$("#verify-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = $("#verify-form button");
  button.disabled = true;
  try {
    const { proven } = await call("POST", "/api/v1/users/proofs", { token: word });
    const [title, text] = DONE[proven];
    setText($("#done-title"), title);
    setText($("#done-text"), text);
    showPanel("done");
  } catch (error) {
    if (error.code === "bad_proof") showPanel("spoiled");
    else showRefusal($("#verify-form"), error);
    button.disabled = false;
  }
});
$("#verify-form button").disabled = false;
