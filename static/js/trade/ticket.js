/** The order ticket. It helps and warns; the exchange decides. Every number stays an exact decimal. */
import { newClientId, trading } from "../lib/api.js";
import { floorTo, grouped, isMultiple, most, parse, plain, ratio, readable } from "../lib/decimal.js";
import { $, choice, perFrame, setText } from "../lib/dom.js";
import { toast, toastError } from "../lib/toast.js";
import { showOrderTime } from "../lib/trust.js";
import { LIST, costOf, requestOf, triggerProblem } from "./asks.js";
import { estimate } from "./estimate.js";
import { heard, t } from "../lib/words.js";

const LOOKUPS = 12;
const LOOKUP_MS = 500;
const FIELDS = ["price", "size", "trigger", "stop"];

export class Ticket {
  constructor(market, account, book) {
    Object.assign(this, { market, account, book, last: null, isLive: false, isBusy: false });
    this.form = $("#ticket");
    this.inputs = { price: $("#price"), size: $("#size"), share: $("#share"), tif: $("#tif") };
    Object.assign(this.inputs, { trigger: $("#trigger"), stop: $("#stop-price") });
    this.paint = perFrame(() => this.draw());
    this.side = choice($("#side"), () => this.turned());
    this.kind = choice($("#kind"), () => this.turned());
    for (const unit of this.form.querySelectorAll('[data-unit="quote"]')) setText(unit, market.quote);
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.form.addEventListener("input", (event) => this.typed(event));
    this.form.addEventListener("click", (event) => this.clicked(event));
    for (const name of ["price", "trigger", "stop"]) {
      this.inputs[name].addEventListener("keydown", (event) => this.stepped(event, name));
    }
    this.draw();
  }

  // -- what the person says

  get isBudget() {
    return this.kind.value === "MARKET" && this.side.value === "BUY";
  }

  get order() {
    const { kind, side, inputs } = this;
    const amount = parse(inputs.size.value);
    return {
      side: side.value,
      kind: kind.value,
      price: kind.value === "MARKET" ? null : parse(inputs.price.value),
      size: this.isBudget ? null : amount,
      budget: this.isBudget ? amount : null,
      trigger: parse(inputs.trigger.value),
      stop: inputs.stop.value ? (parse(inputs.stop.value) ?? 0n) : null,
      isPostOnly: kind.value === "LIMIT" && inputs.tif.value === "POST",
    };
  }

  /** The order in the dialect's words; empty fields get an example's value when `example` is set. */
  request({ example = false } = {}) {
    const { order } = this;
    const usual = example ? (this.book.best().bid ?? this.market.tick) : 0n;
    return requestOf({
      ...order,
      symbol: this.market.id,
      tif: this.inputs.tif.value,
      isBudget: this.isBudget,
      amount: order.budget ?? order.size ?? (example ? this.market.minSize : 0n),
      price: order.price ?? usual,
      trigger: order.trigger ?? usual,
      last: this.last,
    });
  }

  /** Learn the market's last price: it says from which side a trigger is reached. */
  showLast(price) {
    this.last = price;
  }

  typed(event) {
    if (event.target === this.inputs.share) this.setShare(BigInt(event.target.value));
    else if (event.target === this.inputs.size) this.inputs.share.value = "0";
    this.draw();
  }

  clicked(event) {
    const share = event.target.closest("[data-share]");
    const step = event.target.closest("[data-step]");
    if (share) {
      this.inputs.share.value = share.dataset.share;
      this.setShare(BigInt(share.dataset.share));
    }
    if (step) this.step(BigInt(step.dataset.step));
    this.draw();
  }

  stepped(event, name) {
    const by = { ArrowUp: 1n, ArrowDown: -1n }[event.key];
    if (!by) return;
    event.preventDefault();
    this.step(event.shiftKey ? by * 100n : by, name);
    this.draw();
  }

  step(by, name = "price") {
    const price = parse(this.inputs[name].value) ?? this.book.best().bid ?? 0n;
    this.setPrice(most(this.market.tick, floorTo(price, this.market.tick) + by * this.market.tick), name);
  }

  /** Take a price, and a size if there is one, from the ladder. */
  take({ price, size }) {
    if (this.kind.value === "MARKET") this.kind.set("LIMIT");
    this.setPrice(price);
    if (size !== null) this.inputs.size.value = plain(size);
    this.draw();
  }

  setPrice(price, name = "price") {
    this.inputs[name].value = grouped(price, this.market.pricePlaces).replaceAll(",", "");
  }

  /** Fill the size with a share of what is available. */
  setShare(percent) {
    const { base, quote, lot } = this.market;
    const share = (asset) => (this.account.free(asset) * percent) / 100n;
    let amount = 0n;
    if (this.side.value === "SELL") amount = floorTo(share(base), lot);
    else if (this.isBudget) amount = floorTo(share(quote), parse("0.01"));
    else {
      const price = parse(this.inputs.price.value) ?? this.book.best().ask;
      if (price) amount = floorTo(ratio(share(quote), price), lot);
    }
    this.inputs.size.value = amount ? plain(amount) : "";
  }

