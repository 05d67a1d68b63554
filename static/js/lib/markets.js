/** What a market is: read once from `exchangeInfo`. Steps are exact decimals. */
import { trading } from "./api.js";
import { parse, placesOf } from "./decimal.js";
import { t } from "./words.js";

export async function loadMarkets() {
  const info = await trading("GET", "/api/v3/exchangeInfo");
  return info.symbols.map(asMarket);
}

/** "BTC-USDT" in addresses and on the page, "BTCUSDT" in the trading dialect. */
export async function loadMarket(symbol) {
  const found = (await loadMarkets()).find((market) => market.name === symbol);
  if (!found) throw new Error(t("{symbol} is not listed.", { symbol }));
  return found;
}

function asMarket(entry) {
  const filter = (type) => entry.filters.find((one) => one.filterType === type) ?? {};
  const tick = parse(filter("PRICE_FILTER").tickSize) ?? 1n;
  const lot = parse(filter("LOT_SIZE").stepSize) ?? 1n;
  const notional = filter("NOTIONAL").minNotional ?? filter("MIN_NOTIONAL").minNotional;
  return {
    name: `${entry.baseAsset}-${entry.quoteAsset}`,
    id: entry.symbol,
    stream: entry.symbol.toLowerCase(),
    base: entry.baseAsset,
    quote: entry.quoteAsset,
    status: entry.status,
    tick,
    lot,
    pricePlaces: placesOf(tick),
    sizePlaces: placesOf(lot),
    quotePlaces: Math.min(entry.quoteAssetPrecision ?? entry.quotePrecision ?? 8, 8),
    minSize: parse(filter("LOT_SIZE").minQty) ?? lot,
    maxSize: parse(filter("LOT_SIZE").maxQty),
    minNotional: parse(notional) ?? 0n,
  };
}
