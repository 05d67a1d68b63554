/** The landing page: every market with its live price, and a line of its last hours. */
import { trading } from "./lib/api.js";
import { $, perFrame, setText } from "./lib/dom.js";
import { Feed } from "./lib/feed.js";
import { loadMarkets } from "./lib/markets.js";
import { startShell } from "./lib/shell.js";
import { readTicker, shownAmount, shownChange, shownPrice } from "./lib/ticker.js";
import { t } from "./lib/words.js";

const STATES = { live: t("live"), connecting: t("connecting"), stale: t("stale") };
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 140;
const HEIGHT = 34;

startShell();
start().catch(() => setBadge("stale", t("cannot reach the exchange")));

async function start() {
  const markets = (await loadMarkets()).filter((market) => row(market));
  const feed = new Feed("/stream", {
    streams: [...markets.map((market) => `${market.stream}@ticker`), "!time@1s"],
    onJoined: () => markets.forEach((market) => showDay(market).catch(() => {})),
    onMessage: ({ stream, data }) => {
      const market = markets.find((one) => stream === `${one.stream}@ticker`);
      if (market) show(market, readTicker(data));
    },
    onState: (state) => setBadge(state, STATES[state]),
  });
  feed.start();
  await Promise.allSettled(markets.map(showLine));
}

async function showDay(market) {
  show(market, readTicker(await trading("GET", "/api/v3/ticker/24hr", { symbol: market.id })));
}

function show(market, ticker) {
  market.ticker = ticker;
  market.paint ??= perFrame(() => paint(market));
  market.paint();
}

function paint(market) {
  const { ticker } = market;
  const change = shownChange(ticker.percent);
  setText(cell(market, "price"), shownPrice(ticker.last, market));
  setText(cell(market, "change"), change.text);
  cell(market, "change").className = change.tone;
  setText(cell(market, "high"), shownPrice(ticker.high, market));
  setText(cell(market, "low"), shownPrice(ticker.low, market));
  setText(cell(market, "volume"), `${shownAmount(ticker.volume)} ${market.base}`);
}

async function showLine(market) {
  const candles = await trading("GET", "/api/v3/klines", { symbol: market.id, interval: "1m", limit: 240 });
  if (candles.length < 2) return;
  const closes = candles.map((candle) => Number(candle[4]));
  const low = Math.min(...closes);
  const span = Math.max(...closes) - low || 1;
  const points = closes.map((close, at) => {
    const x = (at / (closes.length - 1)) * WIDTH;
    const y = HEIGHT - 2 - ((close - low) / span) * (HEIGHT - 4);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", closes.at(-1) >= closes[0] ? "buy" : "sell");
  const line = document.createElementNS(SVG, "polyline");
  line.setAttribute("points", points.join(" "));
  svg.append(line);
  cell(market, "spark").replaceChildren(svg);
}

function row(market) {
  return $(`#markets tr[data-symbol="${market.name}"]`);
}

function cell(market, name) {
  return $(`[data-cell="${name}"]`, row(market));
}

function setBadge(state, text) {
  const badge = $("#feed-badge");
  badge.className = `badge ${state === "live" ? "good" : "warn"}`;
  setText(badge, text);
}
