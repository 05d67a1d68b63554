/** What the lists of this page share: how they are read, and how a row looks. */
import { call } from "../lib/api.js";
import { h, moment, notice } from "../lib/dom.js";
import { withProof } from "../lib/stepup.js";
import { toast, toastError } from "../lib/toast.js";
import { t } from "../lib/words.js";

/** Fill a list from the API; a failure says so in its place, with a way to try again. */
export async function fill(root, path, draw, empty) {
  const again = () => fill(root, path, draw, empty);
  try {
    const rows = draw(await call("GET", path));
    root.replaceChildren(...(rows.length ? rows : [h("li", {}, notice(empty))]));
  } catch (error) {
    const retry = h("button", { type: "button", class: "button small", onclick: again }, t("Try again"));
    root.replaceChildren(h("li", { class: "notice" }, error.message, retry));
  }
  root.setAttribute("aria-busy", "false");
}

/** One row: a name, badges, a line of facts, and what can be done about it. */
export function row(name, { badges = [], facts = [], act = null, mark = {} }) {
  return h(
    "li",
    mark,
    h("div", { class: "key-name" }, h("b", {}, name), ...badges.map(([text, kind = ""]) => h("span", { class: `badge ${kind}` }, text))),
    act ? h("div", { class: "key-actions" }, act) : null,
    h("p", { class: "row-facts muted" }, facts.filter(Boolean).join(" · ")),
  );
}

/** A button that does something, once proof is fresh, and says what came of it. */
export function doing(label, name, { done, ask, then, danger = true }) {
  const button = h("button", { type: "button", class: `button small${danger ? " danger" : ""}`, "aria-label": name }, label);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await withProof(ask);
      toast(done, "", "good");
      await then();
    } catch (error) {
      toastError(t("{act}: not done", { act: label }), error);
    }
    button.disabled = false;
  });
  return button;
}

export function when(iso) {
  return iso ? moment(Date.parse(iso)) : t("never");
}
