/** What needs fresh proof is asked for it once, in a dialog, and then done: `withProof(() => call(…))`. */
import { call } from "./api.js";
import { $, closable, h, setText } from "./dom.js";
import { canPasskeys, showPasskey } from "./passkeys.js";
import { waitOf } from "./toast.js";
import { t } from "./words.js";

const PATH = "/api/v1/session/factor";

/** Do it; if it is refused for want of fresh proof, ask for that, and do it again. */
export async function withProof(act) {
  try {
    return await act();
  } catch (error) {
    if (error.code !== "step_up_needed") throw error;
    await ask(error.data.factors);
    return act();
  }
}

/** Resolves once something was shown; rejects if the dialog is closed before. */
function ask(factors) {
  return new Promise((resolve, reject) => {
    const dialog = draw(factors, async (show) => {
      try {
        await show();
        dialog.close("shown");
      } catch (error) {
        complain(dialog, error);
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (dialog.returnValue === "shown") resolve();
      else reject(new Error(t("Nothing was done: you did not confirm that it is you.")));
    });
    document.body.append(dialog);
    dialog.showModal();
    $("input", dialog)?.focus();
  });
}

function draw(factors, show) {
  const byWord = factors.includes("password") ? "password" : factors.some((one) => one !== "passkey") ? "code" : "";
  const dialog = h(
    "dialog",
    { class: "dialog small", id: "step-up", "aria-labelledby": "step-up-title" },
    h(
      "div",
      { class: "dialog-head" },
      h("h2", { id: "step-up-title" }, t("Is it you?")),
      h("button", { type: "button", class: "icon-button", "data-close": true, "aria-label": t("Close") }, "✕"),
    ),
    h(
      "div",
      { class: "dialog-body" },
      h("p", {}, t("This matters, so please confirm it once more. It holds for five minutes.")),
      h("p", { class: "form-error", role: "alert", hidden: true }),
      factors.includes("passkey") && canPasskeys
        ? h("button", { type: "button", class: "button wide", onclick: () => show(showPasskey) }, t("Use a passkey"))
        : null,
      byWord ? wordForm(byWord, factors, show) : null,
    ),
  );
  closable(dialog);
  return dialog;
}

function wordForm(name, factors, show) {
  const label = name === "password" ? t("Your password") : t("Code of your app, or a recovery code");
  const input = h("input", {
    id: "step-up-word",
    name,
    type: name === "password" ? "password" : "text",
    autocomplete: name === "password" ? "current-password" : "one-time-code",
    maxlength: name === "password" ? "256" : "32",
    required: true,
  });
  const send = (event) => {
    event.preventDefault();
    show(() => call("POST", PATH, { [name]: input.value }));
  };
  return h(
    "form",
    { class: "step-up-form", onsubmit: send },
    h("div", { class: "field" }, h("label", { for: "step-up-word" }, label), h("div", { class: "input" }, input)),
    h("button", { type: "submit", class: "button primary wide" }, t("Confirm")),
  );
}

function complain(dialog, error) {
  const box = $(".form-error", dialog);
  setText(box, `${error.message}${waitOf(error)}`);
  box.hidden = false;
}
