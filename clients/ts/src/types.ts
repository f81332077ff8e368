/** Protocol 1 as it is on the wire. Times are RFC 3339 texts, or Unix milliseconds where a name ends in `_ms`. */

export const PROTOCOL = 1;

export interface Person {
  id: string;
  username: string;
  display_name: string;
  avatar_key: string | null;
}

export interface You extends Person {
  role: string;
  muted_until: string | null;
}

export interface Member {
  user: Person;
  role: string;
  muted_until: string | null;
}

/** A room or a group, as lists show it. */
export type Card = Readonly<Record<string, unknown>>;

export interface Track {
  id: string;
  title: string;
  artist: string;
  artist_id: string;
  album_id: string | null;
  album: string | null;
  duration_ms: number | null;
  cover_key: string | null;
  /** Where everybody hears its recording, for some hours; null if there is none. Relative to the server. */
  media_url: string | null;
}

/** A track in the queue. */
export interface Item {
  id: string;
  track: Track;
  added_by: string | null;
  votes: number;
  added_at: string;
}

/** What plays: `position_ms` holds at `at_ms` of the server's clock, which may be a little ahead. */
export interface Playback {
  version: number;
  item: Item | null;
  playing: boolean;
  position_ms: number;
  at_ms: number;
  duration_ms: number | null;
  /** The start is held for those who are not ready, but no longer than until then, which is also its `at_ms`. */
  waiting: { until_ms: number; ready: string[] } | null;
}

/** A playlist, as its channel knows it: nothing in it changes without an event. */
export interface Playlist {
  id: string;
  name: string;
  description: string;
  visibility: "public" | "private";
  /** A smart one has no entries here: its rules choose them when REST is asked. */
  kind: "manual" | "smart";
  rules: Readonly<Record<string, unknown>> | null;
  cover_key: string | null;
  owner_id: string | null;
  track_count: number;
  duration_ms: number;
  /** Grows with every change. Send it along, and a change that was meant for another version is refused. */
  version: number;
  created_at: string;
  updated_at: string;
}

export interface EntryTrack {
  id: string;
  title: string;
  artist: { id: string; name: string };
  album: { id: string; title: string; year: number | null; cover_key: string | null } | null;
  duration_ms: number | null;
}

/** A place in a playlist. `track` is null where the catalogue has no such track: the rest is what is known of it. */
export interface Entry {
  id: string;
  track: EntryTrack | null;
  title: string;
  artist: string;
  album: string | null;
  duration_ms: number | null;
  /** A recording that not everybody may hear: nothing is said of it here. */
  hidden: boolean;
  added_by_id: string | null;
  added_at: string;
}

/** What happened to the entries: places count from 0, and `to` is where the range begins afterwards. */
export type EntriesOp =
  | { op: "add"; at: number; entries: Entry[] }
  | { op: "remove"; entry_ids: string[] }
  | { op: "move"; start: number; length: number; to: number }
  | { op: "replace"; entries: Entry[] }
  /** Too much for an event. */
  | { op: "reload" };

export interface Skip {
  votes: number;
  needed: number;
}

export interface Quote {
  id: string;
  author_id: string | null;
  text: string | null;
}

export interface Reaction {
  emoji: string;
  count: number;
  user_ids: string[];
}

export interface Message {
  id: string;
  sequence: number;
  author: Person | null;
  text: string | null;
  client_id: string | null;
  reply_to: Quote | null;
  mentions: string[];
  track_id: string | null;
  review_id: string | null;
  /** A picture, at `/api/v1/media/` and this key. With it the text may be empty. */
  image_key: string | null;
  reactions: Reaction[];
  created_at: string;
  edited_at: string | null;
  deleted: boolean;
}

