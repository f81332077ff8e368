/** What a client knows of a channel, and how a snapshot tells it. */

import type { Card, Entry, Item, Member, Message, Person, Playback, Playlist, Reaction, Skip, Welcome, You } from "./types.js";

/** A channel at `sequence`. People and members are by their id; messages begin with the oldest. */
export interface State {
  readonly sequence: number;
  readonly you: You;
  readonly card: Card | null;
  readonly partner: Person | null;
  readonly playlist: Playlist | null;
  /** A beginning of the playlist; of long ones there are more than these, by REST. `playlist.track_count` has all. */
  readonly entries: readonly Entry[];
  /** The entries changed by more than an event can tell: a snapshot is needed. A Channel asks for it by itself. */
  readonly outdated: boolean;
  readonly members: Readonly<Record<string, Member>>;
  readonly queue: readonly Item[];
  readonly playback: Playback | null;
  readonly skip: Skip | null;
  readonly messages: readonly Message[];
  readonly read_sequence: number;
  readonly present: Readonly<Record<string, Person>>;
  readonly present_count: number;
  readonly typing: Readonly<Record<string, string>>;
  readonly closed: boolean;
}

/** The state that a welcome's snapshot tells. */
export function begin(welcome: Welcome): State {
  const snapshot = welcome.snapshot ?? {};
  const present = presentAt(welcome);
  return {
    sequence: welcome.sequence,
    you: welcome.you,
    card: snapshot.room ?? snapshot.group ?? null,
    partner: snapshot.partner ?? null,
    playlist: snapshot.playlist ?? null,
    entries: snapshot.entries ?? [],
    outdated: false,
    members: Object.fromEntries((snapshot.members ?? []).map((member) => [member.user.id, memberOf(member)])),
    queue: snapshot.queue ?? [],
    playback: snapshot.playback ?? null,
    skip: snapshot.skip ?? null,
    messages: (snapshot.messages ?? []).map(sorted),
    read_sequence: snapshot.read_sequence ?? 0,
    present,
    present_count: Object.keys(present).length,
    typing: {},
    closed: false,
  };
}

export function byId(people: readonly Person[]): Record<string, Person> {
  return Object.fromEntries(people.map((person) => [person.id, person]));
}

/** Who is there, with oneself: the server may have looked before it let us in. */
export function presentAt({ you, present }: Welcome): Record<string, Person> {
  const { id, username, display_name, avatar_key } = you;
  return byId([{ id, username, display_name, avatar_key }, ...present]);
}

export function memberOf({ user, role, muted_until }: Omit<Member, "muted_until"> & Partial<Member>): Member {
  return { user, role, muted_until: muted_until ?? null };
}

/** A record without some of its keys. */
export function without<T>(record: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

export function reactionsOf(people: ReadonlyMap<string, string[]>): Reaction[] {
  // by emoji: an order that does not hang on when each of them came
  return [...people]
    .filter(([, users]) => users.length > 0)
    .sort(([one], [other]) => byCodePoints(one, other))
    .map(([emoji, users]) => ({ emoji, count: users.length, user_ids: users }));
}

export function reactedBy(message: Message): Map<string, string[]> {
  return new Map(message.reactions.map(({ emoji, user_ids }) => [emoji, user_ids]));
}

function sorted(message: Message): Message {
  return { ...message, reactions: reactionsOf(reactedBy(message)) };
}

function byCodePoints(one: string, other: string): number {
  const [left, right] = [[...one], [...other]];
  for (let place = 0; place < Math.min(left.length, right.length); place++) {
    const difference = left[place]!.codePointAt(0)! - right[place]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
