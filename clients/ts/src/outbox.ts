/**
 * What was asked of the server and is not answered yet.
 *
 * Each thing keeps its client id, so that the server takes it once however often it is sent.
 */

import { Problem } from "./problems.js";
import type { Ack, Ask, ClientFrame, ProblemFrame } from "./types.js";

/** How many may be under way at once: the server refuses a flood. */
const WINDOW = 16;
const RETRY_MS = 1000;
/** Problems that pass. */
const RETRIED = [429, 503];

type Post = (frame: ClientFrame) => void;

interface Entry {
  frame: Ask & { client_id: string };
  resolve: (ack: Ack) => void;
  reject: (error: Error) => void;
  sent: boolean;
}

/** Frames in the order in which they were asked, until each is answered. */
export class Outbox {
  readonly #entries = new Map<string, Entry>();
  #post: Post | null = null;
  #paused = false;

  /** Sends a frame, now and after every cut, until it is answered. Rejects with Problem, and what `giveUp` is told. */
  ask(frame: Ask): Promise<Ack> {
    const client_id = newId();
    return new Promise((resolve, reject) => {
      this.#entries.set(client_id, { frame: { ...frame, client_id }, resolve, reject, sent: false });
      this.#pump();
    });
  }

  /** There is a new connection. Nobody knows what arrived over the last one, so everything is sent again. */
  open(post: Post): void {
    this.#post = post;
    this.#paused = false;
    for (const entry of this.#entries.values()) entry.sent = false;
    this.#pump();
  }

  /** There is no connection. */
  shut(): void {
    this.#post = null;
  }

  /** Something was done. */
  acknowledge(ack: Ack): void {
    this.#settle(ack.client_id)?.resolve(ack);
    this.#pump();
  }

  /** Something was not done. False if it is sent again in a while, and nobody needs to know. */
  complain(problem: ProblemFrame): boolean {
    const entry = this.#entries.get(problem.client_id ?? "");
    if (entry && RETRIED.includes(problem.status)) {
      entry.sent = false;
      this.#pause();
      return false;
    }
    if (entry) this.#settle(entry.frame.client_id)?.reject(new Problem(problem));
    this.#pump();
    return true;
  }

  /** Nothing will be answered any more. */
  giveUp(error: Error): void {
    for (const client_id of [...this.#entries.keys()]) this.#settle(client_id)?.reject(error);
  }

  #settle(client_id: string): Entry | undefined {
    const entry = this.#entries.get(client_id);
    this.#entries.delete(client_id);
    return entry;
  }

  #pump(): void {
    if (!this.#post || this.#paused) return;
    const entries = [...this.#entries.values()];
    const free = WINDOW - entries.filter((entry) => entry.sent).length;
    for (const entry of entries.filter((entry) => !entry.sent).slice(0, Math.max(free, 0))) {
      entry.sent = true;
      this.#post(entry.frame);
    }
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    setTimeout(() => {
      this.#paused = false;
      this.#pump();
    }, RETRY_MS);
  }
}

/** Unlike crypto.randomUUID, this exists on pages without TLS, too. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
