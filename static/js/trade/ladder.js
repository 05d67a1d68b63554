/** The order book as a ladder. A click on a price takes it into the ticket; on a size, all up to there. */
import { $, $$, h, perFrame, setText } from "../lib/dom.js";
import { grouped, plain } from "../lib/decimal.js";
import { t } from "../lib/words.js";

const LEVEL_PX = 21;
const STEPS = [1n, 10n, 100n, 1000n];

export class Ladder {
  /** `onPick({ price, size })`: `size` is the running total when the size was clicked, else null. */
  constructor(market, book, onPick) {
    this.market = market;
    this.book = book;
    this.onPick = onPick;
    this.step = 0n;
    this.ownPrices = new Set();
    this.last = null;
    this.sides = { asks: $("#asks"), bids: $("#bids") };
    this.paint = perFrame(() => this.draw());
    setText($('.ladder [data-name="price"]'), t("Price ({unit})", { unit: market.quote }));
    setText($('.ladder [data-name="size"]'), t("Size ({unit})", { unit: market.base }));
    this.buildSteps();
    for (const root of Object.values(this.sides)) this.watch(root);
  }

  buildSteps() {
    const select = $("#group");
    select.append(...STEPS.map((times) => h("option", { value: times }, plain(this.market.tick * times))));
    select.addEventListener("change", () => {
      const times = BigInt(select.value);
      this.step = times === 1n ? 0n : this.market.tick * times;
      this.paint();
    });
  }

  watch(root) {
    root.addEventListener("click", (event) => this.pick(event));
    root.addEventListener("keydown", (event) => this.move(event));
    new ResizeObserver(() => {
      this.fit(root);
      this.paint();
    }).observe(root);
  }

  /** Keep as many rows as there is room for. */
  fit(root) {
    const height = root.firstElementChild?.offsetHeight || LEVEL_PX;
    const room = Math.max(1, Math.floor(root.clientHeight / height));
    while (root.children.length < room) root.append(emptyRow());
    while (root.children.length > room) root.lastElementChild.remove();
  }

  draw() {
    const rooms = Object.values(this.sides).map((root) => root.children.length);
    const count = Math.max(...rooms);
    const asks = this.book.asks.levels(count, this.step);
    const bids = this.book.bids.levels(count, this.step);
    const deepest = [...asks, ...bids].reduce((most, level) => (level.total > most ? level.total : most), 1n);
    const askRows = [...this.sides.asks.children].reverse();
    askRows.forEach((row, at) => this.fill(row, asks[at], deepest));
    [...this.sides.bids.children].forEach((row, at) => this.fill(row, bids[at], deepest));
    this.drawMiddle();
  }

  fill(row, level, deepest) {
    row.hidden = !level;
    if (!level) return;
    const { pricePlaces, sizePlaces } = this.market;
    const [price, size, total] = row.children;
    setText(price, grouped(level.price, pricePlaces));
    setText(size, grouped(level.size, sizePlaces));
    setText(total, grouped(level.total, sizePlaces));
    row.level = level;
    row.dataset.own = String(this.ownPrices.has(level.price));
    row.style.setProperty("--depth", Number((level.total * 1000n) / deepest) / 1000);
  }

  drawMiddle() {
    const { bid, ask } = this.book.best();
    const isTwoSided = bid !== null && ask !== null;
    const spread = isTwoSided ? ask - bid : null;
    const text = isTwoSided
      ? t("spread {spread} · {share}", { spread: grouped(spread, this.market.pricePlaces), share: basisPoints(spread, ask) })
      : this.book.isReady ? t("one-sided book") : t("reading the book…");
    setText($("#spread"), text);
  }

  showLast(price, side) {
    const element = $("#mid-price");
    setText(element, grouped(price, this.market.pricePlaces));
    element.className = `price ${side}`;
  }

  showOwn(orders) {
    this.ownPrices = new Set(orders.filter((order) => !order.isWaiting).map((order) => order.price));
    this.paint();
  }

  pick(event) {
    const row = event.target.closest(".level");
    if (!row?.level) return;
    const isSize = event.target.closest(".size, .total") !== null;
    this.onPick({ price: row.level.price, size: isSize ? row.level.total : null });
  }

  move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const rows = $$(".level:not([hidden])", $(".ladder"));
    rows[rows.indexOf(document.activeElement) + step]?.focus();
  }
}

function emptyRow() {
  const cells = ["price", "size", "total"].map((name) => h("span", { class: name }));
  return h("button", { type: "button", class: "level", hidden: true }, ...cells);
}

function basisPoints(spread, price) {
  const hundredths = (spread * 1_000_000n) / price;
  return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, "0")} bp`;
}
