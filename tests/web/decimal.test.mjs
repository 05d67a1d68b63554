/** Exact decimals: what is typed is what is sent, and every rounding has its direction. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as decimal from "../../static/js/lib/decimal.js";

const { parse } = decimal;

test("what no float can hold comes back to the last digit", () => {
  for (const text of ["0.1", "0.3", "90071992547409.93", "0.000000000000000001", "123456789012345678.9"]) {
    assert.equal(decimal.plain(parse(text)), text);
  }
  assert.equal(parse("0.1") + parse("0.2"), parse("0.3"));
});

test("half-typed numbers are numbers, nonsense is none", () => {
  assert.equal(parse("12."), parse("12"));
  assert.equal(parse(".5"), parse("0.5"));
  for (const text of ["", ".", "1e5", "1,5", "0x1", "--1", "NaN", "١", "0.0000000000000000001", "9".repeat(70)]) {
    assert.equal(parse(text), null, text);
  }
});

test("a number is cut towards zero unless the caller says up", () => {
  assert.equal(decimal.format(parse("1.239"), 2), "1.23");
  assert.equal(decimal.format(parse("1.231"), 2, "up"), "1.24");
  assert.equal(decimal.format(parse("-1.239"), 2), "-1.23");
  assert.equal(decimal.format(parse("-1.231"), 2, "up"), "-1.24");
  assert.equal(decimal.format(parse("-0.001"), 2), "0.00");
  assert.equal(decimal.format(parse("5"), 0), "5");
});

test("people see thousands apart and no idle zeros", () => {
  assert.equal(decimal.grouped(parse("1234567.5"), 2), "1,234,567.50");
  assert.equal(decimal.readable(parse("1234.50000"), 8), "1,234.50");
  assert.equal(decimal.readable(parse("0.12345678"), 8), "0.12345678");
  assert.equal(decimal.readable(parse("3"), 8, 0), "3");
});

test("products and ratios round once, in the direction asked for", () => {
  assert.equal(decimal.multiply(parse("0.1"), parse("0.2")), parse("0.02"));
  assert.equal(decimal.ratio(parse("1"), parse("3")), parse("0.333333333333333333"));
  assert.equal(decimal.ratio(parse("1"), parse("3"), "up"), parse("0.333333333333333334"));
  assert.equal(decimal.ratio(parse("-1"), parse("3"), "up"), parse("-0.333333333333333334"));
});

test("steps", () => {
  const lot = parse("0.00010000");
  assert.equal(decimal.placesOf(lot), 4);
  assert.equal(decimal.placesOf(parse("10")), 0);
  assert.equal(decimal.floorTo(parse("0.00019"), lot), parse("0.0001"));
  assert.ok(decimal.isMultiple(parse("0.0003"), lot));
  assert.ok(!decimal.isMultiple(parse("0.00035"), lot));
});
