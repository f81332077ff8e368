/** What the end of a connection means: whether to come back, and when. */

export const NORMAL = 1000;
/** The connection was cut, or was never made; nobody sends this code. */
export const ABNORMAL = 1006;
export const GOING_AWAY = 1012;
export const UNAUTHORIZED = 4401;

/** A thousand clients who come back at once are spread over this time. */
const SPREAD_MS = 1000;
const FIRST_BACKOFF_MS = 1000;
const MOST_BACKOFF_MS = 30_000;
const FLOOD_MS = 10_000;

/** `now`: within a second. `backoff`: longer each time. `later`: 10 s and more. `renew`: with a new token. */
export interface Policy {
  again: "no" | "now" | "backoff" | "later";
  renew: boolean;
}

const no: Policy = { again: "no", renew: false };
const now: Policy = { again: "now", renew: false };
const POLICIES = new Map<number, Policy>([
  [1000, no],
  [1001, now],
  [1012, now],
  [4400, no],
  [4401, { again: "now", renew: true }],
  [4403, no],
  [4404, no],
  [4408, now],
  [4409, now],
  [4413, no],
  [4429, { again: "later", renew: false }],
]);

/** What to do after a close code. Those that are not in the protocol are faults of the network or the server. */
export function policy(code: number): Policy {
  return POLICIES.get(code) ?? { again: "backoff", renew: false };
}

/**
 * Milliseconds until the next attempt.
 *
 * `attempt` counts the connections in a row that did not last; `random` is between 0 and 1; `afterMs` is what the
 * server asked for. The backoff has full jitter: any time up to the limit is as likely as another.
 */
export function delay({ again }: Policy, attempt: number, random: number, afterMs: number | null = null): number {
  const backoff = random * Math.min(MOST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt);
  if (again === "later") return FLOOD_MS + backoff;
  if (again === "now" && attempt === 0) return afterMs ?? random * SPREAD_MS;
  return backoff;
}
