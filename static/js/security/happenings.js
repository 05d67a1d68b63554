/** What happened to the ways into the account. */
import { $ } from "../lib/dom.js";
import { fill, row, when } from "./lists.js";

export function startHappenings() {
  const draw = (found) => found.map((one) => row(one.text, { facts: [when(one.at), one.detail] }));
  const read = () => fill($("#happenings"), "/api/v1/account/security-log", draw, "Nothing happened yet.");
  read();
  return { read };
}
