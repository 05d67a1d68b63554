/**
 * All that a market says: book, trades, candles, day. On each connection everything is read anew
 * (join first, read after), so nothing can fall between a snapshot and the differences.
 */
import { trading } from "../lib/api.js";
import { DepthBook } from "../lib/depthbook.js";
import { Feed } from "../lib/feed.js";
import { readTicker } from "../lib/ticker.js";

const DEPTH_LIMIT = 1000;
const RETRY_MS = 700;

export class MarketFeed {
  /** `on`: { book, trades(list, isSnapshot), candles(rows), candle(kline), ticker(market, ticker), state, problem }. */
  constructor(market, others, on) {
    this.market = market;
    this.others = others;
    this.on = on;
    this.book = new DepthBook();
    this.round = 0;
    const own = ["depth@100ms", "trade", "kline_1m"].map((name) => `${market.stream}@${name}`);
    const tickers = [market, ...others].map((one) => `${one.stream}@ticker`);
    this.feed = new Feed("/stream", {
      streams: [...own, ...tickers, "!time@1s"],
      onJoined: () => this.readAll(),
      onMessage: (message) => this.take(message),
      onState: (state) => on.state(state),
    });
  }

  start() {
    this.feed.start();
  }

  get isLive() {
    return this.feed.state === "live" && this.book.isReady;
  }

  take({ stream, data }) {
    if (!stream || stream === "!time@1s") return;
    const [id, kind] = stream.split("@");
    if (kind === "ticker") this.takeTicker(id, data);
    else if (kind === "depth") this.takeDepth(data);
    else if (kind === "trade") this.on.trades([readTrade(data)], false);
    else if (kind === "kline_1m") this.on.candle(data.k);
  }

  takeTicker(id, data) {
    const market = [this.market, ...this.others].find((one) => one.stream === id);
    if (market) this.on.ticker(market, readTicker(data));
  }

  takeDepth(delta) {
    const result = this.book.take(delta);
    if (result === "gap") this.readBook();
    else if (result === "applied") this.on.book();
  }

  readAll() {
    this.round += 1;
    this.book.startOver();
    this.on.book();
    const { id } = this.market;
    this.readBook();
    this.read("trades", "/api/v3/trades", { symbol: id, limit: 60 }, (rows) =>
      this.on.trades(rows.map(readTrade), true),
    );
    this.read("candles", "/api/v3/klines", { symbol: id, interval: "1m", limit: 1000 }, (rows) =>
      this.on.candles(rows),
    );
    for (const market of [this.market, ...this.others]) {
      this.read("ticker", "/api/v3/ticker/24hr", { symbol: market.id }, (row) =>
        this.on.ticker(market, readTicker(row)),
      );
    }
  }

  readBook() {
    this.on.book();
    this.read("book", "/api/v3/depth", { symbol: this.market.id, limit: DEPTH_LIMIT }, (snapshot) => {
      if (!this.book.load(snapshot)) return false;
      this.on.book();
      return true;
    });
  }

  /** Read until it works, or until a newer connection reads for itself. */
  async read(what, path, params, use) {
    const { round } = this;
    while (round === this.round) {
      try {
        const answer = await trading("GET", path, params);
        if (round !== this.round || use(answer) !== false) return;
      } catch (error) {
        this.on.problem(what, error);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function readTrade(raw) {
  return {
    id: raw.id ?? raw.t,
    price: raw.price ?? raw.p,
    size: raw.qty ?? raw.q,
    at: raw.time ?? raw.T,
    side: (raw.isBuyerMaker ?? raw.m) ? "sell" : "buy",
  };
}
