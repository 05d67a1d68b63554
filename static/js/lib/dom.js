/** The few helpers that every module uses to read and build the page. */
import { locale } from "./words.js";

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Make an element: h("td", { class: "num", onclick }, "text", child). Text stays text. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Write text only when it changed, so that nothing is laid out for nothing. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

export function notice(...children) {
  return h("div", { class: "notice" }, ...children);
}

/** Collapse many calls into one per frame. A page in the background does not paint, and waits. */
export function perFrame(work) {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      work();
    });
  };
}

/**
 * Make a row of buttons one choice: arrows move, `aria-checked` or `aria-selected` says which.
 * Returns { value, set(value) }.
 */
export function choice(root, onChange) {
  const buttons = $$("button[value]", root);
  const state = buttons[0].getAttribute("role") === "tab" ? "aria-selected" : "aria-checked";
  const control = {
    value: (buttons.find((one) => one.getAttribute(state) === "true") ?? buttons[0]).value,
    set(value, { silent = false } = {}) {
      control.value = value;
      for (const one of buttons) {
        const isChosen = one.value === value;
        one.setAttribute(state, String(isChosen));
        one.tabIndex = isChosen ? 0 : -1;
      }
      if (!silent) onChange(value);
    },
  };
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button[value]");
    if (button) control.set(button.value);
  });
  root.addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const at = buttons.findIndex((one) => one.value === control.value);
    const next = buttons[(at + move + buttons.length) % buttons.length];
    next.focus();
    control.set(next.value);
  });
  control.set(control.value, { silent: true });
  return control;
}

/** Close a dialog by its ✕, and by a click on what lies behind it. */
export function closable(dialog) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(locale, { day: "2-digit", month: "short" });

export function clock(ms) {
  return CLOCK.format(new Date(ms));
}

/** The time today, the day before it otherwise. */
export function moment(ms) {
  const date = new Date(ms);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? CLOCK.format(date) : `${DAY.format(date)} ${CLOCK.format(date)}`;
}
