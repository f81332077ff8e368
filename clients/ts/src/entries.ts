/** What events do to the entries of a playlist. */

import type { Entry, EntriesOp } from "./types.js";

/**
 * The entries after a change, or null if they have to be read again.
 *
 * They may be only the beginning of a long playlist, and are one afterwards: what comes to stand right behind it is
 * taken in, and what cannot be known is cut off.
 */
export function changed(entries: readonly Entry[], change: EntriesOp): readonly Entry[] | null {
  switch (change.op) {
    case "add":
      if (change.at > entries.length) return entries;
      return [...entries.slice(0, change.at), ...change.entries, ...entries.slice(change.at)];
    case "remove":
      return entries.filter(({ id }) => !change.entry_ids.includes(id));
    case "move":
      return moved(entries, change);
    case "replace": {
      const fresh = new Map(change.entries.map((entry) => [entry.id, entry]));
      return entries.map((entry) => fresh.get(entry.id) ?? entry);
    }
    default:
      return null; // an operation of later times is too much as well
  }
}

function moved(entries: readonly Entry[], { start, length, to }: Extract<EntriesOp, { op: "move" }>): Entry[] {
  const range = entries.slice(start, start + length);
  const others = [...entries.slice(0, start), ...entries.slice(start + length)];
  if (to > others.length) return others;
  // of a range that is not all known, what stands behind it is at unknown places
  return [...others.slice(0, to), ...range, ...(range.length === length ? others.slice(to) : [])];
}
