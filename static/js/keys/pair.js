/** An Ed25519 pair that is made in the browser: its private half never leaves it. */
import { t } from "../lib/words.js";

export class NoPairs extends Error {}

/** Make a pair: { publicKey, privateKey }, both in PEM. */
export async function makePair(subtle = globalThis.crypto?.subtle) {
  let pair;
  try {
    pair = await subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]);
  } catch {
    throw new NoPairs(t("This browser cannot make Ed25519 keys. Make a pair with openssl, and give its public half."));
  }
  const [open, secret] = await Promise.all([
    subtle.exportKey("spki", pair.publicKey),
    subtle.exportKey("pkcs8", pair.privateKey),
  ]);
  return { publicKey: pem("PUBLIC KEY", open), privateKey: pem("PRIVATE KEY", secret) };
}

export function pem(name, buffer) {
  const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  const lines = text.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${name}-----\n${lines.join("\n")}\n-----END ${name}-----\n`;
}

/** Split what a person typed into words: addresses with commas, spaces or lines between them. */
export function words(text) {
  return text.split(/[\s,;]+/).filter(Boolean);
}
