/**
 * Exact decimals. A value is a BigInt that counts units of 10^-18; no float comes near it.
 * Every rounding says its direction.
 */
export const PLACES = 18;
export const ONE = 10n ** BigInt(PLACES);

const PLAIN = /^(-?)(\d+)(?:\.(\d*))?$|^(-?)\.(\d+)$/;

/** Read a plain decimal string ("0.015", "12.", ".5"); null when it is none or too fine. */
export function parse(text) {
  const trimmed = String(text ?? "").trim();
  const match = trimmed.length <= 60 ? PLAIN.exec(trimmed) : null;
  if (!match) return null;
  const sign = match[1] || match[4];
  const whole = match[2] ?? "0";
  const fraction = (match[3] ?? match[5] ?? "").replace(/0+$/, "");
  if (fraction.length > PLACES) return null;
  const units = BigInt(whole + fraction.padEnd(PLACES, "0"));
  return sign ? -units : units;
}

/** Write `value` with exactly `places` decimals, rounded towards zero ("down") or away from it ("up"). */
export function format(value, places, rounding = "down") {
  const negative = value < 0n;
  const step = 10n ** BigInt(PLACES - places);
  const magnitude = negative ? -value : value;
  const kept = divide(magnitude, step, rounding);
  const digits = kept.toString().padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const text = places ? `${whole}.${digits.slice(-places)}` : whole;
  return negative && kept > 0n ? `-${text}` : text;
}

/** Write all of `value`, without zeros at the end: what the API is sent. */
export function plain(value) {
  return format(value, PLACES).replace(/\.?0+$/, "");
}

/** The same as `format`, for people: thousands apart. */
export function grouped(value, places, rounding = "down") {
  const [whole, fraction] = format(value, places, rounding).split(".");
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? spaced : `${spaced}.${fraction}`;
}

/** For people: at most `places` decimals, at least `least`, no idle zeros. */
export function readable(value, places, least = 2) {
  const text = grouped(value, places);
  if (!text.includes(".")) return text;
  const [whole, fraction] = text.split(".");
  const kept = fraction.replace(/0+$/, "").padEnd(least, "0");
  return kept ? `${whole}.${kept}` : whole;
}

export function multiply(a, b, rounding = "down") {
  return divide(a * b, ONE, rounding);
}

export function ratio(a, b, rounding = "down") {
  return divide(a * ONE, b, rounding);
}

/** Cut `value` down to a whole number of `step`s. */
export function floorTo(value, step) {
  return step > 0n ? value - (value % step) : value;
}

export function isMultiple(value, step) {
  return step <= 0n || value % step === 0n;
}

/** How many decimals a step such as "0.01000000" has. */
export function placesOf(step) {
  const [, fraction = ""] = plain(step).split(".");
  return fraction.length;
}

export function least(a, b) {
  return a < b ? a : b;
}

export function most(a, b) {
  return a > b ? a : b;
}

function divide(value, by, rounding) {
  const quotient = value / by;
  if (rounding === "down" || value % by === 0n) return quotient;
  return value < 0n === by < 0n ? quotient + 1n : quotient - 1n;
}
