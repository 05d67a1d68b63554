/** What an order would cost, exactly. Fees come out of what is received and round up; the house wins the rounding. */
import { floorTo, format, multiply, parse, ratio } from "../lib/decimal.js";

const FEE_PLACES = 8;

/**
 * `order`: { side, kind, price, size, budget, isPostOnly } in exact decimals; market buys spend a
 * `budget`, all others trade a `size`. `book`: asks and bids as `Side`s. `rates`: { maker, taker }.
 * `lot`: the smallest step of a size.
 * Returns { cost, size, fee, receive, average, isWhole }, or null when there is nothing to count.
 */
export function estimate(order, { book, rates, lot }) {
  const traded = order.kind === "MARKET" ? walk(order, book, lot) : rest(order);
  if (!traded || traded.size === 0n) return null;
  const rate = order.isPostOnly ? rates.maker : rates.taker;
  const received = order.side === "BUY" ? traded.size : traded.cost;
  const fee = parse(format(multiply(received, rate, "up"), FEE_PLACES, "up"));
  return { ...traded, fee, receive: received - fee, average: ratio(traded.cost, traded.size) };
}

function rest({ price, size }) {
  if (!price || !size) return null;
  return { cost: multiply(price, size), size, isWhole: true };
}

/** Take from the far side, best price first, as the market would. */
function walk({ side, size, budget }, book, lot) {
  const isBudget = side === "BUY";
  let left = isBudget ? budget : size;
  if (!left) return null;
  const traded = { cost: 0n, size: 0n };
  for (const level of (side === "BUY" ? book.asks : book.bids).walk()) {
    const room = isBudget ? floorTo(ratio(left, level.price), lot) : left;
    const taken = room < level.size ? room : level.size;
    const cost = multiply(taken, level.price);
    traded.size += taken;
    traded.cost += cost;
    left -= isBudget ? cost : taken;
    if (taken === room) return { ...traded, isWhole: true };
  }
  return { ...traded, isWhole: false };
}
