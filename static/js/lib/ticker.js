/** A day's summary of a market, as the page shows it. */
import { format, grouped, parse, readable } from "./decimal.js";

/** Take a REST `ticker/24hr` row or a stream's `24hrTicker` event; both become one shape. */
export function readTicker(raw) {
  return {
    last: parse(raw.c ?? raw.lastPrice),
    open: parse(raw.o ?? raw.openPrice),
    high: parse(raw.h ?? raw.highPrice),
    low: parse(raw.l ?? raw.lowPrice),
    volume: parse(raw.v ?? raw.volume),
    turnover: parse(raw.q ?? raw.quoteVolume),
    percent: parse(raw.P ?? raw.priceChangePercent),
  };
}

export function shownPrice(value, market) {
  return value ? grouped(value, market.pricePlaces) : "–";
}

export function shownAmount(value, places = 2) {
  return value === null || value === undefined ? "–" : readable(value, places, Math.min(places, 2));
}

/** "+1.25 %" with its colour. */
export function shownChange(percent) {
  if (percent === null || percent === undefined) return { text: "–", tone: "" };
  const text = format(percent, 2);
  const isFlat = /^-?0\.00$/.test(text);
  if (isFlat) return { text: "0.00 %", tone: "" };
  return percent > 0n ? { text: `+${text} %`, tone: "buy" } : { text: `${text.replace("-", "−")} %`, tone: "sell" };
}
