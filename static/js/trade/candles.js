/** One-minute candles, kept in order, and gathered into longer ones for the chart. */
const KEPT_MAX = 1500;

export class Candles {
  constructor() {
    this.minutes = [];
  }

  /** Take REST klines: [openTime, open, high, low, close, volume, …], oldest first. */
  load(rows) {
    this.minutes = rows.map(([at, open, high, low, close, volume]) => minute(at, open, high, low, close, volume));
  }

  /** Take a stream's kline. The same minute again replaces it; an older one than the last is late. */
  take(kline) {
    const next = minute(kline.t, kline.o, kline.h, kline.l, kline.c, kline.v);
    const last = this.minutes.at(-1);
    if (last && next.time < last.time) return;
    if (last && next.time === last.time) this.minutes.pop();
    this.minutes.push(next);
    if (this.minutes.length > KEPT_MAX) this.minutes.shift();
  }

  /** All candles of `span` minutes. */
  gathered(span) {
    const bars = [];
    for (const one of this.minutes) {
      const time = bucket(one.time, span);
      const last = bars.at(-1);
      if (last?.time === time) extend(last, one);
      else bars.push({ ...one, time });
    }
    return bars;
  }

  /** The newest candle of `span` minutes, without building the others. */
  newest(span) {
    const last = this.minutes.at(-1);
    if (!last) return null;
    const time = bucket(last.time, span);
    let from = this.minutes.length - 1;
    while (from > 0 && bucket(this.minutes[from - 1].time, span) === time) from -= 1;
    const bar = { ...this.minutes[from], time };
    for (const one of this.minutes.slice(from + 1)) extend(bar, one);
    return bar;
  }
}

/** A chart draws pixels, so these are plain numbers; nothing is paid with them. */
function minute(atMs, open, high, low, close, volume) {
  const [o, h, l, c, v] = [open, high, low, close, volume].map(Number);
  return { time: Math.floor(atMs / 1000), open: o, high: h, low: l, close: c, volume: v };
}

function bucket(time, span) {
  return time - (time % (span * 60));
}

function extend(bar, one) {
  bar.high = Math.max(bar.high, one.high);
  bar.low = Math.min(bar.low, one.low);
  bar.close = one.close;
  bar.volume += one.volume;
}
