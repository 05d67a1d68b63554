/** What the ticket promises about cost and fees. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, plain } from "../../static/js/lib/decimal.js";
import { DepthBook } from "../../static/js/lib/depthbook.js";
import { estimate } from "../../static/js/trade/estimate.js";

const rates = { maker: parse("0.001"), taker: parse("0.0015") };
const lot = parse("0.0001");

function bookOf(asks, bids = []) {
  const book = new DepthBook();
  book.load({ lastUpdateId: 1, asks, bids });
  return book;
}

test("a limit buy costs price times size, and its fee comes out of what is bought", () => {
  const order = { side: "BUY", kind: "LIMIT", price: parse("50000"), size: parse("0.01") };
  const found = estimate(order, { book: bookOf([]), rates, lot });
  assert.equal(plain(found.cost), "500");
  assert.equal(plain(found.fee), "0.000015");
  assert.equal(plain(found.receive), "0.009985");
});

test("post-only pays the maker's rate, and a fee rounds up to the smallest unit", () => {
  const order = { side: "SELL", kind: "LIMIT", price: parse("33.33"), size: parse("0.0001"), isPostOnly: true };
  const found = estimate(order, { book: bookOf([]), rates, lot });
  assert.equal(plain(found.cost), "0.003333");
  assert.equal(plain(found.fee), "0.00000334");
});

test("a market buy walks the asks with its budget, in whole lots", () => {
  const order = { side: "BUY", kind: "MARKET", budget: parse("1000") };
  const found = estimate(order, { book: bookOf([["100", "2"], ["300", "5"]]), rates, lot });
  assert.equal(plain(found.size), "4.6666");
  assert.equal(plain(found.cost), "999.98");
  assert.ok(found.isWhole);
});

test("a market sell larger than the book says so", () => {
  const order = { side: "SELL", kind: "MARKET", size: parse("9") };
  const found = estimate(order, { book: bookOf([], [["100", "2"]]), rates, lot });
  assert.equal(plain(found.cost), "200");
  assert.ok(!found.isWhole);
});

test("nothing to count is null", () => {
  const book = bookOf([]);
  assert.equal(estimate({ side: "BUY", kind: "LIMIT", price: null, size: parse("1") }, { book, rates, lot }), null);
  assert.equal(estimate({ side: "BUY", kind: "MARKET", budget: parse("5") }, { book, rates, lot }), null);
});
