/** Dark or light: the machine's choice until the reader makes one. The server draws it from a cookie. */
import { $ } from "./dom.js";

const YEAR_S = 365 * 24 * 3600;

export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export function startTheme() {
  $("#theme-toggle").addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    keep(theme);
    announce();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", announce);
}

/** In production the name begins with __Host-: only this host sets it then, and only by https. */
function keep(theme) {
  const name = $("meta[name=theme-cookie]").content;
  const secure = name.startsWith("__Host-") ? "; secure" : "";
  document.cookie = `${name}=${theme}; path=/; max-age=${YEAR_S}; samesite=lax${secure}`;
}

function announce() {
  document.dispatchEvent(new CustomEvent("theme-changed"));
}

/** Read a design token, for what is drawn on a canvas. */
export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