  turned() {
    this.inputs.size.value = "";
    this.inputs.share.value = "0";
    this.draw();
  }

  // -- what the ticket says

  draw() {
    const { base, quote } = this.market;
    const isBuy = this.side.value === "BUY";
    const kind = this.kind.value;
    $("#price-field").hidden = kind === "MARKET";
    $("#trigger-field").hidden = kind !== "STOP" && kind !== "OCO";
    $("#stop-field").hidden = kind !== "OCO";
    $("#tif-field").hidden = kind === "MARKET" || kind === "OCO";
    this.inputs.tif.querySelector('[value="POST"]').hidden = kind !== "LIMIT";
    setText($("#trigger-name"), kind === "OCO" ? t("Stop") : t("Trigger"));
    setText($("#size-name"), this.isBudget ? t("Spend") : t("Size"));
    setText($("#size-unit"), this.isBudget ? quote : base);
    const spent = isBuy ? quote : base;
    const isKnown = this.account.isLoaded;
    setText($("#available"), isKnown ? `${readable(this.account.free(spent), 8)} ${spent}` : "–");
    const share = this.inputs.share.value;
    this.inputs.share.setAttribute("aria-valuetext", t("{share} % of your balance", { share }));
    const { bid, ask } = this.book.best();
    const near = isBuy ? bid : ask;
    this.inputs.price.placeholder = near ? plain(near) : "";
    this.drawEstimate(isBuy);
    this.drawSubmit(isBuy);
    this.drawMessage();
  }

  drawEstimate(isBuy) {
    const { base, quote } = this.market;
    const found = estimate(this.order, { book: this.book, rates: this.account.rates, lot: this.market.lot });
    const received = isBuy ? base : quote;
    const about = this.kind.value === "MARKET" ? "≈ " : "";
    const amount = (value, asset) => (found ? `${about}${readable(value, 8)} ${asset}` : "–");
    setText($("#cost-name"), isBuy ? t("You pay") : t("You sell"));
    setText($("#cost"), isBuy ? amount(found?.cost, quote) : amount(found?.size, base));
    setText($("#fee-name"), this.order.isPostOnly ? t("Fee (maker)") : t("Fee, at most"));
    setText($("#fee"), amount(found?.fee, received));
    setText($("#receive"), amount(found?.receive, received));
    $("#average-row").hidden = this.kind.value !== "MARKET";
    setText($("#average"), found ? `≈ ${grouped(found.average, this.market.pricePlaces)} ${quote}` : "–");
    this.isWhole = found?.isWhole ?? true;
  }

  drawSubmit(isBuy) {
    const button = $("#submit");
    if (!button) return;
    button.disabled = !this.isLive || this.isBusy;
    button.className = `button big wide ${isBuy ? "side-buy" : "side-sell"}`;
    setText(button, this.isBusy ? t("Sending…") : submitWord(isBuy, this.market.base));
  }

  drawMessage(problem = null) {
    const message = $("#ticket-message");
    const shown = problem ?? (this.inputs.size.value || this.inputs.price.value ? this.problem({ isTyping: true }) : null);
    message.className = shown ? "message" : "message hint";
    setText(message, shown?.text ?? this.hint());
    for (const name of FIELDS) {
      this.inputs[name].toggleAttribute("aria-invalid", false);
      if (shown?.field === name) this.inputs[name].setAttribute("aria-invalid", "true");
    }
  }

  hint() {
    if ($("#submit") && !this.isLive) return t("Prices are not live: orders wait until they are.");
    if (this.kind.value === "OCO") return t("Two orders: when one trades or is set off, the other ends.");
    if (this.kind.value === "STOP") return t("It waits, with its cost held, until the last price reaches the trigger.");
    return this.isWhole ? "" : t("The book is thinner than this order; what is left over expires.");
  }

  /** The first thing that is wrong, or null. A courtesy: the exchange checks everything again. */
  problem({ isTyping = false } = {}) {
    const { tick, lot, minSize, minNotional, base, quote } = this.market;
    const { order } = this;
    const { side, kind, price, size, budget } = order;
    const wrong = (field, text) => ({ field, text });
    const isMissing = (field) => isTyping && !this.inputs[field].value;
    if (kind !== "MARKET" && !isMissing("price")) {
      if (!price || price <= 0n) return wrong("price", t("Enter a price."));
      if (!isMultiple(price, tick)) return wrong("price", t("Prices move in steps of {step}.", { step: `${plain(tick)} ${quote}` }));
    }
    const atTrigger = triggerProblem(order, { tick, quote, isTyped: isMissing("trigger") });
    if (atTrigger) return atTrigger;
    if (isMissing("size")) return null;
    const amount = this.isBudget ? budget : size;
    if (!amount || amount <= 0n) return wrong("size", this.isBudget ? t("Enter what to spend.") : t("Enter a size."));
    if (size && !isMultiple(size, lot)) return wrong("size", t("Sizes come in steps of {step}.", { step: `${plain(lot)} ${base}` }));
    if (size && size < minSize) return wrong("size", t("The smallest order is {size}.", { size: `${plain(minSize)} ${base}` }));
    const cost = costOf(order);
    if (cost !== null && cost < minNotional) return wrong("size", t("Orders start at {value}.", { value: `${plain(minNotional)} ${quote}` }));
    const [needed, asset] = side === "BUY" ? [cost, quote] : [size, base];
    const isPayable = needed === null || !this.account.isLoaded || needed <= this.account.free(asset);
    return isPayable ? null : wrong("size", t("You have {amount} available.", { amount: `${readable(this.account.free(asset), 8)} ${asset}` }));
  }

