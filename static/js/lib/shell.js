/** The frame of every page: theme, who is signed in, log-out, the trust bar. */
import { call } from "./api.js";
import { $, $$, setText } from "./dom.js";
import { startTheme } from "./theme.js";
import { toastError } from "./toast.js";
import { startTrust } from "./trust.js";
import { t } from "./words.js";

export const isSignedIn = document.body.dataset.signedIn === "true";

export function startShell() {
  startTheme();
  startTrust();
  if (!isSignedIn) return;
  showPerson();
  $("#log-out").addEventListener("click", logOut);
}

async function showPerson() {
  try {
    const person = await call("GET", "/api/v1/session");
    const user = person.user ?? person;
    setText($("#who"), user.login ?? user.username ?? user.email ?? "");
    for (const link of $$("[data-staff-only]")) link.hidden = !user.is_staff;
  } catch {
    // The name is a courtesy; the page works without it.
  }
}

async function logOut() {
  try {
    await call("DELETE", "/api/v1/session");
    location.assign("/");
  } catch (error) {
    toastError(t("Could not log you out"), error);
  }
}
