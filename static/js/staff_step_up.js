/** The back office asks for the passkey again, then sends what was filled in. */
import { $, setText } from "./lib/dom.js";
import { showPasskey } from "./lib/passkeys.js";

const form = $("#step-up-form");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  $("#step-up-error").hidden = true;
  try {
    await showPasskey();
    form.submit();
  } catch (error) {
    setText($("#step-up-error"), error.message);
    $("#step-up-error").hidden = false;
  }
});
