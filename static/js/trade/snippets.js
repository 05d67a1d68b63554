/** The order on the ticket as code: what the page does, anybody can do with an API key. */
import { $, choice, closable, setText } from "../lib/dom.js";
import { toast } from "../lib/toast.js";
import { LIST } from "./asks.js";
import { t } from "../lib/words.js";

export class Snippets {
  /** `order()` returns the ticket's request in the dialect, with placeholders for what is empty. */
  constructor(market, order) {
    this.market = market;
    this.order = order;
    this.dialog = $("#snippet");
    closable(this.dialog);
    this.language = choice($(".segments", this.dialog), () => this.draw());
    $("#snippet-copy").addEventListener("click", () => this.copy());
  }

  open(language) {
    this.language.set(language, { silent: true });
    this.draw();
    this.dialog.showModal();
  }

  draw() {
    const write = this.language.value === "curl" ? asCurl : asCcxt;
    setText($("#snippet-code"), write(this.order(), this.market, location.origin));
  }

  async copy() {
    try {
      await navigator.clipboard.writeText($("#snippet-code").textContent);
      toast(t("Copied"), t("Put in your API key and secret."), "good");
    } catch {
      getSelection().selectAllChildren($("#snippet-code"));
      toast(t("Selected"), t("Your browser does not let pages copy: press Ctrl-C."));
    }
  }
}

export function asCurl({ path, parameters }, _market, origin) {
  const query = Object.entries(parameters).map(([name, value]) => `${name}=${value}`).join("&");
  const name = path === LIST ? "listClientOrderId" : "newClientOrderId";
  return `KEY=your-api-key
SECRET=your-api-secret

Q="${query}&${name}=my-$(date +%s%N)&timestamp=$(date +%s%3N)"
SIGNATURE=$(printf %s "$Q" | openssl dgst -sha256 -hmac "$SECRET" | sed 's/^.* //')
curl -sS -X POST "${origin}${path}" \\
  -H "X-MBX-APIKEY: $KEY" -d "$Q&signature=$SIGNATURE"
`;
}

export function asCcxt({ path, parameters }, market, origin) {
  const act = path === LIST ? listAct(parameters) : orderAct(parameters, market);
  return `import ccxt

exchange = ccxt.binance({"apiKey": "your-api-key", "secret": "your-api-secret"})
for name, url in exchange.urls["api"].items():  # The same client, another exchange.
    if isinstance(url, str):
        path = "/" + url.split("/", 3)[3] if url.count("/") > 2 else ""
        exchange.urls["api"][name] = "${origin}" + path

${act}`;
}

function orderAct(order, market) {
  const isBudget = order.quoteOrderQty !== undefined;
  const extra = {};
  if (order.type === "LIMIT_MAKER") extra.postOnly = true;
  if (order.timeInForce && order.timeInForce !== "GTC") extra.timeInForce = order.timeInForce;
  if (isBudget) extra.quoteOrderQty = order.quoteOrderQty;
  if (order.type === "STOP_LOSS_LIMIT") extra.stopLossPrice = order.stopPrice;
  if (order.type === "TAKE_PROFIT_LIMIT") extra.takeProfitPrice = order.stopPrice;
  const kind = order.type === "MARKET" ? "market" : "limit";
  const size = isBudget ? "None" : `"${order.quantity}"`;
  const price = order.price ? `"${order.price}"` : "None";
  return `order = exchange.create_order(
    "${market.base}/${market.quote}", "${kind}", "${order.side.toLowerCase()}", ${size}, ${price}, ${asPython(extra)}
)
print(order["id"], order["status"], "receipt:", order["info"]["journalHash"])
`;
}

function listAct(parameters) {
  return `both = exchange.private_post_orderlist_oco(${asPython(parameters)})
print(both["orderListId"], both["listOrderStatus"], "receipt:", both["journalHash"])
`;
}

function asPython(values) {
  return JSON.stringify(values).replaceAll("true", "True").replaceAll(":", ": ").replaceAll(",", ", ");
}
