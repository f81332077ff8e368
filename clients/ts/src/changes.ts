/** What each kind of event changes. */

import { changed } from "./entries.js";
import { memberOf, reactedBy, reactionsOf, without, type State } from "./state.js";
import type { ChannelEventOf, EventKind, Member, Message } from "./types.js";

type Changes = { [K in EventKind]: (state: State, event: ChannelEventOf<K>) => State };

export const CHANGES: Changes = {
  "message.created": messageCreated,
  "message.edited": (state, { data }) =>
    rewrite(state, data.id, (message) => ({ ...message, text: data.text, edited_at: data.edited_at })),
  "message.deleted": messageDeleted,
  "reaction.added": reaction,
  "reaction.removed": reaction,
  "member.joined": memberJoined,
  "member.left": memberGone,
  "member.kicked": memberGone,
  "member.banned": memberGone,
  "member.role": (state, { data }) => changeMember(state, data.user_id, { role: data.role }),
  "member.muted": (state, { data }) => changeMember(state, data.user_id, { muted_until: data.until }),
  "owner.changed": ownerChanged,
  "channel.updated": (state, { data }) => describe(state, data),
  "queue.changed": (state, { data }) => ({ ...state, queue: data.queue }),
  "queue.edited": queueEdited,
  "playback.changed": playbackChanged,
  "skip.votes": (state, { data }) => ({ ...state, skip: { votes: data.votes, needed: data.needed } }),
  "room.closed": (state) => ({ ...state, closed: true }),
  "group.closed": (state) => ({ ...state, closed: true }),
  hidden: (state, { data }) => (data.member_count === undefined ? state : describe(state, data)),
  "playlist.entries": entriesChanged,
  "playlist.hidden": (state) => state,
  "playlist.closed": (state) => ({ ...state, closed: true }),
};

/** Has the card, or the playlist, say something else. */
function describe(state: State, fields: Record<string, unknown>): State {
  if (state.playlist) return { ...state, playlist: { ...state.playlist, ...fields } };
  return { ...state, card: { ...state.card, ...fields } };
}

function counted(state: State, { member_count }: { member_count?: number }): State {
  return member_count === undefined ? state : describe(state, { member_count });
}

function messageCreated(state: State, event: ChannelEventOf<"message.created">): State {
  const { data, actor: author } = event;
  const message: Message = {
    id: data.id,
    sequence: event.sequence,
    author,
    text: data.text,
    client_id: data.client_id,
    reply_to: data.reply_to,
    mentions: data.mentions,
    track_id: data.track_id,
    review_id: data.review_id,
    image_key: data.image_key,
    reactions: [],
    created_at: event.at ?? "",
    edited_at: null,
    deleted: data.text === null,
  };
  const after = { ...state, messages: [...state.messages, message] };
  if (author === null) return after;
  const read = author.id === state.you.id ? event.sequence : state.read_sequence;
  return { ...after, typing: without(state.typing, [author.id]), read_sequence: read };
}

function rewrite(state: State, id: string, change: (message: Message) => Message): State {
  return { ...state, messages: state.messages.map((message) => (message.id === id ? change(message) : message)) };
}

function messageDeleted(state: State, { data }: ChannelEventOf<"message.deleted">): State {
  const shared = { track_id: null, review_id: null, image_key: null };
  const nothing = { text: null, reply_to: null, mentions: [], ...shared, reactions: [] };
  const messages = state.messages.map((message) => {
    if (message.id === data.id) return { ...message, ...nothing, deleted: true };
    const quote = message.reply_to;
    return quote?.id === data.id ? { ...message, reply_to: { ...quote, text: null } } : message;
  });
  return { ...state, messages };
}

function reaction(state: State, event: ChannelEventOf<"reaction.added" | "reaction.removed">): State {
  const { kind, actor, data } = event;
  if (actor === null) return state;
  return rewrite(state, data.message_id, (message) => {
    const people = reactedBy(message);
    const others = (people.get(data.emoji) ?? []).filter((id) => id !== actor.id);
    people.set(data.emoji, kind === "reaction.added" ? [...others, actor.id] : others);
    return { ...message, reactions: reactionsOf(people) };
  });
}

function memberJoined(state: State, { data }: ChannelEventOf<"member.joined">): State {
  const { user, role } = data;
  // a reader of a public playlist is there before they belong to it
  const you = user.id === state.you.id ? { ...state.you, role } : state.you;
  return counted({ ...state, you, members: { ...state.members, [user.id]: memberOf(data) } }, data);
}

function memberGone(
  state: State,
  { data }: ChannelEventOf<"member.left" | "member.kicked" | "member.banned">,
): State {
  const members = without(state.members, [data.user_id]);
  return counted({ ...state, members }, data);
}

function changeMember(state: State, id: string, fields: Partial<Omit<Member, "user">>): State {
  const member = state.members[id];
  const members = member ? { ...state.members, [id]: { ...member, ...fields } } : state.members;
  return { ...state, members, you: id === state.you.id ? { ...state.you, ...fields } : state.you };
}

function ownerChanged(state: State, { data }: ChannelEventOf<"owner.changed">): State {
  let after = changeMember(state, data.user_id, { role: "owner", muted_until: null });
  if (data.previous_id) after = changeMember(after, data.previous_id, { role: state.playlist ? "editor" : "admin" });
  const member = state.members[data.user_id];
  const shown = member && state.card && "owner" in state.card ? { owner: member.user } : {};
  return describe(after, { owner_id: data.user_id, ...shown });
}

function queueEdited(state: State, { data: { removed, votes, placed } }: ChannelEventOf<"queue.edited">): State {
  const known = new Map(state.queue.map((item) => [item.id, { ...item, votes: votes[item.id] ?? item.votes }]));
  const gone = new Set([...removed, ...placed.map(({ id }) => id)]);
  const queue = [...known.values()].filter(({ id }) => !gone.has(id));
  for (const { index, id, item } of placed) {
    const there = item ?? known.get(id);
    if (there) queue.splice(index, 0, there);
  }
  return { ...state, queue };
}

function playbackChanged(state: State, { data: { playback } }: ChannelEventOf<"playback.changed">): State {
  const isOther = playback.item?.id !== state.playback?.item?.id;
  const skip = state.skip && isOther ? { ...state.skip, votes: 0 } : state.skip;
  return { ...state, playback, skip };
}

function entriesChanged(state: State, { data }: ChannelEventOf<"playlist.entries">): State {
  const { version, track_count, duration_ms, updated_at } = data;
  const entries = changed(state.entries, data);
  const after = describe(state, { version, track_count, duration_ms, updated_at });
  return { ...after, entries: entries ?? [], outdated: state.outdated || entries === null };
}
