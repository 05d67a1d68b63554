/** Short messages at the corner of the page. Errors stay longer, and are read out at once. */
import { $, h } from "./dom.js";
import { t } from "./words.js";

const SHOWN_MS = { good: 4000, bad: 9000, info: 5000 };
const SHOWN_MAX = 4;

export function toast(title, text = "", kind = "info") {
  const close = () => box.remove();
  const box = h(
    "div",
    { class: `toast ${kind}`, role: kind === "bad" ? "alert" : undefined },
    h("div", { class: "title" }, title),
    h("button", { type: "button", class: "icon-button", "aria-label": t("Dismiss"), onclick: close }, "✕"),
    text ? h("div", { class: "text" }, text) : null,
  );
  const shelf = $("#toasts");
  while (shelf.children.length >= SHOWN_MAX) shelf.firstChild.remove();
  shelf.append(box);
  setTimeout(close, SHOWN_MS[kind]);
}

/** Show a refusal in the dialect's own words, with its code. */
export function toastError(title, error) {
  const wait = waitOf(error);
  const code = error.code ? ` (${error.code})` : "";
  const reasons = error.data?.reasons;
  if (reasons?.includes("factor_required")) {
    toast(title, t("Add a second factor first: your name at the top leads to your security page."), "bad");
    return;
  }
  toast(title, `${error.message}${code}${wait}`, "bad");
}

/** What to add to a refusal that says when to come back. */
export function waitOf(error) {
  return error.retryAfter ? ` ${t("Try again in {seconds} s.", { seconds: error.retryAfter })}` : "";
}
