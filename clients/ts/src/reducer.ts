/**
 * The server's messages, applied to what is known.
 *
 * The same events give the same state wherever they come from: a snapshot at n with the events n+1 to m is the
 * snapshot at m. States are values; nothing in here changes one.
 */

import { CHANGES } from "./changes.js";
import { begin, byId, presentAt, without, type State } from "./state.js";
import type { ChannelEvent, ChannelEventOf, EventKind, Presence, ServerFrame, Typing, Welcome } from "./types.js";

export const KEPT_MESSAGES = 500;

/** An event came before one that is missing. Connect again, and resume. */
export class Gap extends Error {
  constructor(
    readonly expected: number,
    readonly got: number,
  ) {
    super(`event ${expected} is missing before ${got}`);
  }
}

/** The state after the events that were missed. Throws Gap if some are not there. */
export function resume(state: State, welcome: Welcome, kept = KEPT_MESSAGES): State {
  const after = welcome.events.reduce((soFar, event) => apply(soFar, event, kept), state);
  if (after.sequence < welcome.sequence) throw new Gap(after.sequence + 1, welcome.sequence);
  const present = presentAt(welcome);
  return { ...after, you: welcome.you, present, present_count: Object.keys(present).length, typing: {} };
}

/** The state after any message of the server's; most kinds leave it as it is. Throws Gap. */
export function take(state: State | null, frame: ServerFrame, kept = KEPT_MESSAGES): State | null {
  if (frame.type === "welcome") return frame.recovered && state ? resume(state, frame, kept) : begin(frame);
  if (state === null) return null;
  if (frame.type === "event") return apply(state, frame, kept);
  if (frame.type === "presence") return attend(state, frame);
  return frame.type === "typing" ? noteTyping(state, frame) : state;
}

/** The state after an event. One that was applied before changes nothing. Throws Gap. */
export function apply(state: State, event: ChannelEvent, kept = KEPT_MESSAGES): State {
  if (event.sequence <= state.sequence) return state;
  if (event.sequence > state.sequence + 1) throw new Gap(state.sequence + 1, event.sequence);
  // a kind that this client does not know is counted all the same
  const after = Object.hasOwn(CHANGES, event.kind) ? changed(state, event) : state;
  const messages = after.messages.length > kept ? after.messages.slice(-kept) : after.messages;
  return { ...after, sequence: event.sequence, messages };
}

function changed<K extends EventKind>(state: State, event: ChannelEventOf<K>): State {
  return CHANGES[event.kind](state, event);
}

/** The state after people came and went. */
export function attend(state: State, { present_count, joined, left }: Presence): State {
  const present = without({ ...state.present, ...byId(joined) }, left);
  return { ...state, present, present_count, typing: without(state.typing, left) };
}

/** The state after somebody began to type, or stopped. */
export function noteTyping(state: State, { user, active }: Typing): State {
  const others = without(state.typing, [user.id]);
  return { ...state, typing: active ? { ...others, [user.id]: user.username } : others };
}

/** The state after its owner has read this far; marks only go forward. */
export function markRead(state: State, sequence: number): State {
  return { ...state, read_sequence: Math.max(state.read_sequence, Math.min(sequence, state.sequence)) };
}
