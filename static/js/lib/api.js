/** Calls to the exchange's own public API. A refusal arrives as `ApiError` with the dialect's code and text. */
import { heard, t } from "./words.js";

export class ApiError extends Error {
  constructor(message, { code = 0, status = 0, retryAfter = null, data = null } = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
    this.data = data;
  }

  /** Whether the request may have happened all the same: no answer, a fault, or the dialect's -1007. */
  get isUnknown() {
    return this.status === 0 || (this.status >= 500 && this.status !== 503) || this.code === -1007;
  }

  get isSignedOut() {
    return this.status === 401 || this.code === -2015 || this.code === -2014;
  }

  /** Whether asking again would only hear the same. */
  get isFinal() {
    return this.status >= 400 && this.status < 500 && this.status !== 429;
  }
}

const TIMEOUT_MS = 8000;
const UPLOAD_TIMEOUT_MS = 60_000;

/** The trading dialect: parameters in the query (GET, DELETE) or as a form (POST). */
export function trading(method, path, params = {}) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value != null));
  const isBody = method === "POST" || method === "PUT";
  const url = isBody || ![...query].length ? path : `${path}?${query}`;
  return send(method, url, isBody ? query : undefined);
}

/** Everything under /api/v1 speaks JSON. */
export function call(method, path, body) {
  return send(method, path, body === undefined ? undefined : JSON.stringify(body), {
    "Content-Type": "application/json",
  });
}

/** A file, as multipart: it takes longer than anything else. */
export function upload(path, form) {
  return send("POST", path, form, {}, UPLOAD_TIMEOUT_MS);
}

async function send(method, url, body, headers = {}, timeout = TIMEOUT_MS) {
  let response;
  try {
    response = await fetch(url, {
      method,
      body,
      credentials: "same-origin",
      headers: { Accept: "application/json", ...headers, ...proof(method) },
      signal: AbortSignal.timeout(timeout),
    });
  } catch (error) {
    const isLate = error.name === "TimeoutError";
    throw new ApiError(isLate ? t("The exchange did not answer in time.") : t("The exchange cannot be reached."));
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw refusal(response, answer);
  return answer;
}

function proof(method) {
  if (method === "GET") return {};
  return { "X-CSRFToken": document.querySelector('meta[name="csrf-token"]')?.content ?? "" };
}

function refusal(response, answer) {
  const text = answer?.msg ?? answer?.message ?? answer?.detail ?? t("The exchange answered {status}.", { status: response.status });
  return new ApiError(heard(text), {
    code: answer?.code ?? 0,
    status: response.status,
    retryAfter: Number(response.headers.get("Retry-After")) || null,
    data: answer?.data ?? answer,
  });
}

/** A name for an order that no other order has: the client names its requests. */
export function newClientId(prefix = "web") {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return `${prefix}-${[...bytes].map((byte) => byte.toString(36).padStart(2, "0")).join("")}`;
}
