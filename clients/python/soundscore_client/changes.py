"""What each kind of event changes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from soundscore_client.entries import changed
from soundscore_client.state import State, member_of, reactions_of
from soundscore_client.wire import EntriesOp, Event, Item, Member, Message, Playback, Playlist, You

__all__ = ["CHANGES"]


def _describe(state: State, **fields: Any) -> State:
    """Has the card, or the playlist, say something else."""
    if state.playlist:
        return replace(state, playlist=cast(Playlist, {**state.playlist, **fields}))
    return replace(state, card={**(state.card or {}), **fields})


def _counted(state: State, data: Mapping[str, Any]) -> State:
    # members of playlists are not counted
    return _describe(state, member_count=data["member_count"]) if "member_count" in data else state


def _message_created(state: State, event: Event) -> State:
    data, author = event["data"], event["actor"]
    message: Message = {
        "id": data["id"],
        "sequence": event["sequence"],
        "author": author,
        "text": data["text"],
        "client_id": data["client_id"],
        "reply_to": data["reply_to"],
        "mentions": data["mentions"],
        "track_id": data["track_id"],
        "review_id": data["review_id"],
        "image_key": data["image_key"],
        "reactions": [],
        "created_at": event["at"] or "",
        "edited_at": None,
        "deleted": data["text"] is None,
    }
    state = replace(state, messages=[*state.messages, message])
    if author is None:
        return state
    is_mine = author["id"] == state.you["id"]
    typing = {user_id: name for user_id, name in state.typing.items() if user_id != author["id"]}
    return replace(state, typing=typing, read_sequence=event["sequence"] if is_mine else state.read_sequence)


def _rewrite(state: State, message_id: str, change: Callable[[Message], Message]) -> State:
    messages = [change(message) if message["id"] == message_id else message for message in state.messages]
    return replace(state, messages=messages)


def _message_edited(state: State, event: Event) -> State:
    data = event["data"]

    def edit(message: Message) -> Message:
        return {**message, "text": data["text"], "edited_at": data["edited_at"]}

    return _rewrite(state, data["id"], edit)


def _message_deleted(state: State, event: Event) -> State:
    deleted = event["data"]["id"]

    def empty(message: Message) -> Message:
        return {
            **message,
            "text": None,
            "reply_to": None,
            "mentions": [],
            "track_id": None,
            "review_id": None,
            "image_key": None,
            "reactions": [],
            "deleted": True,
        }

    def without_quote(message: Message) -> Message:
        quote = message["reply_to"]
        if quote is None or quote["id"] != deleted:
            return message
        return {**message, "reply_to": {**quote, "text": None}}

    state = _rewrite(state, deleted, empty)
    return replace(state, messages=[without_quote(message) for message in state.messages])


def _reaction(state: State, event: Event) -> State:
    data, actor = event["data"], event["actor"]
    if actor is None:
        return state

    def react(message: Message) -> Message:
        people = {reaction["emoji"]: reaction["user_ids"] for reaction in message["reactions"]}
        others = [user_id for user_id in people.get(data["emoji"], []) if user_id != actor["id"]]
        people[data["emoji"]] = [*others, actor["id"]] if event["kind"] == "reaction.added" else others
        return {**message, "reactions": reactions_of(people)}

    return _rewrite(state, data["message_id"], react)


def _member_joined(state: State, event: Event) -> State:
    data = event["data"]
    user_id, role = data["user"]["id"], data["role"]
    # a reader of a public playlist is there before they belong to it
    you: You = {**state.you, "role": role} if user_id == state.you["id"] else state.you
    return _counted(replace(state, you=you, members={**state.members, user_id: member_of(data)}), data)


def _member_gone(state: State, event: Event) -> State:
    data = event["data"]
    members = {user_id: member for user_id, member in state.members.items() if user_id != data["user_id"]}
    return _counted(replace(state, members=members), data)


def _change_member(state: State, user_id: str, **fields: Any) -> State:
    member = state.members.get(user_id)
    if member:
        state = replace(state, members={**state.members, user_id: cast(Member, {**member, **fields})})
    if user_id == state.you["id"]:
        state = replace(state, you=cast(You, {**state.you, **fields}))
    return state


def _member_role(state: State, event: Event) -> State:
    return _change_member(state, event["data"]["user_id"], role=event["data"]["role"])


def _member_muted(state: State, event: Event) -> State:
    return _change_member(state, event["data"]["user_id"], muted_until=event["data"]["until"])


def _owner_changed(state: State, event: Event) -> State:
    user_id, previous_id = event["data"]["user_id"], event["data"].get("previous_id")
    state = _change_member(state, user_id, role="owner", muted_until=None)
    if previous_id is not None:
        state = _change_member(state, previous_id, role="editor" if state.playlist else "admin")
    member = state.members.get(user_id)
    shown = {"owner": member["user"]} if member and "owner" in (state.card or {}) else {}
    return _describe(state, owner_id=user_id, **shown)


def _channel_updated(state: State, event: Event) -> State:
    return _describe(state, **event["data"])


def _queue_changed(state: State, event: Event) -> State:
    return replace(state, queue=event["data"]["queue"])


def _queue_edited(state: State, event: Event) -> State:
    data = event["data"]
    votes, placed = data["votes"], data["placed"]
    known = {item["id"]: cast(Item, {**item, "votes": votes.get(item["id"], item["votes"])}) for item in state.queue}
    gone = {*data["removed"], *(place["id"] for place in placed)}
    queue = [item for item_id, item in known.items() if item_id not in gone]
    for place in placed:
        item = place["item"] or known.get(place["id"])
        if item:
            queue.insert(place["index"], item)
    return replace(state, queue=queue)


def _playback_changed(state: State, event: Event) -> State:
    new: Playback = event["data"]["playback"]
    skip = state.skip
    if skip and _item_id(new) != _item_id(state.playback):
        skip = {**skip, "votes": 0}
    return replace(state, playback=new, skip=skip)


def _item_id(playback: Playback | None) -> str | None:
    return playback["item"]["id"] if playback and playback["item"] else None


def _skip_votes(state: State, event: Event) -> State:
    data = event["data"]
    return replace(state, skip={"votes": data["votes"], "needed": data["needed"]})


def _hidden(state: State, event: Event) -> State:
    data = event["data"]
    return _describe(state, **data) if "member_count" in data else state


def _playlist_entries(state: State, event: Event) -> State:
    data = event["data"]
    counts = {name: data[name] for name in ("version", "track_count", "duration_ms", "updated_at")}
    entries = changed(state.entries, cast(EntriesOp, data))
    outdated = state.outdated or entries is None
    return replace(_describe(state, **counts), entries=entries or [], outdated=outdated)


def _closed(state: State, event: Event) -> State:
    return replace(state, closed=True)


CHANGES: Mapping[str, Callable[[State, Event], State]] = {
    "message.created": _message_created,
    "message.edited": _message_edited,
    "message.deleted": _message_deleted,
    "reaction.added": _reaction,
    "reaction.removed": _reaction,
    "member.joined": _member_joined,
    "member.left": _member_gone,
    "member.kicked": _member_gone,
    "member.banned": _member_gone,
    "member.role": _member_role,
    "member.muted": _member_muted,
    "owner.changed": _owner_changed,
    "channel.updated": _channel_updated,
    "queue.changed": _queue_changed,
    "queue.edited": _queue_edited,
    "playback.changed": _playback_changed,
    "skip.votes": _skip_votes,
    "room.closed": _closed,
    "group.closed": _closed,
    "hidden": _hidden,
    "playlist.entries": _playlist_entries,
    "playlist.closed": _closed,
}
