/** What the ticket asks for, in the dialect's words: the address, and the parameters. Pure. */
import { multiply, plain } from "../lib/decimal.js";
import { t } from "../lib/words.js";

export const SINGLE = "/api/v3/order";
export const LIST = "/api/v3/orderList/oco";

/**
 * `ask`: { kind, side, symbol, tif, amount, isBudget, price, trigger, stop, last } in exact decimals;
 * `last` is the market's last price, or null. Returns { path, parameters }.
 */
export function requestOf(ask) {
  const write = { LIMIT: limit, MARKET: market, STOP: stopLimit, OCO: list }[ask.kind];
  const named = { symbol: ask.symbol, side: ask.side };
  return { path: ask.kind === "OCO" ? LIST : SINGLE, parameters: { ...named, ...write(ask) } };
}

function market({ amount, isBudget }) {
  return { type: "MARKET", [isBudget ? "quoteOrderQty" : "quantity"]: plain(amount) };
}

function limit({ tif, amount, price }) {
  const terms = { quantity: plain(amount), price: plain(price) };
  if (tif === "POST") return { type: "LIMIT_MAKER", ...terms };
  return { type: "LIMIT", timeInForce: tif, ...terms };
}

/** Which way the price must come decides the type: against the order's side, or with it. */
function stopLimit({ side, tif, amount, price, trigger, last }) {
  const isAbove = last === null || trigger >= last;
  const type = isAbove === (side === "BUY") ? "STOP_LOSS_LIMIT" : "TAKE_PROFIT_LIMIT";
  const timeInForce = tif === "POST" ? "GTC" : tif;
  return { type, timeInForce, quantity: plain(amount), price: plain(price), stopPrice: plain(trigger) };
}

function list({ side, amount, price, trigger, stop }) {
  const [maker, stopper] = side === "SELL" ? ["above", "below"] : ["below", "above"];
  const asked = {
    quantity: plain(amount),
    [`${maker}Type`]: "LIMIT_MAKER",
    [`${maker}Price`]: plain(price),
    [`${stopper}Type`]: stop === null ? "STOP_LOSS" : "STOP_LOSS_LIMIT",
    [`${stopper}StopPrice`]: plain(trigger),
  };
  if (stop !== null) Object.assign(asked, { [`${stopper}Price`]: plain(stop), [`${stopper}TimeInForce`]: "GTC" });
  return asked;
}

/** The first thing that is wrong with an order's trigger, as { field, text }, or null. */
export function triggerProblem({ kind, side, price, trigger, stop }, { tick, quote, isTyped }) {
  const isStep = (value) => value % tick === 0n;
  if (kind !== "STOP" && kind !== "OCO") return null;
  if (!trigger || trigger <= 0n) return isTyped ? null : { field: "trigger", text: t("Enter the price that sets it off.") };
  if (!isStep(trigger)) return { field: "trigger", text: t("Prices move in steps of {step}.", { step: `${plain(tick)} ${quote}` }) };
  if (kind !== "OCO") return null;
  if (stop !== null && (stop <= 0n || !isStep(stop))) return { field: "stop", text: t("Prices move in steps of {step}.", { step: `${plain(tick)} ${quote}` }) };
  const isApart = !price || (side === "SELL" ? price > trigger : price < trigger);
  const text = side === "SELL" ? t("The stop belongs below the limit price.") : t("The stop belongs above the limit price.");
  return isApart ? null : { field: "trigger", text };
}

/** The most that the order may cost, for a check against what is available. */
export function costOf({ side, price, size, budget, stop, trigger, kind }) {
  if (budget !== null) return budget;
  if (!size) return null;
  const dearest = kind === "OCO" && side === "BUY" ? (stop ?? trigger) : price;
  return dearest ? multiply(dearest, size) : null;
}
