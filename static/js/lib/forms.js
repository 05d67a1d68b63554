/** Forms of one card: they check as one leaves a field, send JSON, and show the API's own field errors. */
import { $, $$, setText } from "./dom.js";
import { waitOf } from "./toast.js";
import { heard, t, tn } from "./words.js";

export const PASSWORD_LEAST = 12;
const EMAIL = /^\S+@\S+\.\S+$/;

/** What is wrong with a field, in words; nothing if all is well. */
export const CHECKS = {
  email: (value) => (!value ? t("Your e-mail, please.") : EMAIL.test(value) ? "" : t("That is no e-mail address.")),
  password: (value) => (value ? "" : t("Your password, please.")),
  newPassword: (value) => {
    const missing = PASSWORD_LEAST - [...value].length;
    if (!value) return t("A password, please.");
    return missing > 0 ? tn("{n} more character, please.", "{n} more characters, please.", missing) : "";
  },
  full_name: (value) => (value.trim() ? "" : t("Your name, please.")),
  country: (value) => (value ? "" : t("Your country, please.")),
};

/**
 * Wire a form: `checks` by field name, `send(fields)` a promise, `done(answer, fields)` what then happens.
 * Its button is disabled until here: sent by the browser itself, the fields would stand in the address.
 */
export function startForm(form, { checks, busy, send, done }) {
  for (const button of $$("[data-reveal]", form)) button.addEventListener("click", () => reveal(button));
  for (const name of Object.keys(checks)) {
    form.elements[name].addEventListener("blur", () => recheck(form, name, checks[name]));
    form.elements[name].addEventListener("input", () => unmark(form, name));
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    if (!check(form, fields, checks)) return;
    const button = $("button[type=submit]", form);
    const label = button.textContent;
    button.disabled = true;
    setText(button, busy);
    try {
      done(await send(fields), fields);
    } catch (error) {
      showRefusal(form, error);
    }
    button.disabled = false;
    setText(button, label);
  });
  $("button[type=submit]", form).disabled = false;
}

/** Show one panel of the card and hide the others. Its heading hears the focus, so that it is read out. */
export function showPanel(name) {
  for (const panel of $$("[data-panel]")) panel.hidden = panel.dataset.panel !== name;
  $(`[data-panel="${name}"] h1`)?.focus();
}

/** Take the word behind the # of a mailed link, and take it out of the address bar and the history. */
export function takeWord() {
  const word = location.hash.slice(1);
  addEventListener("hashchange", () => location.reload()); // Another link, opened in this very tab.
  // A person who changes the language comes back to this page, and the browser carries the # along.
  $("#language")?.setAttribute("action", `${$("#language").getAttribute("action")}#${word}`);
  history.replaceState(null, "", location.pathname);
  return /^[\w-]{20,64}$/.test(word) ? word : "";
}

/** Put a refusal beside the fields it names, else above the form. */
export function showRefusal(form, error) {
  const fields = error.data?.fields ?? {};
  const placed = Object.entries(fields).filter(([name]) => $(`[data-error="${name}"]`, form));
  for (const [name, problems] of placed) mark(form, name, [problems].flat().map(heard).join(" "));
  if (placed.length > 0) {
    $("[aria-invalid=true]", form)?.focus();
    return;
  }
  const wait = waitOf(error);
  const box = $(".form-error", form);
  setText(box, `${error.message}${wait}`);
  box.hidden = false;
}

function check(form, fields, checks) {
  $(".form-error", form).hidden = true;
  let isGood = true;
  for (const [name, problemOf] of Object.entries(checks)) {
    const problem = problemOf(fields[name] ?? "");
    unmark(form, name);
    if (problem) mark(form, name, problem);
    if (problem) isGood = false;
  }
  if (!isGood) $("[aria-invalid=true]", form)?.focus();
  return isGood;
}

/** Nobody is told that a field is empty before they asked for anything. */
function recheck(form, name, problemOf) {
  const { value } = form.elements[name];
  const problem = value ? problemOf(value) : "";
  if (problem) mark(form, name, problem);
}

function mark(form, name, text) {
  const line = $(`[data-error="${name}"]`, form);
  setText(line, text);
  line.hidden = false;
  form.elements[name].setAttribute("aria-invalid", "true");
}

function unmark(form, name) {
  $(`[data-error="${name}"]`, form).hidden = true;
  form.elements[name].removeAttribute("aria-invalid");
}

function reveal(button) {
  const input = $(`#${button.dataset.reveal}`);
  const isShown = input.type === "text";
  input.type = isShown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!isShown));
  setText(button, isShown ? t("Show") : t("Hide"));
}