/** What each kind of event says. */
export interface EventData {
  "message.created": Pick<
    Message,
    "id" | "client_id" | "text" | "reply_to" | "mentions" | "track_id" | "review_id" | "image_key"
  >;
  "message.edited": { id: string; text: string | null; edited_at: string };
  "message.deleted": { id: string };
  "reaction.added": { message_id: string; emoji: string };
  "reaction.removed": { message_id: string; emoji: string };
  /** Members of playlists are not counted. */
  "member.joined": { user: Person; role: string; member_count?: number };
  "member.left": { user_id: string; member_count?: number };
  "member.kicked": { user_id: string; member_count?: number; reason: string };
  "member.banned": { user_id: string; member_count: number; reason: string; until: string | null };
  "member.role": { user_id: string; role: string };
  "member.muted": { user_id: string; until: string | null };
  /** In a group, who owned it before is an admin now; in a playlist, an editor. */
  "owner.changed": { user_id: string; previous_id?: string | null };
  /** Of a playlist: all of a Playlist. */
  "channel.updated": Card;
  "queue.changed": { queue: Item[] };
  /** Take out what is removed or placed, then put what is placed to its index, in this order. */
  "queue.edited": {
    removed: string[];
    votes: Record<string, number>;
    /** Without an item it is one that is known, and moves. */
    placed: { index: number; id: string; item: Item | null }[];
  };
  "playback.changed": { playback: Playback };
  "skip.votes": Skip;
  "room.closed": Record<string, never>;
  "group.closed": Record<string, never>;
  /** Something of a person whom you blocked: its number counts, and how many members there are if somebody came. */
  hidden: { member_count?: number };
  "playlist.entries": EntriesOp & Pick<Playlist, "version" | "track_count" | "duration_ms" | "updated_at">;
  /** It is not for everybody any more. The sockets end, and who may still see it comes back. */
  "playlist.hidden": Record<string, never>;
  "playlist.closed": Record<string, never>;
}

export type EventKind = keyof EventData;

/** A numbered entry of a channel's log. */
export interface ChannelEventOf<K extends EventKind> {
  type: "event";
  sequence: number;
  kind: K;
  at: string | null;
  actor: Person | null;
  data: EventData[K];
}

/** Any event: its `kind` tells what its `data` is. */
export type ChannelEvent = { [K in EventKind]: ChannelEventOf<K> }[EventKind];

export interface Snapshot {
  room?: Card;
  group?: Card;
  partner?: Person;
  playlist?: Playlist;
  /** The first 500. */
  entries?: Entry[];
  members?: Member[];
  queue?: Item[];
  playback?: Playback;
  skip?: Skip;
  messages?: Message[];
  read_sequence?: number;
}

/** The answer to a hello: the events that were missed, or the whole state. */
export interface Welcome {
  type: "welcome";
  protocol: number;
  connection_id: string;
  server_ms: number;
  sequence: number;
  recovered: boolean;
  you: You;
  events: ChannelEvent[];
  snapshot: Snapshot | null;
  present: Person[];
}

export interface Presence {
  type: "presence";
  present_count: number;
  joined: Person[];
  left: string[];
}

export interface Typing {
  type: "typing";
  user: { id: string; username: string };
  active: boolean;
}

export interface Pong {
  type: "pong";
  id: number;
  client_ms: number;
  server_ms: number;
}

export interface Ack {
  type: "ack";
  client_id: string;
  sequence: number | null;
  result: Record<string, unknown> | null;
}

export interface ProblemFrame {
  type: "problem";
  client_id: string | null;
  code: string;
  title: string;
  detail: string;
  status: number;
  [more: string]: unknown;
}

export interface Reconnect {
  type: "reconnect";
  after_ms: number;
}

/** Whatever the server says. */
export type ServerFrame = Welcome | ChannelEvent | Presence | Typing | Pong | Ack | ProblemFrame | Reconnect;

/** What is said under a client id and answered by an `ack` or a `problem`. */
export type Ask =
  | {
      type: "send";
      text: string;
      reply_to_id?: string | null;
      track_id?: string | null;
      review_id?: string | null;
      image_key?: string | null;
    }
  | { type: "edit"; message_id: string; text: string }
  | { type: "delete"; message_id: string }
  | { type: "react"; message_id: string; emoji: string; active: boolean }
  | { type: "command"; name: string; body: Record<string, unknown> };

/** Whatever a client says. */
export type ClientFrame =
  | { type: "hello"; protocol: number; client: string; last_sequence: number | null }
  | { type: "ping"; id: number; client_ms: number }
  | { type: "typing"; active: boolean }
  | { type: "read"; sequence: number }
  | (Ask & { client_id: string });
