/**
 * A WebSocket that comes back by itself (backoff with chance) and knows when it is stale:
 * no message for 3 s, or no connection. The exchange says the time once a second, so silence
 * means trouble and never a quiet market.
 */
export const STALE_MS = 3000;
const DEAD_MS = 10000;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8000;
const JOIN = 1;
const SIGNED_OUT = 4001;

export class Feed {
  /**
   * `streams` are subscribed on each connection. `onJoined` runs once that is done: join first,
   * read snapshots after. `onState` gets "connecting", "live" or "stale"; `onSignedOut` ends it all.
   */
  constructor(path, { streams = [], onMessage, onJoined, onState = () => {}, onSignedOut = () => {}, beats = true }) {
    this.path = path;
    this.streams = streams;
    this.handlers = { onMessage, onJoined, onState, onSignedOut };
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
    addEventListener("online", () => this.socket || this.isOver || this.connect());
  }

  connect() {
    clearTimeout(this.timer);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.path}`);
    this.socket = socket;
    this.openedAt = performance.now();
    socket.addEventListener("open", () => {
      this.hear();
      if (this.streams.length) socket.send(JSON.stringify({ method: "SUBSCRIBE", params: this.streams, id: JOIN }));
    });
    socket.addEventListener("message", (event) => {
      if (socket === this.socket) this.take(JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => {
      if (event.code === SIGNED_OUT) this.end(socket);
      else this.lose(socket);
    });
  }

  take(message) {
    this.hear();
    if (message.error) {
      this.lose(this.socket);
      return;
    }
    if (message.id === JOIN || message.e === "joined") {
      this.tries = 0;
      this.handlers.onJoined();
    } else this.handlers.onMessage(message);
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

  /** The log-in is over: connecting again would only hear the same. */
  end(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    this.isOver = true;
    this.become("stale");
    this.handlers.onSignedOut();
  }

  become(state) {
    if (state === this.state) return;
    this.state = state;
    this.handlers.onState(state);
  }
}
