/** The book in the browser: snapshot + differences = the exchange's book, and a gap starts over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, plain } from "../../static/js/lib/decimal.js";
import { DepthBook } from "../../static/js/lib/depthbook.js";

const delta = (U, u, b = [], a = []) => ({ U, u, b, a });
const shown = (side, count = 10) => side.levels(count).map(({ price, size }) => `${plain(size)}@${plain(price)}`);

test("differences that came before the snapshot are applied after it, and what it contains is dropped", () => {
  const book = new DepthBook();
  assert.equal(book.take(delta(95, 100, [["10.0", "9"]])), "kept");
  assert.equal(book.take(delta(101, 103, [["9.5", "2"]])), "kept");

  assert.ok(book.load({ lastUpdateId: 100, bids: [["10.0", "1"]], asks: [["11.0", "4"]] }));

  assert.deepEqual(shown(book.bids), ["1@10", "2@9.5"]);
  assert.equal(book.lastUpdateId, 103);
});

test("the first difference may start inside the snapshot", () => {
  const book = new DepthBook();
  book.take(delta(98, 102, [["10.0", "7"]]));
  assert.ok(book.load({ lastUpdateId: 100, bids: [["10.0", "1"]], asks: [] }));
  assert.deepEqual(shown(book.bids), ["7@10"]);
});

test("a snapshot older than the differences is refused, and they wait for the next one", () => {
  const book = new DepthBook();
  book.take(delta(105, 106, [["10.0", "2"]]));
  assert.ok(!book.load({ lastUpdateId: 100, bids: [], asks: [] }));
  assert.ok(!book.isReady);
  assert.ok(book.load({ lastUpdateId: 105, bids: [["10.0", "1"]], asks: [] }));
  assert.deepEqual(shown(book.bids), ["2@10"]);
});

test("after a gap nothing is shown until a new snapshot, and the difference behind the gap is kept", () => {
  const book = new DepthBook();
  book.load({ lastUpdateId: 100, bids: [["10", "1"]], asks: [] });
  assert.equal(book.take(delta(101, 101, [["10", "2"]])), "applied");
  assert.equal(book.take(delta(101, 101, [["10", "99"]])), "old");

  assert.equal(book.take(delta(103, 104, [["9", "5"]])), "gap");

  assert.ok(!book.isReady);
  assert.deepEqual(shown(book.bids), []);
  assert.ok(book.load({ lastUpdateId: 102, bids: [["10", "3"]], asks: [] }));
  assert.deepEqual(shown(book.bids), ["3@10", "5@9"]);
});

test("a size of zero takes the level away", () => {
  const book = new DepthBook();
  book.load({ lastUpdateId: 1, bids: [], asks: [["11", "1"], ["12", "2"]] });
  book.take(delta(2, 2, [], [["11.00", "0.000"], ["13", "0"]]));
  assert.deepEqual(shown(book.asks), ["2@12"]);
  assert.equal(book.best().ask, parse("12"));
  assert.equal(book.best().bid, null);
});

test("gathered levels never look better than they are", () => {
  const book = new DepthBook();
  book.load({ lastUpdateId: 1, bids: [["10.9", "1"], ["10.1", "2"]], asks: [["11.1", "1"], ["11.9", "2"], ["12", "4"]] });
  const [bid] = book.bids.levels(5, parse("1"));
  const [ask] = book.asks.levels(5, parse("1"));
  assert.deepEqual([plain(bid.price), plain(bid.total)], ["10", "3"]);
  assert.deepEqual([plain(ask.price), plain(ask.total)], ["12", "7"]);
});

test("a random day: snapshot and differences give the book that the exchange has", () => {
  let state = 7;
  const dice = (sides) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state % sides;
  };
  const truth = { bids: new Map(), asks: new Map() };
  const book = new DepthBook();
  const rows = (side) => [...truth[side]].map(([price, size]) => [String(price), String(size)]);
  for (let id = 1; id <= 3000; id += 1) {
    const side = dice(2) ? "bids" : "asks";
    const price = (side === "bids" ? 900 : 1000) + dice(90);
    const size = dice(3) ? dice(500) + 1 : 0;
    if (size) truth[side].set(price, size);
    else truth[side].delete(price);
    const change = [[`${price}.00`, String(size)]];
    const result = book.take(side === "bids" ? delta(id, id, change) : delta(id, id, [], change));
    if (result === "kept" && dice(20) === 0) book.load({ lastUpdateId: id, bids: rows("bids"), asks: rows("asks") });
    if (book.isReady && dice(400) === 0) book.startOver();
  }
  book.startOver();
  book.load({ lastUpdateId: 3000, bids: rows("bids"), asks: rows("asks") });
  const sorted = [...truth.bids].sort(([a], [b]) => b - a).map(([price, size]) => `${size}@${price}`);
  assert.deepEqual(shown(book.bids, 1000), sorted);
});
