/** The log-in form: the same API that any other client calls. */
import { call } from "./api.js";
import { $, $$, setText } from "./dom.js";

const KINDS = {
  login: { path: "/api/v1/session", busy: "Logging in…" },
};

export function startAuthForm() {
  const form = $("#auth-form");
  for (const button of $$("[data-reveal]")) button.addEventListener("click", () => reveal(button));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(form);
  });
  $("button[type=submit]", form).disabled = false; // Sent by the browser itself, the password would stand in the address.
}

async function submit(form) {
  const kind = KINDS[form.dataset.kind];
  const fields = Object.fromEntries(new FormData(form));
  clear(form);
  if (!check(form, fields)) return;
  const button = $("button[type=submit]", form);
  const label = button.textContent;
  button.disabled = true;
  setText(button, kind.busy);
  try {
    await call("POST", kind.path, fields);
    location.assign(form.dataset.next || "/");
  } catch (error) {
    showRefusal(form, error);
    button.disabled = false;
    setText(button, label);
  }
}

function check(form, fields) {
  let isGood = true;
  for (const [name, value] of Object.entries(fields)) {
    const problem = problemOf(name, value);
    if (problem) showFieldError(form, name, problem);
    if (problem) isGood = false;
  }
  if (!isGood) $("[aria-invalid=true]", form)?.focus();
  return isGood;
}

function problemOf(name, value) {
  return value ? "" : ({ login: "Who are you?", password: "Your password, please." }[name] ?? "");
}

function showRefusal(form, error) {
  const data = error.data && typeof error.data === "object" ? error.data : {};
  let isPlaced = false;
  for (const [name, problems] of Object.entries(data.fields ?? data)) {
    if (!$(`[data-error="${name}"]`, form)) continue;
    showFieldError(form, name, [problems].flat().join(" "));
    isPlaced = true;
  }
  if (isPlaced) return;
  const wait = error.retryAfter ? ` Try again in ${error.retryAfter} s.` : "";
  const box = $("#form-error");
  setText(box, `${error.message}${wait}`);
  box.hidden = false;
}

function showFieldError(form, name, text) {
  const line = $(`[data-error="${name}"]`, form);
  setText(line, text);
  line.hidden = false;
  form.elements[name].setAttribute("aria-invalid", "true");
}

function clear(form) {
  $("#form-error").hidden = true;
  for (const line of $$("[data-error]", form)) line.hidden = true;
  for (const input of $$("[aria-invalid]", form)) input.removeAttribute("aria-invalid");
}

function reveal(button) {
  const input = $(`#${button.dataset.reveal}`);
  const isShown = input.type === "text";
  input.type = isShown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!isShown));
  setText(button, isShown ? "Show" : "Hide");
}