  setLive(isLive) {
    this.isLive = isLive;
    this.draw();
  }

  // -- the order goes out

  async submit(event) {
    event.preventDefault();
    if (!this.isLive || this.isBusy || !$("#submit")) return;
    const problem = this.problem();
    if (problem) {
      this.drawMessage(problem);
      this.inputs[problem.field].focus();
      return;
    }
    const clientId = newClientId();
    const { path, parameters } = this.request();
    const named = path === LIST ? { listClientOrderId: clientId } : { newClientOrderId: clientId };
    this.setBusy(true);
    const startedAt = performance.now();
    try {
      const answer = await trading("POST", path, { ...parameters, ...named, newOrderRespType: "FULL", timestamp: Date.now() });
      showOrderTime(performance.now() - startedAt);
      this.accepted(answer);
    } catch (error) {
      if (error.isUnknown) await this.findOut(path, clientId);
      else toastError(t("Order refused"), error);
    } finally {
      this.setBusy(false);
    }
  }

  setBusy(isBusy) {
    this.isBusy = isBusy;
    this.draw();
  }

  accepted(answer) {
    this.inputs.size.value = "";
    this.inputs.share.value = "0";
    if (answer.contingencyType) {
      for (const report of answer.orderReports ?? []) this.account.placed(report);
      toast(t("Both orders placed"), t("When one trades or is set off, the other ends · list #{id}", { id: answer.orderListId }), "good");
      return;
    }
    this.account.placed(answer);
    const words = { FILLED: t("Order filled"), PARTIALLY_FILLED: t("Order part filled"), NEW: t("Order placed") };
    const title = words[answer.status] ?? t("Order {state}", { state: heard(String(answer.status ?? "accepted").toLowerCase()) });
    toast(title, `${this.told(answer)} · #${answer.orderId}`, answer.status in words ? "good" : "info");
  }

  told(answer) {
    const [filled, size, value, price] = ["executedQty", "origQty", "cummulativeQuoteQty", "price"].map(
      (name) => parse(answer[name]) ?? 0n,
    );
    const isBuy = answer.side === "BUY";
    const amount = (one) => readable(one, 8, 0);
    const shown = (one) => grouped(one, this.market.pricePlaces);
    const trigger = parse(answer.stopPrice ?? "");
    const waits = trigger && answer.workingTime === -1 ? t(", once {price} is reached", { price: shown(trigger) }) : "";
    if (!filled) {
      const terms = { amount: `${amount(size)} ${this.market.base}`, price: shown(price) };
      return `${isBuy ? t("Buy {amount} at {price}", terms) : t("Sell {amount} at {price}", terms)}${waits}`;
    }
    const isWhole = filled === size || !size;
    const part = isWhole ? amount(filled) : t("{part} of {whole}", { part: amount(filled), whole: amount(size) });
    const done = { amount: `${part} ${this.market.base}`, price: shown(ratio(value, filled)) };
    return isBuy ? t("Buy {amount} at {price} on average", done) : t("Sell {amount} at {price} on average", done);
  }

  /** No answer is no refusal: ask by the client id until the order's fate is known. */
  async findOut(path, clientId) {
    toast(t("No answer yet"), t("Asking the exchange what became of the order…"));
    for (let tries = 0; tries < LOOKUPS; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, LOOKUP_MS));
      try {
        const query = { origClientOrderId: clientId, timestamp: Date.now() };
        if (path === LIST) this.accepted(await trading("GET", "/api/v3/orderList", query));
        else this.accepted(await trading("GET", "/api/v3/order", { ...query, symbol: this.market.id }));
        return;
      } catch (error) {
        if ((error.code === -2013 || error.code === -2018) && tries > 2) {
          toast(t("Not placed"), t("The exchange has no such order. Nothing happened."), "bad");
          return;
        }
      }
    }
    toast(t("Still unknown"), t("Look for client id {id} among your orders before you try again.", { id: clientId }), "bad");
  }
}

function submitWord(isBuy, asset) {
  return isBuy ? t("Buy {asset}", { asset }) : t("Sell {asset}", { asset });
}
