/** The few requests that come before a socket: signing in, and tickets. */

import { Problem, Refused, Unreachable } from "./problems.js";

const API = "/api/v1";
/** A token is renewed this long before it ends. */
const EARLY_MS = 30_000;

interface Tokens {
  access_token: string;
  refresh_token: string;
  expires_in: number;
}

/** A server over HTTP, for one person. `new Channel({ url: rest.socket("rooms", id), authorize: rest.ticket })`. */
export class Rest {
  readonly server: string;
  #token: string | null;
  #refreshToken: string | null = null;
  #endsAt = Infinity;

  constructor(server: string, token: string | null = null) {
    this.server = server.replace(/\/+$/, "");
    this.#token = token;
  }

  /** Signs in. Rejects with Problem, Unreachable. */
  async login(username: string, password: string): Promise<void> {
    this.#keep(await this.#send("POST", "/auth/login/json", { username, password }));
  }

  /** `ticket=...`, which opens one socket, once, within a minute. Rejects with Refused, Problem, Unreachable. */
  readonly ticket = async (renew = false): Promise<string> => {
    if (renew || Date.now() > this.#endsAt - EARLY_MS) await this.#renew();
    try {
      const { ticket } = await this.ask<{ ticket: string }>("POST", "/auth/tickets");
      return `ticket=${encodeURIComponent(ticket)}`;
    } catch (error) {
      if (!(error instanceof Problem) || error.status === 429) throw error;
      if (error.status === 401 && !renew) return this.ticket(true);
      throw new Refused(error.message);
    }
  };

  /** Any request, signed. Rejects with Problem, Refused, Unreachable. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    if (this.#token === null) return Promise.reject(new Refused("Sign in first."));
    return this.#send<T>(method, path, body);
  }

  /** The address of a channel's socket. */
  socket(kind: "rooms" | "groups" | "direct" | "playlists", id: string): string {
    return `${this.server.replace(/^http/, "ws")}/ws/${kind}/${id}`;
  }

  async #renew(): Promise<void> {
    if (this.#refreshToken === null) throw new Refused("The token has ended. Sign in again.");
    try {
      this.#keep(await this.#send("POST", "/auth/refresh", { refresh_token: this.#refreshToken }));
    } catch (error) {
      if (error instanceof Problem && error.status !== 429) throw new Refused(error.message);
      throw error;
    }
  }

  async #send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (this.#token !== null) headers["authorization"] = `Bearer ${this.#token}`;
    const answer = await this.#fetch(API + path, { method, headers, body: JSON.stringify(body) ?? null });
    const text = await answer.text();
    if (answer.status >= 500) throw new Unreachable(`${this.server} has a problem: ${answer.status}`);
    if (!answer.ok) throw new Problem({ status: answer.status, ...parse(text) });
    return parse(text) as T;
  }

  async #fetch(path: string, request: RequestInit): Promise<Response> {
    try {
      return await fetch(this.server + path, request);
    } catch (error) {
      throw new Unreachable(`${this.server} does not answer: ${error}`);
    }
  }

  #keep(tokens: Tokens): void {
    this.#token = tokens.access_token;
    this.#refreshToken = tokens.refresh_token;
    this.#endsAt = Date.now() + tokens.expires_in * 1000;
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
