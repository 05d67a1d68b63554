/** Your open orders, history, fills and balances: one table at a time, always current. */
import { trading } from "../lib/api.js";
import { grouped, readable } from "../lib/decimal.js";
import { $, choice, h, moment, notice, perFrame, setText } from "../lib/dom.js";
import { toast, toastError } from "../lib/toast.js";
import { balanceRows } from "./balances.js";
import { Rows } from "./rows.js";
import { t, tn } from "../lib/words.js";

const STATUS = {
  NEW: t("open"),
  PARTIALLY_FILLED: t("part filled"),
  FILLED: t("filled"),
  CANCELED: t("canceled"),
  EXPIRED: t("expired"),
  EXPIRED_IN_MATCH: t("expired"),
  REJECTED: t("rejected"),
  PENDING_NEW: t("on its way"),
};

export class OwnPanel {
  /** `showLife(order)` opens an order's life. */
  constructor(market, account, { prices, showLife }) {
    Object.assign(this, { market, account, prices, showLife });
    this.tables = {
      open: new Rows(this.openTable()),
      history: new Rows(this.historyTable()),
      fills: new Rows(this.fillTable()),
      balances: new Rows(balanceRows(account, prices)),
    };
    this.tab = "open";
    this.paint = perFrame(() => this.draw());
    choice($("#own-tabs"), (tab) => this.turn(tab));
    $("#own-body").addEventListener("click", (event) => this.clicked(event));
    $("#cancel-all").addEventListener("click", () => this.cancelAll());
  }

  turn(tab) {
    this.tab = tab;
    $("#own-body").setAttribute("aria-labelledby", `tab-${tab}`);
    this.draw();
  }

  draw() {
    const { open } = this.account;
    setText($('[data-count="open"]'), open.length ? String(open.length) : "");
    $("#cancel-all").hidden = this.tab !== "open" || open.length === 0;
    const items = {
      open: () => open,
      history: () => this.account.ended,
      fills: () => this.account.recentFills,
      balances: () => [...this.account.balances].map(([asset, one]) => ({ asset, ...one })),
    }[this.tab]();
    const waiting = () => notice(this.account.refusal || t("Loading your orders…"));
    const body = this.account.isLoaded ? this.tables[this.tab].show(items) : waiting();
    const shelf = $("#own-body");
    if (shelf.firstElementChild !== body || shelf.children.length !== 1) shelf.replaceChildren(body);
  }

  // A row is a shortcut for the mouse; the button with the order's number is the way for the keyboard.
  clicked(event) {
    const cancel = event.target.closest("[data-cancel]");
    if (cancel) {
      this.cancel(cancel);
      return;
    }
    const id = event.target.closest("[data-order]")?.dataset.order;
    const order = id && this.account.orders.get(id);
    if (id) this.showLife(order ?? { id });
  }

  async cancel(button) {
    const order = this.account.orders.get(button.dataset.cancel);
    button.disabled = true;
    try {
      await trading("DELETE", "/api/v3/order", { symbol: this.market.id, orderId: order.id, timestamp: Date.now() });
    } catch (error) {
      toastError(t("Order {id} was not canceled", { id: order.id }), error);
      button.disabled = false;
    }
  }

  async cancelAll() {
    const button = $("#cancel-all");
    button.disabled = true;
    try {
      const gone = await trading("DELETE", "/api/v3/openOrders", { symbol: this.market.id, timestamp: Date.now() });
      toast(t("Canceled"), tn("{n} order in {market}.", "{n} orders in {market}.", gone.length, { market: this.market.name }));
    } catch (error) {
      toastError(t("The orders were not canceled"), error);
    } finally {
      button.disabled = false;
    }
  }

  get columns() {
    const { pricePlaces, sizePlaces, base, quote } = this.market;
    const size = (value) => grouped(value, sizePlaces);
    return {
      time: { name: t("Time"), text: (one) => moment(one.at) },
      side: { name: t("Side"), text: (one) => sideWord(one.side), tone: (one) => sideTone(one.side) },
      type: { name: t("Type"), text: typeWord },
      price: { name: t("Price ({unit})", { unit: quote }), num: true, text: (one) => priceWord(one, pricePlaces) },
      size: { name: t("Size ({unit})", { unit: base }), num: true, text: (one) => (one.size ? size(one.size) : "–") },
      filled: { name: t("Filled ({unit})", { unit: base }), num: true, text: (one) => size(one.filled) },
      status: { name: t("Status"), text: (one) => STATUS[one.status] ?? one.status },
      life: { name: t("Order"), node: lifeButton },
    };
  }

