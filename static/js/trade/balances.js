/** Balances: what you own, what is held for open orders, and what it is worth now. */
import { call } from "../lib/api.js";
import { grouped, multiply, parse, readable } from "../lib/decimal.js";
import { $, h } from "../lib/dom.js";
import { toast, toastError } from "../lib/toast.js";
import { t } from "../lib/words.js";

const DOLLARS = "USDT";

export function balanceRows(account, prices) {
  return {
    columns: [
      { name: t("Asset"), text: (one) => one.asset },
      { name: t("Total"), num: true, text: (one) => readable(one.free + one.held, 8) },
      { name: t("Available"), num: true, text: (one) => readable(one.free, 8) },
      { name: t("Held by orders"), num: true, text: (one) => readable(one.held, 8) },
      { name: t("Worth ({unit})", { unit: DOLLARS }), num: true, text: (one) => worth(one, prices) },
    ],
    key: (one) => one.asset,
    empty: t("No balances yet."),
  };
}

function worth({ asset, free, held }, prices) {
  const price = asset === DOLLARS ? parse("1") : prices.get(asset);
  return price ? `≈ ${grouped(multiply(free + held, price), 2)}` : "–";
}

/** In a demo: a button per asset that asks for today's share of it. */
export function startFaucet(market) {
  const root = $("#faucet");
  if (!root) return;
  for (const asset of [market.base, market.quote]) {
    root.append(h("button", { type: "button", class: "button small", onclick: () => askFor(asset) }, `+ ${asset}`));
  }
}

async function askFor(asset) {
  try {
    const given = await call("POST", "/api/v1/demo/faucet", { asset });
    toast(t("{amount} on its way", { amount: `${given.amount} ${given.asset}` }), t("It is a deposit like any other: see the ledger."), "good");
  } catch (error) {
    toastError(t("No funds this time"), error);
  }
}

/** The two balances of this market, under the ticket. */
export function showMini(market, account) {
  const root = $("#balances-mini");
  if (!root) return;
  const rows = [market.base, market.quote].map((asset) => {
    const one = account.balances.get(asset) ?? { free: 0n, held: 0n };
    const held = one.held ? ` · ${t("{amount} held", { amount: readable(one.held, 6) })}` : "";
    return h(
      "div",
      { class: "row-between" },
      h("span", { class: "muted" }, asset),
      h("span", { "data-balance": asset }, `${readable(one.free, 6)}`, h("span", { class: "muted" }, held)),
    );
  });
  root.replaceChildren(...rows);
}
