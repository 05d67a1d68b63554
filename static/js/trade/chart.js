/** The candle chart, with the volume under it and a line at each of your open orders. */
import { $, choice, perFrame, setText } from "../lib/dom.js";
import { plain } from "../lib/decimal.js";
import { token } from "../lib/theme.js";
import { Candles } from "./candles.js";
import { locale, t } from "../lib/words.js";

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(locale, { day: "2-digit", month: "short" });

export class Chart {
  constructor(market) {
    this.market = market;
    this.candles = new Candles();
    this.orderLines = new Map();
    this.span = 1;
    this.paintNewest = perFrame(() => this.drawNewest());
    this.interval = choice($("#intervals"), (minutes) => {
      this.span = Number(minutes);
      this.drawAll();
    });
    this.build();
    document.addEventListener("theme-changed", () => this.dress());
  }

  build() {
    const { createChart, CandlestickSeries, HistogramSeries } = window.LightweightCharts;
    this.chart = createChart($("#chart"), {
      autoSize: true,
      layout: { attributionLogo: false, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11 },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.22 } },
      timeScale: { borderVisible: false, timeVisible: true, rightOffset: 4, tickMarkFormatter: mark },
      crosshair: { mode: 0 },
      localization: {
        timeFormatter: (time) => `${DAY.format(time * 1000)} ${CLOCK.format(time * 1000)}`,
        priceFormatter: (price) => this.shown(price),
      },
    });
    const minMove = Number(plain(this.market.tick));
    this.bars = this.chart.addSeries(CandlestickSeries, {
      borderVisible: false,
      priceFormat: { type: "price", precision: this.market.pricePlaces, minMove },
    });
    this.volume = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    this.chart.subscribeCrosshairMove((move) => this.describe(move.seriesData.get(this.bars)));
    this.dress();
  }

  /** Put on the colours of the theme that is worn now. */
  dress() {
    const [text, line, up, down] = ["--muted", "--line", "--buy", "--sell"].map(token);
    const grid = { color: mixed(line, 0.55) };
    this.chart.applyOptions({
      layout: { background: { color: "transparent" }, textColor: text },
      grid: { vertLines: grid, horzLines: grid },
    });
    this.bars.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
    this.colors = { up: mixed(up, 0.35), down: mixed(down, 0.35), mine: token("--accent") };
    for (const orderLine of this.orderLines.values()) orderLine.applyOptions({ color: this.colors.mine });
    this.drawAll({ keepView: true });
  }

  load(rows) {
    this.candles.load(rows);
    this.drawAll();
  }

  take(kline) {
    this.candles.take(kline);
    this.paintNewest();
  }

  drawAll({ keepView = false } = {}) {
    const bars = this.candles.gathered(this.span);
    this.bars.setData(bars);
    this.volume.setData(bars.map((bar) => this.volumeOf(bar)));
    const isEmpty = bars.length === 0;
    $("#chart-notice").hidden = !isEmpty;
    if (isEmpty) return;
    if (!keepView) this.showNewest(bars.length);
    this.describe(bars.at(-1));
  }

  /** Show the newest 90 candles; of a young market all there are, without blowing them up. */
  showNewest(count) {
    const shown = Math.min(90, Math.max(count, 36));
    this.chart.timeScale().setVisibleLogicalRange({ from: count - shown, to: count + 4 });
  }

  drawNewest() {
    const bar = this.candles.newest(this.span);
    if (!bar) return;
    $("#chart-notice").hidden = true;
    this.bars.update(bar);
    this.volume.update(this.volumeOf(bar));
    this.describe(bar);
  }

  volumeOf(bar) {
    return { time: bar.time, value: bar.volume, color: bar.close >= bar.open ? this.colors.up : this.colors.down };
  }

  describe(bar) {
    const shown = bar ?? this.candles.newest(this.span);
    if (!shown) return;
    const [open, high, low, close] = [shown.open, shown.high, shown.low, shown.close].map((one) => this.shown(one));
    setText($("#chart-bar"), t("O {open}  H {high}  L {low}  C {close}", { open, high, low, close }));
  }

  shown(price) {
    const places = this.market.pricePlaces;
    return price.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
  }

  /** Draw a line at the price of each open limit order. */
  showOrders(orders) {
    const lines = orders.map((order) => [order, order.isWaiting ? order.trigger : order.price]);
    const wanted = new Map(lines.filter(([, at]) => at > 0n).map((line) => [`${line[0].id}@${line[1]}`, line]));
    for (const [id, line] of this.orderLines) {
      if (wanted.has(id)) continue;
      this.bars.removePriceLine(line);
      this.orderLines.delete(id);
    }
    for (const [id, [order, at]] of wanted) {
      if (this.orderLines.has(id)) continue;
      const title = lineTitle(order);
      const price = Number(plain(at));
      const options = { price, title, color: this.colors.mine, lineWidth: 1, lineStyle: 2, axisLabelVisible: true };
      this.orderLines.set(id, this.bars.createPriceLine(options));
    }
  }

  explain(text) {
    setText($("#chart-notice"), text);
  }
}

function lineTitle({ side, isWaiting }) {
  if (side === "BUY") return isWaiting ? t("your trigger to buy") : t("your buy");
  return isWaiting ? t("your trigger to sell") : t("your sell");
}

function mark(time, kind) {
  return kind <= 2 ? DAY.format(time * 1000) : CLOCK.format(time * 1000);
}

/** A token's colour (#rrggbb) with some of it let through. */
function mixed(hex, alpha) {
  return `${hex}${Math.round(alpha * 255).toString(16).padStart(2, "0")}`;
}
