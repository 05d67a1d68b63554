/** A person's accounts: most have one, institutions more. A key belongs to one of them. */
import { call } from "../lib/api.js";
import { $, h } from "../lib/dom.js";

/** Return a promise of { number → label }; empty if there is one account, or nobody can say. */
export async function readAccounts() {
  try {
    const own = await call("GET", "/api/v1/account/subaccounts");
    return new Map(own.length > 1 ? own.map((one) => [one.account, one.label]) : []);
  } catch {
    return new Map();
  }
}

/** Offer the accounts in the form, if there is a choice. */
export function offer(accounts) {
  const options = [...accounts].map(([number, label]) => h("option", { value: String(number) }, `${label} (${number})`));
  $("#key-account").replaceChildren(...options);
  $("#account-field").hidden = !options.length;
}
