/** Passkeys: the browser's own dialog, between what the API asks and what it takes. */
import { call } from "./api.js";
import { t } from "./words.js";

const ASK_SESSION = "/api/v1/session/passkey";
const ASK_ACCOUNT = "/api/v1/account/factors/passkeys";
const QUIET = new Set(["NotAllowedError", "AbortError"]);

export const canPasskeys = Boolean(globalThis.PublicKeyCredential && navigator.credentials);

/** Show a passkey: it logs in, completes a log-in, or confirms that it is still you. */
export async function showPasskey() {
  const { public_key: asked } = await call("POST", `${ASK_SESSION}/options`);
  const publicKey = { ...asked, challenge: bytes(asked.challenge), allowCredentials: known(asked.allowCredentials) };
  const shown = await quietly(navigator.credentials.get({ publicKey }));
  return call("POST", ASK_SESSION, { credential: written(shown) });
}

/** Make a passkey in this browser; resolves to { recovery_codes }. */
export async function addPasskey(name) {
  const { public_key: asked } = await call("POST", `${ASK_ACCOUNT}/options`);
  const publicKey = {
    ...asked,
    challenge: bytes(asked.challenge),
    user: { ...asked.user, id: bytes(asked.user.id) },
    excludeCredentials: known(asked.excludeCredentials),
  };
  const made = await quietly(navigator.credentials.create({ publicKey }));
  return call("POST", ASK_ACCOUNT, { name, credential: written(made) });
}

/** Say in words that the browser's dialog was closed, or found nothing. */
async function quietly(dialog) {
  try {
    return await dialog;
  } catch (error) {
    if (error.name === "InvalidStateError") throw new Error(t("This device has a passkey of yours already."));
    if (QUIET.has(error.name)) throw new Error(t("No passkey was shown. Try again, or use something else."));
    throw error;
  }
}

function known(list) {
  return (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
}

/** Write a credential in WebAuthn's own JSON. */
function written(credential) {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const told = Object.fromEntries(parts.filter((name) => response[name]).map((name) => [name, text(response[name])]));
  if (response.getTransports) told.transports = response.getTransports();
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: told,
  };
}

export function bytes(words) {
  const plain = atob(words.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

export function text(buffer) {
  const plain = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return plain.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
