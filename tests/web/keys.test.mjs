import assert from "node:assert/strict";
import { createPublicKey, createPrivateKey, sign, verify } from "node:crypto";
import { test } from "node:test";

import { makePair, NoPairs, words } from "../../static/js/keys/pair.js";

test("a pair that is made here signs and is checked as anybody's", async () => {
  const { publicKey, privateKey } = await makePair();

  const signature = sign(null, Buffer.from("these bytes"), createPrivateKey(privateKey));

  assert.ok(verify(null, Buffer.from("these bytes"), createPublicKey(publicKey), signature));
  assert.ok(privateKey.length <= 120, "clients of the dialect tell Ed25519 from RSA by its length");
});

test("two pairs are not the same", async () => {
  assert.notEqual((await makePair()).privateKey, (await makePair()).privateKey);
});

test("a browser that knows no Ed25519 says so", async () => {
  const old = { generateKey: () => Promise.reject(new Error("NotSupportedError")) };
  await assert.rejects(makePair(old), NoPairs);
});

test("addresses may stand in lines, with commas or spaces", () => {
  assert.deepEqual(words("192.0.2.1, 192.0.2.0/24\n 2001:db8::/48;\n"), ["192.0.2.1", "192.0.2.0/24", "2001:db8::/48"]);
  assert.deepEqual(words(" \n"), []);
});
