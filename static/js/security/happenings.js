/** What happened to the ways into the account. */
import { $ } from "../lib/dom.js";
import { fill, row, when } from "./lists.js";
import { heard, t } from "../lib/words.js";

// Codes of the log, which in English are words already.
const DETAILS = {
  password: t("password"),
  factor: t("factor"),
  "e-mail": t("e-mail"),
  totp: t("totp"),
  passkey: t("passkey"),
  recovery: t("recovery"),
  demo: t("demo"),
  change: t("change"),
  reset: t("reset"),
};

export function startHappenings() {
  const draw = (found) => found.map((one) => row(heard(one.text), { facts: [when(one.at), DETAILS[one.detail] ?? one.detail] }));
  const read = () => fill($("#happenings"), "/api/v1/account/security-log", draw, t("Nothing happened yet."));
  read();
  return { read };
}
