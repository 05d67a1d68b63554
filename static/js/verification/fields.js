/** One field for each question. */
import { $, h, setText } from "../lib/dom.js";
import { heard, t } from "../lib/words.js";

export function field(question, value) {
  const id = `answer-${question.name}`;
  const control = controlOf(question, value, id);
  const isArea = control.tagName === "TEXTAREA";
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, heard(question.text)),
    isArea ? control : h("div", { class: "input" }, control),
    question.hint ? h("p", { class: "hint", id: `${id}-hint` }, heard(question.hint)) : null,
    h("p", { class: "error", "data-error": question.name, id: `${id}-error`, hidden: true }),
  );
}

function controlOf(question, value, id) {
  const common = { id, name: question.name, "aria-describedby": `${id}-hint ${id}-error` };
  if (question.kind === "country") return chosen(h("select", common, $("#countries").content.cloneNode(true)), value);
  if (question.kind === "choice") {
    const options = question.choices.map(([word, text]) => h("option", { value: word }, heard(text)));
    return chosen(h("select", common, h("option", { value: "" }, t("Please choose")), ...options), value);
  }
  if (question.kind === "words") {
    const area = h("textarea", { ...common, class: "area", rows: "4", maxlength: String(question.longest) });
    area.value = value;
    return area;
  }
  const type = { date: "date", email: "email" }[question.kind] ?? "text";
  const auto = { legal_name: "name", birth_date: "bday", address: "street-address", postal_code: "postal-code" }[question.name];
  const input = h("input", { ...common, type, maxlength: String(question.longest), autocomplete: auto ?? "off" });
  input.value = value;
  return input;
}

function chosen(select, value) {
  select.value = value;
  return select;
}

/** Put what the exchange says is wrong beside the fields; true if all of it found a place. */
export function showProblems(form, fields) {
  clearProblems(form);
  let isPlaced = true;
  for (const [name, text] of Object.entries(fields)) {
    const line = $(`[data-error="${name}"]`, form);
    if (!line) {
      isPlaced = false;
      continue;
    }
    setText(line, [text].flat().map(heard).join(" "));
    line.hidden = false;
    form.elements[name]?.setAttribute("aria-invalid", "true");
  }
  $("[aria-invalid=true]", form)?.focus();
  return isPlaced;
}

export function clearProblems(form) {
  for (const line of form.querySelectorAll("[data-error]")) line.hidden = true;
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
}
