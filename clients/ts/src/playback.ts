/** Where a track is at a moment of the server's clock, and what a player that is not quite there should do. */

import type { Playback } from "./types.js";

/** Where a silent player stands need not be more exact than this. */
export const STILL_MS = 20;
/** A player that is so far off is brought back ... */
export const AWAY_MS = 4;
/** ... until it is no farther off than this: so it is seldom meddled with, and two of them are hardly heard apart. */
export const CLOSE_MS = 1;
/** From here on a jump is better than a long chase. */
export const SEEK_MS = 200;
/** Nobody hears this change of speed. */
export const MOST_RATE = 0.02;
/** In what time a small distance is to be made good. */
const CHASE_MS = 5000;

/**
 * What a player does now. `latency_ms`: how long after it is told to start or to seek it is heard. `rate`: the speed of
 * the last plan.
 */
export interface Player {
  item_id: string | null;
  playing: boolean;
  position_ms: number;
  latency_ms?: number;
  rate?: number;
}

/**
 * What it should do:
 * - `stop`: there is nothing to play
 * - `pause`: be silent at `position_ms`
 * - `wait`: be silent at `position_ms`, start in `delay_ms`
 * - `prepare`: the same, and tell the server `playback.ready` when it is loaded: the start may come sooner
 * - `start`, `seek`: play from `position_ms`, at once
 * - `nudge`: play at `rate` until the next plan
 * - `finish`: the track is at its end; let it sound out, the server moves on
 * - `nothing`: go on, at rate 1
 */
export type Step = "stop" | "prepare" | "pause" | "wait" | "start" | "seek" | "nudge" | "finish" | "nothing";

export interface Plan {
  step: Step;
  position_ms: number | null;
  delay_ms: number | null;
  rate: number;
}

/** The milliseconds of the track that should be heard at a time of the server's clock. */
export function position(playback: Playback, serverNow: number): number {
  if (playback.item === null) return 0;
  if (!playback.playing) return playback.position_ms;
  const at = playback.position_ms + Math.max(0, serverNow - playback.at_ms);
  return playback.duration_ms === null ? at : Math.min(at, playback.duration_ms);
}

/** Ask for one at every change of the playback, and a few times each second. */
export function plan(playback: Playback, player: Player, serverNow: number): Plan {
  if (playback.item === null) return step("stop");
  const loaded = playback.item.id === player.item_id;
  const target = position(playback, serverNow);
  if (!playback.playing) {
    const still = loaded && !player.playing && Math.abs(player.position_ms - target) <= STILL_MS;
    return still ? step("nothing") : step("pause", { position_ms: target });
  }
  if (playback.duration_ms !== null && target >= playback.duration_ms) return step("finish");
  const runs = loaded && player.playing;
  return runs ? follow(playback, player, serverNow) : begin(playback, player, serverNow);
}

function step(name: Step, more: Partial<Plan> = {}): Plan {
  return { step: name, position_ms: null, delay_ms: null, rate: 1, ...more };
}

function begin(playback: Playback, player: Player, serverNow: number): Plan {
  const latency = player.latency_ms ?? 0;
  const wait = playback.at_ms - serverNow - latency;
  if (wait > 0) {
    return step(playback.waiting ? "prepare" : "wait", { position_ms: playback.position_ms, delay_ms: wait });
  }
  return step("start", { position_ms: position(playback, serverNow + latency) });
}

function follow(playback: Playback, player: Player, serverNow: number): Plan {
  const latency = player.latency_ms ?? 0;
  if (playback.at_ms - serverNow - latency > STILL_MS) return begin(playback, player, serverNow);
  const drift = position(playback, serverNow) - player.position_ms;
  if (Math.abs(drift) <= ((player.rate ?? 1) === 1 ? AWAY_MS : CLOSE_MS)) return step("nothing");
  if (Math.abs(drift) > SEEK_MS) return step("seek", { position_ms: position(playback, serverNow + latency) });
  return step("nudge", { rate: 1 + Math.max(-MOST_RATE, Math.min(MOST_RATE, drift / CHASE_MS)) });
}
