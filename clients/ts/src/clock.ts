/**
 * The server's clock, seen from here.
 *
 * A ping that was under way for `delay` tells the difference of the two clocks to within half of it: the answer was
 * written at some moment in between. So the least-delayed of the last few is the best, as in the clock filter of NTP
 * (D. Mills, RFC 5905, section 10). But clocks drift apart, and an old sample knows less each second: its error grows.
 *
 * Nothing in here reads a clock or sets a timer. All times are milliseconds; local ones by a clock that does not jump.
 */

const KEPT = 8;
const DRIFT_PPM = 100;

interface Sample {
  at: number;
  offset: number;
  delay: number;
}

/** Add what pings tell; ask for the time. */
export class Clock {
  #samples: Sample[] = [];
  readonly #kept: number;
  readonly #drift: number;

  constructor({ kept = KEPT, driftPpm = DRIFT_PPM }: { kept?: number; driftPpm?: number } = {}) {
    this.#kept = kept;
    this.#drift = driftPpm * 1e-6;
  }

  /** A ping: when it left and when its answer came, by the clock here, and what the server's clock said. */
  add(sent: number, received: number, server: number): void {
    if (received < sent) return;
    const sample = { at: received, offset: server - (sent + received) / 2, delay: received - sent };
    const best = this.#best(received);
    if (best && Math.abs(sample.offset - best.offset) > this.#error(best, received) + sample.delay / 2) {
      // both cannot be true, so a clock was set or the machine slept: what was known is void
      this.#samples = [];
    }
    this.#samples = [...this.#samples, sample].slice(-this.#kept);
  }

  /** What to add to the clock here to get the server's. Null before the first ping. */
  offset(now: number): number | null {
    return this.#best(now)?.offset ?? null;
  }

  /** By how much the offset may be wrong at most. */
  error(now: number): number | null {
    const best = this.#best(now);
    return best ? this.#error(best, now) : null;
  }

  /** The server's time. Null before the first ping. */
  serverNow(now: number): number | null {
    const offset = this.offset(now);
    return offset === null ? null : now + offset;
  }

  #error(sample: Sample, now: number): number {
    return sample.delay / 2 + this.#drift * (now - sample.at);
  }

  #best(now: number): Sample | undefined {
    let best: Sample | undefined;
    for (const sample of this.#samples) {
      if (!best || this.#error(sample, now) <= this.#error(best, now)) best = sample;
    }
    return best;
  }
}

/** Unix milliseconds by a clock that does not jump while the page is open. */
export function localMs(): number {
  return performance.timeOrigin + performance.now();
}