  openTable() {
    const { time, side, type, price, size, life } = this.columns;
    const filled = { name: t("Filled"), num: true, node: () => filledBar(), adjust: showFilled };
    const cancel = { name: "", num: true, node: cancelButton };
    return {
      columns: [time, side, type, price, size, filled, life, cancel],
      key: (order) => order.id,
      rowAttributes: (order) => ({ "data-order": order.id }),
      empty: t("No open orders. What you place waits here until it fills."),
    };
  }

  historyTable() {
    const { time, side, type, price, size, filled, status, life } = this.columns;
    const average = { name: t("Average"), num: true, text: (one) => averageWord(one, this.market.pricePlaces) };
    return {
      columns: [time, side, type, price, average, size, filled, status, life],
      key: (order) => order.id,
      rowAttributes: (order) => ({ "data-order": order.id }),
      empty: t("No past orders yet."),
    };
  }

  fillTable() {
    const { pricePlaces, sizePlaces, base, quote } = this.market;
    const { time, side } = this.columns;
    return {
      columns: [
        time,
        side,
        { name: t("Price ({unit})", { unit: quote }), num: true, text: (fill) => grouped(fill.price, pricePlaces) },
        { name: t("Size ({unit})", { unit: base }), num: true, text: (fill) => grouped(fill.size, sizePlaces) },
        { name: t("Value ({unit})", { unit: quote }), num: true, text: (fill) => readable(fill.value, 8) },
        { name: t("Fee"), num: true, text: (fill) => `${readable(fill.fee, 8)} ${fill.feeAsset ?? ""}` },
        { name: t("As"), text: (fill) => (fill.isMaker ? t("maker") : t("taker")) },
        { name: t("Order"), node: (fill) => lifeButton({ id: fill.orderId }) },
      ],
      key: (fill) => fill.id,
      rowAttributes: (fill) => ({ "data-order": fill.orderId }),
      empty: t("No fills yet."),
    };
  }
}

const TRIGGERED = {
  STOP_LOSS: t("stop"),
  STOP_LOSS_LIMIT: t("stop limit"),
  TAKE_PROFIT: t("take profit"),
  TAKE_PROFIT_LIMIT: t("take profit limit"),
};

function sideWord(side) {
  return side === "BUY" ? t("Buy") : t("Sell");
}

function sideTone(side) {
  return side === "BUY" ? "buy" : "sell";
}

function typeWord({ type, tif, isWaiting, listId }) {
  const list = listId > 0 ? " · OCO" : "";
  if (type?.startsWith("STOP") || type?.startsWith("TAKE")) {
    const word = TRIGGERED[type] ?? type;
    return `${isWaiting ? word : t("{type} (set off)", { type: word })}${list}`;
  }
  return `${plainWord({ type, tif })}${list}`;
}

function plainWord({ type, tif }) {
  if (type === "LIMIT_MAKER") return t("post-only");
  if (type === "MARKET") return t("market");
  return tif && tif !== "GTC" ? t("limit {tif}", { tif }) : t("limit");
}

function priceWord(order, places) {
  const price = order.price ? grouped(order.price, places) : t("market");
  if (order.trail) return t("{price} when {share} % back", { price, share: order.trail / 100 });
  return order.trigger ? t("{price} when {trigger}", { price, trigger: grouped(order.trigger, places) }) : price;
}

function averageWord({ filled, value }, places) {
  return filled ? grouped((value * 10n ** 18n) / filled, places) : "–";
}

function lifeButton({ id }) {
  return h("button", { type: "button", class: "life-link", title: t("Show this order's life") }, `#${id}`);
}

function cancelButton({ id }) {
  return h("button", { type: "button", class: "button small", "data-cancel": id, "aria-label": t("Cancel order {id}", { id }) }, t("Cancel"));
}

function filledBar() {
  return h("span", {}, h("span"), h("span", { class: "filled-bar", "aria-hidden": "true" }));
}

function showFilled(cell, order) {
  const percent = order.size ? Number((order.filled * 100n) / order.size) : 0;
  const [text, bar] = cell.firstElementChild.children;
  setText(text, `${percent} %`);
  bar.style.setProperty("--filled", `${percent}%`);
}
