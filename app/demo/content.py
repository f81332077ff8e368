"""Turns the files in `data/` into rows: people, a catalogue, and what the people say about it.

Everything follows from the files and from the moment of loading. Counters are counted while the rows are made.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from app.core.text import name_key
from app.demo.ids import demo_id, fraction
from app.demo.pictures import avatar_key, cover_key
from app.demo.synth import length_ms, read_pieces

__all__ = ["Content", "Row", "build_content", "read_data"]

Row = dict[str, Any]

DATA = Path(__file__).parent / "data"
JOINED, CATALOGUED = 240.0, 300.0
LONGEST_PAUSE = 0.3
"""Days between one comment and the next."""
ADMIN = {
    "username": "admin",
    "display_name": "Admin",
    "role": "admin",
    "bio": "I look after this server.",
    "location": "",
    "links": [],
}


@dataclass(frozen=True)
class Content:
    """Rows by what they are called in the files. Each row has `age`, in days, beside its columns."""

    people: dict[str, Row]
    artists: dict[str, Row]
    albums: dict[str, Row]
    tracks: dict[str, Row]
    follows: list[Row]
    reviews: dict[tuple[str, str], Row]
    comments: list[Row]
    likes: list[Row]
    moments: list[Row]


def build_content(now: datetime) -> Content:
    """All rows of the demo, as they look at the moment `now`."""
    content = Content({}, {}, {}, {}, [], {}, [], [], [])
    steps = (_add_people, _add_catalogue, _add_follows, _add_reviews, _add_comments, _add_likes, _add_moments)
    for step in steps:
        step(content)
    groups = (content.people, content.artists, content.albums, content.tracks, content.reviews)
    said = content.comments + content.likes + content.moments
    for row in [row for group in groups for row in group.values()] + content.follows + said:
        row["created_at"] = now - timedelta(days=row["age"])
    for review in content.reviews.values():
        review["published_at"] = review["created_at"]
    for person in content.people.values():
        person["active_at"] = now - timedelta(days=person.pop("idle"))
    return content


def read_data(name: str) -> Any:
    """The contents of one of the files."""
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


def _add_people(content: Content) -> None:
    for number, given in enumerate([*read_data("people"), ADMIN]):
        name, age = given["username"], JOINED - number
        content.people[name] = {
            "id": demo_id("person", name, age),
            "age": age,
            "idle": age,
            "username": name,
            "username_key": name.lower(),
            "display_name": given["display_name"],
            "role": given.get("role", "user"),
            "bio": given["bio"],
            "location": given["location"],
            "links": given["links"],
            "avatar_key": avatar_key(name),
        } | dict.fromkeys(("follower_count", "following_count", "review_count", "rating_sum"), 0)


def _add_catalogue(content: Content) -> None:
    for number, given in enumerate([*read_data("albums"), *_recorded_albums()]):
        age = CATALOGUED - number / 100
        artist = _artist(content, given["artist"], age)
        artist["album_count"] += 1
        artist["genres"] = list(dict.fromkeys([*artist["genres"], *given["genres"]]))
        name = f"{given['artist']} - {given['title']}"
        album = content.albums[name] = {
            "id": demo_id("album", name, age),
            "age": age,
            "title": given["title"],
            "title_key": name_key(given["title"]),
            "artist_id": artist["id"],
            "year": given["year"],
            "release_date": date.fromisoformat(given["release_date"]) if given.get("release_date") else None,
            "label": given.get("label"),
            "genres": given["genres"],
            "cover_key": cover_key(name),
            "track_count": len(given["tracks"]),
            "duration_ms": sum(round(seconds * 1000) for _, seconds in given["tracks"]),
            "review_count": 0,
            "rating_sum": 0,
            "rating_counts": [0] * 10,
            "like_count": 0,
        }
        _add_tracks(content, name, album, given["tracks"])


def _artist(content: Content, name: str, age: float) -> Row:
    new = {
        "id": demo_id("artist", name, age),
        "age": age,
        "name": name,
        "name_key": name_key(name),
        "genres": [],
        "album_count": 0,
    }
    return content.artists.setdefault(name, new)


def _add_tracks(content: Content, album_name: str, album: Row, tracks: list[tuple[str, float]]) -> None:
    for position, (title, seconds) in enumerate(tracks, start=1):
        age = album["age"] - position / 100_000
        content.tracks[_unused(content.tracks, f"{album_name} - {title}")] = {
            "id": demo_id("track", f"{album_name} - {position}", age),
            "age": age,
            "title": title,
            "title_key": name_key(title),
            "artist_id": album["artist_id"],
            "album_id": album["id"],
            "position": position,
            "duration_ms": round(seconds * 1000),
            "genres": album["genres"],
            "like_count": 0,
            "comment_count": 0,
        }


def _recorded_albums() -> list[Row]:
    """Albums of what the demo plays itself."""
    albums: dict[str, Row] = {}
    for piece in read_pieces():
        plain = {"artist": piece["artist"], "title": piece["album"], "year": 2026, "genres": ["music box", "classical"]}
        album = albums.setdefault(piece["album"], plain | {"label": "Public domain", "tracks": []})
        album["tracks"].append((piece["title"], length_ms(piece) / 1000))
    return list(albums.values())


def _add_moments(content: Content) -> None:
    for given in read_data("moments"):
        track, author, age = content.tracks[given["track"]], content.people[given["by"]], given["days_ago"]
        track["comment_count"] += 1
        _was_active(author, age)
        content.moments.append(
            {
                "id": demo_id("moment", f"{given['track']} {given['text']}", age),
                "age": age,
                "track_id": track["id"],
                "user_id": author["id"],
                "position_ms": given["position_ms"],
                "text": given["text"],
            }
        )


def _unused(tracks: dict[str, Row], name: str) -> str:
    """An album may have two tracks of one title; the files mean the first."""
    return next(key for n in count(1) if (key := name if n == 1 else f"{name} ({n})") not in tracks)


def _add_follows(content: Content) -> None:
    for follower, followed in [(one, other) for one, others in read_data("follows").items() for other in others]:
        age = 20 + 180 * fraction("follow", f"{follower} {followed}")
        content.people[follower]["following_count"] += 1
        content.people[followed]["follower_count"] += 1
        content.follows.append(
            {
                "id": demo_id("follow", f"{follower} {followed}", age),
                "age": age,
                "follower_id": content.people[follower]["id"],
                "followed_id": content.people[followed]["id"],
            }
        )


def _add_reviews(content: Content) -> None:
    for given in read_data("reviews"):
        key, age = (given["by"], given["album"]), given["days_ago"]
        author, album, rating = content.people[given["by"]], content.albums[given["album"]], given["rating"]
        for owner in (author, album):
            owner["review_count"] += 1
            owner["rating_sum"] += rating
        album["rating_counts"][rating - 1] += 1
        _was_active(author, age)
        content.reviews[key] = {
            "id": demo_id("review", " ".join(key), age),
            "age": age,
            "user_id": author["id"],
            "album_id": album["id"],
            "rating": rating,
            "text": given.get("text"),
            "is_favorite": given.get("favorite", False),
            "like_count": 0,
            "comment_count": 0,
        }


def _was_active(person: Row, age: float) -> None:
    person["idle"] = min(person["idle"], age)


def _add_comments(content: Content) -> None:
    ages: dict[UUID, float] = {review["id"]: review["age"] for review in content.reviews.values()}
    for given in read_data("comments"):
        review = content.reviews[given["review"]["by"], given["review"]["album"]]
        thread = _comment(content, review, given, ages)
        for reply in given.get("replies", []):
            answer = _comment(content, review, reply, ages, parent=thread)
            thread["reply_count"] += 1
            # whoever answers under their own review has read the comment with pleasure
            if answer["user_id"] == review["user_id"] != thread["user_id"]:
                _like(content, reply["by"], "comment_id", thread, answer["age"])


def _comment(content: Content, review: Row, given: Row, ages: dict[UUID, float], *, parent: Row | None = None) -> Row:
    """The next comment on the review: some time after the one before it, and always before now."""
    before = ages[review["id"]]
    pause = min(before / 4, LONGEST_PAUSE) * (0.3 + 0.7 * fraction("pause", given["text"]))
    age = ages[review["id"]] = before - pause
    author = content.people[given["by"]]
    _was_active(author, age)
    review["comment_count"] += 1
    comment = {
        "id": demo_id("comment", f"{review['id']} {given['by']} {given['text']}", age),
        "age": age,
        "user_id": author["id"],
        "review_id": review["id"],
        "parent_id": parent["id"] if parent else None,
        "text": given["text"],
        "like_count": 0,
        "reply_count": 0,
    }
    content.comments.append(comment)
    return comment


def _add_likes(content: Content) -> None:
    for name, given in read_data("likes").items():
        for album in given["albums"]:
            own = content.reviews.get((name, album))
            _like(content, name, "album_id", content.albums[album], own["age"] if own else 60)
        for track in given["tracks"]:
            _like(content, name, "track_id", content.tracks[track], 60)
        for review in given["reviews"]:
            liked = content.reviews[review["by"], review["album"]]
            _like(content, name, "review_id", liked, min(liked["age"], 5 + liked["age"] / 2))


def _like(content: Content, name: str, column: str, target: Row, oldest: float) -> None:
    """A like of the target, at a moment between `oldest` days ago and now that the names decide."""
    person = content.people[name]
    age = oldest * (0.05 + 0.95 * fraction("like", f"{name} {target['id']}"))
    _was_active(person, age)
    target["like_count"] += 1
    like = {"id": demo_id("like", f"{name} {target['id']}", age), "age": age, "user_id": person["id"]}
    empty = dict.fromkeys(("album_id", "track_id", "review_id", "comment_id"))
    content.likes.append(like | empty | {column: target["id"]})
