/** The trading page: puts the parts together. Each part knows its own piece of the page. */
import { call } from "./lib/api.js";
import { $, $$, choice, setText } from "./lib/dom.js";
import { loadMarkets } from "./lib/markets.js";
import { isSignedIn, startShell } from "./lib/shell.js";
import { toast, toastError } from "./lib/toast.js";
import { readable, parse } from "./lib/decimal.js";
import { Account } from "./trade/account.js";
import { showMini, startFaucet } from "./trade/balances.js";
import { Chart } from "./trade/chart.js";
import { Ladder } from "./trade/ladder.js";
import { showLife, startLife } from "./trade/life.js";
import { MarketFeed } from "./trade/market_feed.js";
import { OwnPanel } from "./trade/own.js";
import { Snippets } from "./trade/snippets.js";
import * as strip from "./trade/strip.js";
import { Tape } from "./trade/tape.js";
import { Ticket } from "./trade/ticket.js";
import { t } from "./lib/words.js";

const page = $("#trade");
const RETRY_MS = 1500;

// On a phone one part shows at a time.
const tabs = choice($("#phone-tabs"), (tab) => {
  page.dataset.tab = tab;
});

startShell();
startLife();
start();

async function start() {
  try {
    const markets = await loadMarkets();
    const market = markets.find((one) => one.name === page.dataset.symbol);
    new TradingPage(market, markets.filter((one) => one !== market)).start();
  } catch (error) {
    showState("stale", t("cannot reach the exchange"));
    setTimeout(start, RETRY_MS);
    if (!error.status && error.name !== "ApiError" && !("retryAfter" in error)) throw error;
  }
}

class TradingPage {
  constructor(market, others) {
    this.market = market;
    this.prices = new Map();
    this.side = "";
    this.feed = new MarketFeed(market, others, {
      book: () => this.bookChanged(),
      trades: (trades, isSnapshot) => this.traded(trades, isSnapshot),
      candles: (rows) => this.chart.load(rows),
      candle: (kline) => this.chart.take(kline),
      ticker: (of, ticker) => this.dayChanged(of, ticker),
      state: () => this.stateChanged(),
      problem: (what, error) => what === "candles" && this.chart.explain(t("No candles: {reason}", { reason: error.message })),
    });
    this.account = new Account(market, {
      change: () => this.accountChanged(),
      state: () => this.stateChanged(),
      fill: (fill) => this.filled(fill),
      signedOut: () => this.signedOut(),
      problem: (error) => error.isFinal && toastError(error.isSignedOut ? t("You are signed out") : t("Your account cannot be read"), error),
    });
    this.build();
  }

  build() {
    const { market, account, prices } = this;
    this.chart = new Chart(market);
    this.tape = new Tape(market);
    this.ticket = new Ticket(market, account, this.feed.book);
    this.ladder = new Ladder(market, this.feed.book, (picked) => this.picked(picked));
    this.own = isSignedIn ? new OwnPanel(market, account, { prices, showLife }) : null;
    const snippets = new Snippets(market, () => this.ticket.request({ example: true }));
    for (const button of $$("[data-snippet]")) {
      button.addEventListener("click", () => snippets.open(button.dataset.snippet));
    }
    strip.startStrip(market);
    startFaucet(market);
  }

  start() {
    this.feed.start();
    if (isSignedIn) this.account.start();
  }

  bookChanged() {
    this.ladder.paint();
    this.ticket.paint();
    this.stateChanged();
  }

  traded(trades, isSnapshot) {
    this.tape.take(trades, isSnapshot);
    const { newest } = this.tape;
    if (newest) this.showLast(parse(newest.price), newest.side);
  }

  dayChanged(of, ticker) {
    this.prices.set(of.base, ticker.last);
    strip.showMenuPrice(of, ticker.last);
    if (of !== this.market) return;
    strip.showDay(of, ticker);
    if (!this.tape.newest && ticker.last) this.showLast(ticker.last, "");
    this.own?.paint();
  }

  showLast(price, side) {
    this.prices.set(this.market.base, price);
    strip.showLast(this.market, price, side);
    this.ticket.showLast(price);
    this.ladder.showLast(price, side);
  }

  accountChanged() {
    const resting = this.account.open;
    this.own?.paint();
    this.ticket.paint();
    this.ladder.showOwn(resting);
    this.chart.showOrders(resting);
    showMini(this.market, this.account);
  }

  filled(fill) {
    const { sizePlaces, base } = this.market;
    if (!fill.isMaker) return;
    const amount = `${readable(fill.size, sizePlaces)} ${base}`;
    const title = fill.side === "BUY" ? t("Bought {amount}", { amount }) : t("Sold {amount}", { amount });
    toast(title, t("at {price} · order #{id}", { price: readable(fill.price, 8), id: fill.orderId }), "good");
  }

  async signedOut() {
    const person = await call("GET", "/api/v1/session").catch(() => null);
    const text = person ? t("This log-in has no trading account.") : t("You are logged out. Log in again to trade.");
    this.account.refusal = text;
    this.accountChanged();
    toast(t("Not connected to your account"), text, "bad");
  }

  picked(level) {
    this.ticket.take(level);
    if (getComputedStyle($("#phone-tabs")).display !== "none") tabs.set("ticket");
  }

  /** Stale prices are worse than none: say so, and take no orders. */
  stateChanged() {
    const market = this.feed.feed.state;
    const own = isSignedIn ? this.account.feed.state : "live";
    const isReady = this.feed.isLive && own === "live";
    this.ticket?.setLive(isReady);
    if (market === "live" && own === "live") showState(this.feed.book.isReady ? "live" : "connecting");
    else showState(market === "stale" || own === "stale" ? "stale" : "connecting");
  }
}

const STATES = { live: t("live"), connecting: t("connecting…"), stale: t("stale") };

function showState(state, text = STATES[state]) {
  $("#stale").hidden = state !== "stale";
  setText($("#stale-text"), state === "stale" && text === STATES.stale ? t("stale: no word for 3 s") : text);
  const line = $("#connection");
  line.hidden = false;
  line.className = `connection ${{ live: "buy", stale: "sell" }[state] ?? ""}`;
  setText($("[data-connection]", line), text);
  page.dataset.state = state;
}
