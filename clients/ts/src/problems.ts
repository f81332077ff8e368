/** What can go wrong. */

import type { ProblemFrame } from "./types.js";

/** The channel is over for this client: it left, or may not be there. `code` is the close code. */
export class Ended extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
  ) {
    super(`${code} ${reason}`.trim());
  }
}

/** The server did not do what it was asked for. `body` is the whole problem. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;

  constructor(readonly body: Partial<ProblemFrame>) {
    super(body.detail || body.title || body.code || String(body.status));
    this.code = body.code ?? "";
    this.status = body.status ?? 0;
  }
}

/** There is no token to be had. */
export class Refused extends Error {}

/** The server did not answer; later it may. */
export class Unreachable extends Error {}
