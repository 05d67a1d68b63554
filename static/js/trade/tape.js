/** The tape: what traded, newest first. */
import { $, clock, h, perFrame, setText } from "../lib/dom.js";
import { grouped, parse } from "../lib/decimal.js";
import { t } from "../lib/words.js";

const KEPT_MAX = 60;

export class Tape {
  constructor(market) {
    this.market = market;
    this.trades = [];
    this.root = $("#prints");
    this.paint = perFrame(() => this.draw());
  }

  /** Take trades, oldest first. A trade that is known already counts once. */
  take(trades, isSnapshot) {
    if (isSnapshot) this.trades = this.trades.filter((one) => one.id > (trades.at(-1)?.id ?? -1));
    const known = new Set(this.trades.map((one) => one.id));
    this.trades.push(...trades.filter((one) => !known.has(one.id)));
    this.trades.sort((a, b) => a.id - b.id);
    this.trades = this.trades.slice(-KEPT_MAX);
    this.paint();
  }

  get newest() {
    return this.trades.at(-1) ?? null;
  }

  draw() {
    if (!this.trades.length) {
      this.root.replaceChildren(h("div", { class: "notice" }, t("No trades yet.")));
      return;
    }
    this.root.querySelector(".notice")?.remove();
    const newestFirst = [...this.trades].reverse();
    while (this.root.children.length < newestFirst.length) this.root.append(emptyPrint());
    newestFirst.forEach((trade, at) => this.fill(this.root.children[at], trade));
  }

  fill(row, trade) {
    const [price, size, time] = row.children;
    setText(price, grouped(parse(trade.price), this.market.pricePlaces));
    setText(size, grouped(parse(trade.size), this.market.sizePlaces));
    setText(time, clock(trade.at));
    price.className = trade.side;
  }
}

function emptyPrint() {
  return h("div", { class: "print" }, h("span"), h("span"), h("span", { class: "time" }));
}
