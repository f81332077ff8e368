/** One connection: its hello, its pings, and its end. */

import { localMs } from "./clock.js";
import { ABNORMAL, NORMAL } from "./closing.js";
import type { ClientFrame, Pong, ServerFrame } from "./types.js";

const FAST_PINGS = 8;
const FAST_PING_MS = 250;
const PING_MS = 5000;
/** Pings are answered; a server that says nothing for so long is gone. */
const SILENCE_MS = 15_000;

/** The part of WebSocket that is needed. */
export interface Socket {
  // any: each implementation has its own classes of events
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export interface Closing {
  code: number;
  reason: string;
  afterMs?: number;
}

/** A ping: when it left and when its answer came, by the clock here, and what the server's clock said. */
type Measure = (sent: number, received: number, server: number) => void;

/** A socket from its opening to its end. `hear` takes a message, and tells how the connection is to end, if it is. */
export class Connection {
  readonly ended: Promise<Closing>;
  readonly #socket: Socket;
  readonly #pings = new Map<number, number>();
  readonly #measure: Measure;
  #helloAt = 0;
  #welcomed = false;
  #timer: ReturnType<typeof setTimeout>;
  #resolve!: (closing: Closing) => void;

  constructor(socket: Socket, hello: ClientFrame, hear: (frame: ServerFrame) => Closing | null, measure: Measure) {
    this.#socket = socket;
    this.#measure = measure;
    this.ended = new Promise((resolve) => (this.#resolve = resolve));
    this.#timer = setTimeout(() => this.end({ code: ABNORMAL, reason: "no welcome" }), SILENCE_MS);
    socket.onopen = () => {
      this.#helloAt = localMs();
      this.post(hello);
    };
    socket.onclose = ({ code, reason }: CloseEvent) => this.end({ code, reason });
    socket.onerror = () => undefined; // a close follows
    socket.onmessage = ({ data }: MessageEvent) => {
      const frame = JSON.parse(String(data)) as ServerFrame;
      if (frame.type === "pong") return this.#takePong(frame);
      if (frame.type === "welcome") this.#measure(this.#helloAt, localMs(), frame.server_ms);
      const closing = hear(frame);
      if (closing) this.end(closing);
      else if (frame.type === "welcome" && !this.#welcomed) this.#beginPings();
    };
  }

  post(frame: ClientFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  end(closing: Closing): void {
    clearTimeout(this.#timer);
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close(NORMAL);
    this.#resolve(closing);
  }

  #beginPings(): void {
    this.#welcomed = true;
    clearTimeout(this.#timer);
    this.#ping(0);
  }

  #ping(id: number): void {
    if (this.#isSilent()) return this.end({ code: ABNORMAL, reason: "silence" });
    const client_ms = localMs();
    this.#pings.set(id, client_ms);
    this.post({ type: "ping", id, client_ms });
    this.#timer = setTimeout(() => this.#ping(id + 1), id < FAST_PINGS - 1 ? FAST_PING_MS : PING_MS);
  }

  #takePong(pong: Pong): void {
    const sent = this.#pings.get(pong.id);
    this.#pings.delete(pong.id);
    if (sent !== undefined) this.#measure(sent, localMs(), pong.server_ms);
  }

  /** Whether a ping waits too long for its answer. Timers of hidden pages are slow, so it is not they that tell. */
  #isSilent(): boolean {
    const [oldest] = this.#pings.values();
    return oldest !== undefined && localMs() - oldest > SILENCE_MS;
  }
}
