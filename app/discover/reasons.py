"""Why somebody is suggested, in a sentence. `count` may be more than the few albums that are named."""

from app.discover.schemas import Reason, SharedAlbum, SimilarityParts

__all__ = ["recent_activity", "shared_favorites", "shared_likes", "similar_ratings"]


def similar_ratings(common: int, loved: int, albums: list[SharedAlbum], parts: SimilarityParts) -> Reason | None:
    """What both gave 9 or more to; else that their ratings agree."""
    if albums:
        sentence = f"You both gave 9 or more to {_and_more(albums, loved)}"
        return Reason(kind="similar_ratings", sentence=sentence, count=loved, albums=albums)
    if parts.rating_similarity == 0:
        return None
    sentence = f"You agree about {_counted(common, 'album')} that you both rated"
    return Reason(kind="similar_ratings", sentence=sentence, count=common, albums=[])


def shared_likes(count: int, albums: list[SharedAlbum]) -> Reason | None:
    """Albums and tracks that both like."""
    if count == 0:
        return None
    what = _and_more(albums, count) if albums else f"{_counted(count, 'track')}"
    return Reason(kind="shared_likes", sentence=f"You both like {what}", count=count, albums=albums)


def shared_favorites(count: int, albums: list[SharedAlbum]) -> Reason | None:
    """Albums that are a favourite of both."""
    if not albums:
        return None
    verb = "is a favourite" if count == 1 else "are favourites"
    sentence = f"{_and_more(albums, count)} {verb} of both of you"
    return Reason(kind="shared_favorites", sentence=sentence, count=count, albums=albums)


def recent_activity(days: int) -> Reason:
    """How long ago the person was active."""
    when = "today" if days < 1 else "yesterday" if days == 1 else f"{days} days ago"
    return Reason(kind="recent_activity", sentence=f"Active {when}", count=max(days, 0), albums=[])


def _and_more(albums: list[SharedAlbum], count: int) -> str:
    title = albums[0].title
    return title if count == 1 else f"{title} and {count - 1} more"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
