/**
 * Your side of a market: open orders, history, fills, balances, fee rates. A snapshot is read on each
 * connection of the user stream; events that came while it was read are applied after it.
 */
import { ApiError, trading } from "../lib/api.js";
import { ONE, parse } from "../lib/decimal.js";
import { Feed } from "../lib/feed.js";

const HISTORY_MAX = 200;
const ENDED = new Set(["FILLED", "CANCELED", "EXPIRED", "REJECTED", "EXPIRED_IN_MATCH"]);
const RETRY_MS = 1000;
const REFRESH_MS = 30_000;

export class Account {
  /** `on`: { change(), state(state), fill(fill, order), problem(error), signedOut() }. */
  constructor(market, on) {
    this.market = market;
    this.on = on;
    this.orders = new Map();
    this.fills = new Map();
    this.balances = new Map();
    this.rates = { maker: ONE / 1000n, taker: (ONE * 15n) / 10_000n };
    this.isLoaded = false;
    this.refusal = "";
    this.waiting = null;
    this.round = 0;
    this.feed = new Feed("/ws/user", {
      beats: false,
      onJoined: () => this.read(),
      onSignedOut: () => on.signedOut(),
      onMessage: (message) => this.take(message.data ?? message),
      onState: (state) => on.state(state),
    });
  }

  start() {
    this.feed.start();
    // Events come at most once: look again now and then, in case one was lost on its way.
    setInterval(() => this.feed.state === "live" && !document.hidden && this.read(), REFRESH_MS);
  }

  get open() {
    return [...this.orders.values()].filter((order) => !order.isEnded).sort(newestFirst);
  }

  get ended() {
    return [...this.orders.values()].filter((order) => order.isEnded).sort(newestFirst).slice(0, HISTORY_MAX);
  }

  get recentFills() {
    return [...this.fills.values()].sort((a, b) => b.at - a.at || b.id - a.id).slice(0, HISTORY_MAX);
  }

  free(asset) {
    return this.balances.get(asset)?.free ?? 0n;
  }

  /** Read everything anew; try again until it works or a newer connection does it. */
  async read() {
    this.round += 1;
    const { round } = this;
    this.waiting = [];
    while (round === this.round) {
      try {
        await this.readOnce(round);
        return;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.on.problem(error);
        if (error.isFinal) {
          this.refusal = error.message;
          this.on.change();
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async readOnce(round) {
    const symbol = this.market.id;
    const [account, open] = await Promise.all([
      trading("GET", "/api/v3/account"),
      trading("GET", "/api/v3/openOrders", { symbol }),
    ]);
    if (round !== this.round) return;
    this.loadAccount(account);
    this.orders = new Map([...this.orders].filter(([, order]) => order.isEnded));
    for (const raw of open) this.keep(readOrder(raw));
    const missed = this.waiting;
    this.waiting = null;
    this.isLoaded = true;
    for (const event of missed) this.apply(event);
    this.on.change();
    await this.readPast(symbol);
  }

  /** History comes from PostgreSQL; trading goes on without it, so its failure is no failure of the rest. */
  async readPast(symbol) {
    const past = [
      trading("GET", "/api/v3/allOrders", { symbol, limit: HISTORY_MAX }).then((orders) =>
        orders.map(readOrder).filter((order) => order.isEnded).forEach((order) => this.keep(order)),
      ),
      trading("GET", "/api/v3/myTrades", { symbol, limit: HISTORY_MAX }).then((fills) =>
        fills.forEach((raw) => this.fills.set(Number(raw.id), readFill(raw))),
      ),
    ];
    await Promise.allSettled(past);
    this.on.change();
  }

  loadAccount(account) {
    const rates = account.commissionRates;
    if (rates) this.rates = { maker: parse(rates.maker), taker: parse(rates.taker) };
    this.balances = new Map(account.balances.map((row) => [row.asset, balance(row.free, row.locked)]));
  }

  take(event) {
    if (this.waiting) this.waiting.push(event);
    else this.apply(event);
  }

  apply(event) {
    if (event.e === "outboundAccountPosition") {
      for (const row of event.B) this.balances.set(row.a, balance(row.f, row.l));
    } else if (event.e === "executionReport" && event.s === this.market.id) {
      this.applyReport(event);
    } else return;
    this.on.change();
  }

  applyReport(event) {
    const order = readReport(event);
    if (event.x === "TRADE" && !this.fills.has(Number(event.t))) {
      const fill = readReportFill(event);
      this.fills.set(fill.id, fill);
      this.on.fill(fill, order);
    }
    this.keep(order);
  }

  /** Keep what is newest of an order: an end is final, and what is filled only grows. */
  keep(order) {
    const known = this.orders.get(order.id);
    if (known && (known.isEnded ? !order.isEnded : known.filled > order.filled)) return;
    this.orders.set(order.id, { ...known, ...order });
  }

  placed(raw) {
    this.keep(readOrder(raw));
    this.on.change();
  }
}

function balance(free, held) {
  return { free: parse(free) ?? 0n, held: parse(held) ?? 0n };
}

function newestFirst(a, b) {
  return b.at - a.at || (b.id > a.id ? 1 : -1);
}

/** An order of a REST answer. */
export function readOrder(raw) {
  return shaped({
    id: String(raw.orderId),
    clientId: raw.clientOrderId,
    side: raw.side,
    type: raw.type,
    tif: raw.timeInForce,
    price: raw.price,
    trigger: raw.stopPrice,
    trail: raw.trailingDelta,
    isWaiting: raw.workingTime === -1,
    listId: raw.orderListId,
    size: raw.origQty,
    budget: raw.origQuoteOrderQty,
    filled: raw.executedQty,
    value: raw.cummulativeQuoteQty,
    status: raw.status,
    at: raw.time ?? raw.transactTime ?? raw.workingTime,
  });
}

function readReport(event) {
  return shaped({
    id: String(event.i),
    clientId: event.c,
    side: event.S,
    type: event.o,
    tif: event.f,
    price: event.p,
    trigger: event.P,
    trail: event.d,
    isWaiting: event.wt !== undefined && event.W === undefined,
    listId: event.g,
    size: event.q,
    budget: event.Q,
    filled: event.z,
    value: event.Z,
    status: event.X,
    at: event.O ?? event.T,
    reason: event.r,
  });
}

function shaped(order) {
  const exact = ["price", "trigger", "size", "budget", "filled", "value"].map((key) => [key, parse(order[key]) ?? 0n]);
  return { ...order, ...Object.fromEntries(exact), isEnded: ENDED.has(order.status) };
}

function readFill(raw) {
  return {
    id: Number(raw.id),
    orderId: String(raw.orderId),
    side: raw.isBuyer ? "BUY" : "SELL",
    price: parse(raw.price),
    size: parse(raw.qty),
    value: parse(raw.quoteQty),
    fee: parse(raw.commission) ?? 0n,
    feeAsset: raw.commissionAsset,
    isMaker: raw.isMaker,
    at: raw.time,
  };
}

function readReportFill(event) {
  return {
    id: Number(event.t),
    orderId: String(event.i),
    side: event.S,
    price: parse(event.L),
    size: parse(event.l),
    value: parse(event.Y) ?? 0n,
    fee: parse(event.n) ?? 0n,
    feeAsset: event.N,
    isMaker: event.m,
    at: event.T,
  };
}
