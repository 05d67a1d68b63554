/** The market's day at the top of the page, and the prices in the market menu. */
import { $, setText } from "../lib/dom.js";
import { shownAmount, shownChange, shownPrice } from "../lib/ticker.js";
import { t } from "../lib/words.js";

export function startStrip(market) {
  setText(part("volume-name"), t("24 h volume ({unit})", { unit: market.base }));
  setText(part("turnover-name"), t("24 h turnover ({unit})", { unit: market.quote }));
  const menu = $("#market-picker");
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menu.open = false;
  });
}

export function showDay(market, ticker) {
  const change = shownChange(ticker.percent);
  setText(part("change"), change.text);
  part("change").className = change.tone;
  setText(part("high"), shownPrice(ticker.high, market));
  setText(part("low"), shownPrice(ticker.low, market));
  setText(part("volume"), shownAmount(ticker.volume));
  setText(part("turnover"), shownAmount(ticker.turnover, 0));
}

export function showLast(market, price, side) {
  const text = shownPrice(price, market);
  setText(part("price"), text);
  part("price").className = `price ${side}`;
  document.title = `${text} · ${market.name} · Fairbook`;
}

export function showMenuPrice(market, price) {
  setText($(`[data-menu-symbol="${market.name}"] [data-menu-price]`), shownPrice(price, market));
}

function part(name) {
  return $(`[data-strip="${name}"]`);
}
