/** A channel's socket that outlives its connections: it comes back, resumes, and sends again what was not answered. */

import { Clock, localMs } from "./clock.js";
import { ABNORMAL, GOING_AWAY, NORMAL, UNAUTHORIZED, delay, policy } from "./closing.js";
import { Outbox } from "./outbox.js";
import { Ended, Refused } from "./problems.js";
import { Gap, markRead, take } from "./reducer.js";
import { Connection, type Closing, type Socket } from "./socket.js";
import type { State } from "./state.js";
import {
  PROTOCOL,
  type Ack,
  type Ask,
  type ChannelEvent,
  type ClientFrame,
  type Presence,
  type ProblemFrame,
  type ServerFrame,
  type Typing,
  type Welcome,
} from "./types.js";

/** A connection that lasted this long was a good one, and the next backoff begins anew. */
const STEADY_MS = 10_000;

export type Status = "connecting" | "open" | "waiting" | "ended";

export interface Options {
  /** Such as `wss://soundscore.example/ws/rooms/<id>`. */
  url: string;
  /**
   * What to add to the address of the next connection, such as `ticket=...`: a browser can send no header there.
   * `renew`: the last one was refused. It throws Refused when there is none to be had; any other error is tried again.
   */
  authorize: (renew: boolean) => Promise<string>;
  client?: string;
  /** Node before 22 has none of its own. */
  WebSocket?: new (url: string) => Socket;
  /** Spreads clients that come back at once: a number from 0 to 1. */
  chance?: () => number;
}

/** What listeners hear, by name. */
export interface Heard {
  welcome: Welcome;
  event: ChannelEvent;
  presence: Presence;
  typing: Typing;
  problem: ProblemFrame;
  status: Status;
  ended: Ended;
}

/**
 * A room, a group, a conversation or a playlist. `state` is what is known of it, each event applied once and in order. Listeners
 * hear the server's messages after they were applied, missed ones included.
 */
