/**
 * One market's depth: a snapshot, then numbered differences. The rules are the dialect's:
 * differences that came before the snapshot are kept; those it contains (u <= lastUpdateId) are
 * dropped; the first one applied covers lastUpdateId + 1; each later one goes on where the last
 * ended. Anything else is a gap, and the book starts over.
 */
import { parse } from "./decimal.js";

const KEPT_MAX = 2000;

export class DepthBook {
  constructor() {
    this.startOver();
  }

  startOver() {
    this.bids = new Side(true);
    this.asks = new Side(false);
    this.lastUpdateId = null;
    this.kept = [];
  }

  get isReady() {
    return this.lastUpdateId !== null;
  }

  /** Take one `depthUpdate`. Returns "kept", "applied", "old" or "gap". */
  take(delta) {
    if (!this.isReady) {
      if (this.kept.length >= KEPT_MAX) this.kept.shift();
      this.kept.push(delta);
      return "kept";
    }
    if (delta.u <= this.lastUpdateId) return "old";
    if (delta.U > this.lastUpdateId + 1) {
      this.startOver();
      this.kept.push(delta);
      return "gap";
    }
    this.bids.update(delta.b);
    this.asks.update(delta.a);
    this.lastUpdateId = delta.u;
    return "applied";
  }

  /** Take a REST snapshot. False: it is older than the differences, so ask for another one. */
  load(snapshot) {
    const first = this.kept.find((delta) => delta.u > snapshot.lastUpdateId);
    if (first && first.U > snapshot.lastUpdateId + 1) return false;
    const waiting = this.kept;
    this.startOver();
    this.bids.update(snapshot.bids);
    this.asks.update(snapshot.asks);
    this.lastUpdateId = snapshot.lastUpdateId;
    return waiting.every((delta) => this.take(delta) !== "gap");
  }

  best() {
    return { bid: this.bids.best(), ask: this.asks.best() };
  }
}

/** The levels of one side, best first. */
export class Side {
  constructor(isBid) {
    this.isBid = isBid;
    this.sizes = new Map();
    this.prices = [];
  }

  update(levels) {
    for (const [priceText, sizeText] of levels) this.set(parse(priceText), parse(sizeText));
  }

  set(price, size) {
    if (price === null || size === null) return;
    const isKnown = this.sizes.has(price);
    if (size === 0n) {
      if (isKnown) this.prices.splice(this.placeOf(price), 1);
      this.sizes.delete(price);
      return;
    }
    if (!isKnown) this.prices.splice(this.placeOf(price), 0, price);
    this.sizes.set(price, size);
  }

  /** Where `price` is, or would be: binary search in best-first order. */
  placeOf(price) {
    let low = 0;
    let high = this.prices.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const isBefore = this.isBid ? this.prices[middle] > price : this.prices[middle] < price;
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  best() {
    return this.prices.length ? this.prices[0] : null;
  }

  /** The first `count` levels with running totals; prices gathered into steps of `step` if given. */
  levels(count, step = 0n) {
    const rows = [];
    let total = 0n;
    for (const price of this.prices) {
      const shown = step > 0n ? this.gather(price, step) : price;
      const size = this.sizes.get(price);
      const last = rows.at(-1);
      if (!last || last.price !== shown) {
        if (rows.length === count) break;
        rows.push({ price: shown, size: 0n, total });
      }
      total += size;
      rows.at(-1).size += size;
      rows.at(-1).total = total;
    }
    return rows;
  }

  /** Bids gather downwards and asks upwards, so a gathered level never looks better than it is. */
  gather(price, step) {
    const floor = price - (price % step);
    return this.isBid || floor === price ? floor : floor + step;
  }

  *walk() {
    for (const price of this.prices) yield { price, size: this.sizes.get(price) };
  }
}
