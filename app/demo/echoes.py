"""What the handlers of feed and notifications would have made of the demo's reviews, comments, likes and follows."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.demo.content import Content, Row
from app.demo.ids import demo_id
from app.notifications.kinds import COMMENT, FOLLOW, LIKE, MENTION, REPLY, Kind
from app.users.mentions import mentioned

__all__ = ["Echoes", "build_echoes"]

READ_AFTER_DAYS = 1.5
"""The demo people have read what is older."""
MOMENT = 1e-5


@dataclass(frozen=True)
class Echoes:
    """Rows of the feed and of notifications."""

    activities: list[Row]
    feed_entries: list[Row]
    notifications: list[Row]
    inboxes: list[Row]


def build_echoes(content: Content, now: datetime) -> Echoes:
    """The feeds and inboxes of the demo people."""
    activities = _activities(content)
    for activity in activities:
        activity["created_at"] = now - timedelta(days=activity["age"])
    notifications, inboxes = _numbered(_notifications(content), now)
    return Echoes(activities, _feed_entries(content, activities), notifications, inboxes)


def _activities(content: Content) -> list[Row]:
    reviews = [("review", review["age"], review["user_id"], review["id"], None) for review in content.reviews.values()]
    favorites = [
        ("favorite", review["age"] - MOMENT, review["user_id"], review["id"], None)
        for review in content.reviews.values()
        if review["is_favorite"]
    ]
    follows = [
        ("follow", follow["age"], follow["follower_id"], None, follow["followed_id"]) for follow in content.follows
    ]
    return [
        {
            "id": demo_id("activity", f"{kind} {actor_id} {review_id or followed_id}", age),
            "age": age,
            "actor_id": actor_id,
            "kind": kind,
            "review_id": review_id,
            "followed_id": followed_id,
        }
        for kind, age, actor_id, review_id, followed_id in [*reviews, *favorites, *follows]
    ]


def _feed_entries(content: Content, activities: list[Row]) -> list[Row]:
    """Everybody's feed holds what they and those whom they follow did."""
    readers: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for follow in content.follows:
        readers[follow["followed_id"]].append(follow["follower_id"])
    return [
        {"reader_id": reader_id, "activity_id": activity["id"]}
        for activity in activities
        for reader_id in [activity["actor_id"], *readers[activity["actor_id"]]]
    ]


def _notifications(content: Content) -> list[Row]:
    return [
        *_of_follows(content),
        *_of_likes(content),
        *(row for comment in content.comments for row in _of_comment(content, comment)),
        *(row for review in content.reviews.values() for row in _of_review(content, review)),
    ]


def _notification(user_id: UUID, kind: Kind, doing: Row, actor_id: UUID, subject: str, **about: Any) -> Row:
    return {
        "id": demo_id("notification", f"{user_id} {kind.name} {actor_id} {subject}", doing["age"]),
        "age": doing["age"],
        "user_id": user_id,
        "kind": kind.name,
        "actor_id": actor_id,
        "subject": subject,
    } | ({"review_id": None, "comment_id": None} | about)


def _of_follows(content: Content) -> list[Row]:
    return [
        _notification(follow["followed_id"], FOLLOW, follow, follow["follower_id"], str(follow["followed_id"]))
        for follow in content.follows
    ]


def _of_likes(content: Content) -> list[Row]:
    reviews = {review["id"]: review for review in content.reviews.values()}
    comments = {comment["id"]: comment for comment in content.comments}
    rows = []
    for like in content.likes:
        if review := reviews.get(like["review_id"]):
            target, about = review, {"review_id": review["id"]}
            subject = f"review:{review['id']}"
        elif comment := comments.get(like["comment_id"]):
            target, about = comment, {"review_id": comment["review_id"], "comment_id": comment["id"]}
            subject = f"comment:{comment['id']}"
        else:
            continue
        if target["user_id"] != like["user_id"]:
            rows.append(_notification(target["user_id"], LIKE, like, like["user_id"], subject, **about))
    return rows


def _of_comment(content: Content, comment: Row) -> list[Row]:
    """The author of the comment above, the author of the review, and whom it names: each once."""
    about = {"review_id": comment["review_id"], "comment_id": comment["id"]}
    above = [other["user_id"] for other in content.comments if other["id"] == comment["parent_id"]]
    owner = [review["user_id"] for review in content.reviews.values() if review["id"] == comment["review_id"]]
    subject, author_id = f"comment:{comment['id']}", comment["user_id"]
    told: dict[UUID, Kind] = {}
    for kind, people in ((REPLY, above), (COMMENT, owner), (MENTION, _named(content, comment["text"]))):
        for user_id in people:
            told.setdefault(user_id, kind)
    told.pop(author_id, None)
    return [_notification(user_id, kind, comment, author_id, subject, **about) for user_id, kind in told.items()]


def _of_review(content: Content, review: Row) -> list[Row]:
    subject, author_id = f"review:{review['id']}", review["user_id"]
    return [
        _notification(user_id, MENTION, review, author_id, subject, review_id=review["id"])
        for user_id in _named(content, review["text"] or "")
        if user_id != author_id
    ]


def _named(content: Content, text: str) -> list[UUID]:
    return [content.people[name]["id"] for name in sorted(mentioned(text)) if name in content.people]


def _numbered(notifications: list[Row], now: datetime) -> tuple[list[Row], list[Row]]:
    """The notifications in the order of time with their numbers, and the counters of their inboxes."""
    inboxes: dict[UUID, Row] = {}
    for row in sorted(notifications, key=lambda row: (-row["age"], row["id"])):
        inbox = inboxes.setdefault(
            row["user_id"], {"user_id": row["user_id"], "last_number": 0, "unread_count": 0, "version": 0}
        )
        is_read = row["age"] > READ_AFTER_DAYS
        inbox["last_number"] += 1
        inbox["unread_count"] += not is_read
        inbox["version"] += 1 + is_read
        row["number"] = inbox["last_number"]
        row["created_at"] = now - timedelta(days=row["age"])
        row["read_at"] = now - timedelta(days=row["age"] - READ_AFTER_DAYS) if is_read else None
    return notifications, list(inboxes.values())