export class Channel {
  readonly clock = new Clock();
  readonly #options: Options;
  readonly #listeners = new Map<keyof Heard, Set<(said: never) => void>>();
  readonly #outbox = new Outbox();
  #state: State | null = null;
  #status: Status = "connecting";
  #connection: Connection | null = null;
  #wake: (() => void) | null = null;
  #welcomedAt: number | null = null;
  #wantsSnapshot = false;
  #readTo = 0;
  #over: Ended | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  get state(): State | null {
    return this.#state;
  }

  get status(): Status {
    return this.#status;
  }

  /** Connects, and goes on until `close`. The promise is for the first welcome. Rejects with Ended. */
  open(): Promise<State> {
    return new Promise((resolve, reject) => {
      this.on("welcome", () => this.#state && resolve(this.#state));
      this.on("ended", reject);
      this.#comeBack().then(
        (ended) => this.#finish(ended),
        (error: unknown) => this.#finish(new Ended(ABNORMAL, String(error))),
      );
    });
  }

  /** Leaves. */
  close(): void {
    this.#finish(new Ended(NORMAL, "closed"));
    this.#connection?.end({ code: NORMAL, reason: "closed" });
    this.#wake?.();
  }

  /** Has a function called with everything of a kind; what it returns ends that. */
  on<K extends keyof Heard>(kind: K, listener: (said: Heard[K]) => void): () => void {
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** The server's time in milliseconds. Null before the first welcome. */
  serverNow(): number | null {
    return this.clock.serverNow(localMs());
  }

  /** Says something. Rejects with Problem or Ended, as all of these do. */
  send(text: string, attached: Omit<Extract<Ask, { type: "send" }>, "type" | "text"> = {}): Promise<Ack> {
    return this.#ask({ type: "send", text, ...attached });
  }

  /** Changes what one said. */
  edit(message_id: string, text: string): Promise<Ack> {
    return this.#ask({ type: "edit", message_id, text });
  }

  /** Empties a message. */
  delete(message_id: string): Promise<Ack> {
    return this.#ask({ type: "delete", message_id });
  }

  /** Puts an emoji to a message, or takes it away. */
  react(message_id: string, emoji: string, active = true): Promise<Ack> {
    return this.#ask({ type: "react", message_id, emoji, active });
  }

  /** Asks the room for something, such as `playback.pause`. */
  command(name: string, body: Record<string, unknown> = {}): Promise<Ack> {
    return this.#ask({ type: "command", name, body });
  }

  /** Tells the others; forgotten if there is no connection. */
  typing(active: boolean): void {
    this.#post({ type: "typing", active });
  }

  /** Everything up to here was read. */
  read(sequence: number): void {
    if (this.#state) this.#state = markRead(this.#state, sequence);
    this.#readTo = Math.max(this.#readTo, sequence);
    this.#post({ type: "read", sequence: this.#readTo });
  }

  #ask(frame: Ask): Promise<Ack> {
    return this.#over ? Promise.reject(this.#over) : this.#outbox.ask(frame);
  }

  #post(frame: ClientFrame): void {
    if (this.#status === "open") this.#connection?.post(frame);
  }

  #tell<K extends keyof Heard>(kind: K, said: Heard[K]): void {
    for (const listener of [...(this.#listeners.get(kind) ?? [])]) listener(said as never);
  }

  #turn(status: Status): void {
    this.#status = status;
    this.#tell("status", status);
  }

  /** Connects again and again; why it does not any more. */
  async #comeBack(): Promise<Ended> {
    let renew = false;
    for (let attempt = 0; !this.#over; attempt++) {
      this.#turn("connecting");
      this.#welcomedAt = null;
      const closing = await this.#connect(renew);
      const then = policy(closing.code);
      const isRefused = then.renew && renew && this.#welcomedAt === null;
      if (then.again === "no" || isRefused || this.#over) return new Ended(closing.code, closing.reason);
      if (this.#welcomedAt !== null && localMs() - this.#welcomedAt > STEADY_MS) attempt = 0;
      renew = then.renew;
      this.#turn("waiting");
      const ms = delay(then, attempt, (this.#options.chance ?? Math.random)(), closing.afterMs);
      // what failed without a network says nothing about the server: the next one is a first attempt
      if (await this.#sleep(ms, then.again !== "later")) attempt = -1;
    }
    return this.#over;
  }

  /** Until it is time to connect, or, `early`, until a page has a network again: whether that came first. */
  #sleep(ms: number, early: boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const wake = (online?: Event) => {
        clearTimeout(timer);
        globalThis.removeEventListener?.("online", wake);
        resolve(online !== undefined);
      };
      const timer = setTimeout(wake, ms);
      this.#wake = wake;
      if (early) globalThis.addEventListener?.("online", wake); // Node has no such thing
    });
  }

  /** One connection; how it ended. */
  async #connect(renew: boolean): Promise<Closing> {
    let query: string;
    try {
      query = await this.#options.authorize(renew);
    } catch (error) {
      if (error instanceof Refused) this.#finish(new Ended(UNAUTHORIZED, error.message));
      return { code: ABNORMAL, reason: String(error) };
    }
    if (this.#over) return { code: NORMAL, reason: "closed" };
    const socket = new (this.#options.WebSocket ?? WebSocket)(`${this.#options.url}?${query}`);
    this.#connection = new Connection(socket, this.#hello(), this.#hear, (...times) => this.clock.add(...times));
    const closing = await this.#connection.ended;
    this.#connection = null;
    this.#outbox.shut();
    return closing;
  }

  #hello(): ClientFrame {
    const last_sequence = this.#wantsSnapshot ? null : (this.#state?.sequence ?? null);
    return { type: "hello", protocol: PROTOCOL, client: this.#options.client ?? "soundscore-ts/1.0", last_sequence };
  }

  /** Takes a message; how the connection is to end, if it is. */
  readonly #hear = (frame: ServerFrame): Closing | null => {
    if (frame.type === "reconnect") return { code: GOING_AWAY, reason: "reconnect", afterMs: frame.after_ms };
    try {
      this.#take(frame);
    } catch (error) {
      if (!(error instanceof Gap)) throw error;
      // a resume that is itself incomplete is of no use; otherwise that is just what closes the gap
      this.#wantsSnapshot = frame.type === "welcome";
      return { code: ABNORMAL, reason: error.message };
    }
    return this.#partingFrom(frame);
  };

  /** How the connection is to end after what was taken, if it is. */
  #partingFrom(frame: ServerFrame): Closing | null {
    if (this.#state?.outdated) {
      this.#wantsSnapshot = true;
      return { code: GOING_AWAY, reason: "outdated" };
    }
    // everybody is put out; only who asks again learns whether they may still be there
    const isHidden = frame.type === "event" && frame.kind === "playlist.hidden";
    return isHidden ? { code: GOING_AWAY, reason: "hidden" } : null;
  }

  #take(frame: ServerFrame): void {
    switch (frame.type) {
      case "welcome":
        return this.#takeWelcome(frame);
      case "event":
        return this.#takeEvent(frame);
      case "ack":
        return this.#outbox.acknowledge(frame);
      case "problem":
        if (this.#outbox.complain(frame)) this.#tell("problem", frame);
        return;
      case "presence":
        this.#state = take(this.#state, frame);
        return this.#tell("presence", frame);
      case "typing":
        this.#state = take(this.#state, frame);
        return this.#tell("typing", frame);
    }
  }

  #takeWelcome(welcome: Welcome): void {
    for (const event of welcome.events) this.#takeEvent(event);
    this.#state = take(this.#state, welcome);
    this.#wantsSnapshot = false;
    this.#welcomedAt = localMs();
    this.#turn("open");
    if (this.#readTo) this.read(this.#readTo);
    this.#outbox.open((frame) => this.#post(frame));
    this.#tell("welcome", welcome);
  }

  #takeEvent(event: ChannelEvent): void {
    if (this.#state && event.sequence <= this.#state.sequence) return;
    this.#state = take(this.#state, event);
    this.#tell("event", event);
  }

  #finish(ended: Ended): void {
    if (this.#over) return;
    this.#over = ended;
    this.#outbox.giveUp(ended);
    this.#turn("ended");
    this.#tell("ended", ended);
  }
}
