/**
 * A WebSocket that comes back by itself (backoff with chance) and knows when it is stale:
 * no message for 3 s, or no connection. The exchange says the time once a second, so silence
 * means trouble and never a quiet market.
 */
export const STALE_MS = 3000;
const DEAD_MS = 10000;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8000;

export class Feed {
  /** `onOpen` runs on each connection: read snapshots there. `onState` gets "connecting" | "live" | "stale". */
  constructor(path, { onMessage, onOpen = () => {}, onState = () => {}, beats = true }) {
    this.path = path;
    this.handlers = { onMessage, onOpen, onState };
    this.beats = beats;
    this.state = "connecting";
    this.tries = 0;
    this.heardAt = 0;
    this.socket = null;
  }

  start() {
    this.connect();
    setInterval(() => this.watch(), 250);
    // A laptop that wakes up, a network that is back: try at once.
    addEventListener("online", () => this.socket ?? this.connect());
  }

  connect() {
    clearTimeout(this.timer);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.path}`);
    this.socket = socket;
    this.openedAt = performance.now();
    socket.addEventListener("open", () => {
      this.hear();
      this.handlers.onOpen();
    });
    socket.addEventListener("message", (event) => {
      if (socket !== this.socket) return;
      this.tries = 0;
      this.hear();
      this.handlers.onMessage(JSON.parse(event.data));
    });
    socket.addEventListener("close", () => this.lose(socket));
  }

  hear() {
    this.heardAt = performance.now();
    this.become("live");
  }

  watch() {
    if (!this.socket) return;
    const isOpen = this.socket.readyState === WebSocket.OPEN;
    const silence = performance.now() - Math.max(this.heardAt, this.openedAt);
    if (isOpen && this.beats && silence > STALE_MS) this.become("stale");
    if ((!isOpen || this.beats) && silence > DEAD_MS) this.lose(this.socket);
  }

  lose(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    socket.close();
    this.become(this.heardAt ? "stale" : "connecting");
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.tries);
    this.tries += 1;
    this.timer = setTimeout(() => this.connect(), longest / 2 + (Math.random() * longest) / 2);
  }

  become(state) {
    if (state === this.state) return;
    this.state = state;
    this.handlers.onState(state);
  }
}
