"""What the documentation shows as examples: things and people of the demo, so that they can be tried as they are.

Albums, artists and tracks of the demo have the same ids on every machine. A test tries every example.
"""

from typing import Any

__all__ = [
    "ALBUM",
    "ARTIST",
    "BODIES",
    "IN_PATHS",
    "OF_OPERATIONS",
    "PASSWORD",
    "PERSON",
    "SOMEBODY",
    "TRACKS",
    "UNREVIEWED",
]

ALBUM = "01956ec6-f700-73a5-8c43-4797e00d8474"
"""Kind of Blue."""
UNREVIEWED = "01956ed4-2600-7d14-b516-26f975a37351"
"""A Love Supreme, which PERSON has not reviewed."""
ARTIST = "01956ec6-f700-77a8-81ac-c7698e1ba072"
"""Miles Davis."""
TRACKS = (
    "01956ec6-fa60-76d3-9f8d-5491f3360b6b",
    "01956ec6-fdc0-7dab-b999-774370ddfea9",
    "01956ec7-0120-71cb-a654-4703868cc815",
    "01956ec7-0480-75c4-a450-d49cbda5e107",
    "01956ec7-07e0-7719-91ce-13096d94ed42",
)
"""Those of ALBUM, from So What to Flamenco Sketches."""
PERSON = "ana"
"""Whoever tries things is signed in as her; what is for admins, as `admin` with the same password."""
PASSWORD = "listen-together"  # noqa: S105 -- everybody may know it
SOMEBODY = "marcus_t"
"""Somebody else, whom she follows."""

IN_PATHS = {
    "album_id": ALBUM,
    "artist_id": ARTIST,
    "track_id": TRACKS[0],
    "review_id": "019b6031-e000-76ae-8c01-e9cef6d02266",  # SOMEBODY's, of ALBUM
    "comment_id": "019b7059-74ed-7a36-a749-fc3f907b38a7",  # on PERSON's review of OK Computer
    "notification_id": "019b7254-6e34-73dd-b613-234cf45e13d1",  # PERSON's
    "key": "covers/demo-cf00b8ccd52b8ba016c5021c.webp",  # of ALBUM
    "provider": "google",
    "channel_id": "019b70ac-a000-7570-a314-85d617b2b4f7",  # what PERSON and bruno talk about
    "message_id": "019b70ac-a000-7c6e-bf03-edffe4fdd125",  # the first there, PERSON's
    "emoji": "🔥",
}
"""By the name of the parameter."""

_LOUD, _STRANGER = {"username": "tom_wilde"}, {"username": "timur_k"}  # PERSON follows neither
_OWN_REVIEW = {"review_id": "019a67f8-f400-712b-aa56-566d2c42cab4"}
_OWN_COMMENT = {"comment_id": "019b60d0-8f28-78af-8b50-d5c4e9f904f1"}

OF_OPERATIONS: dict[str, dict[str, str]] = {
    "edit_review": _OWN_REVIEW,
    "delete_review": _OWN_REVIEW,
    "edit_comment": _OWN_COMMENT,
    "delete_comment": _OWN_COMMENT,
    "delete_message": {"message_id": "019b70b9-7140-7767-84c7-b9afd0c1e033"},
    # whoever tries these goes on with the others, so they take nothing away that the others name
    "block_person": _LOUD,
    "unblock_person": _LOUD,
    "mute_person": _STRANGER,
    "unmute_person": _STRANGER,
    "dismiss_suggestion": _STRANGER,
    "undo_dismissal": _STRANGER,
    "delete_album": {"album_id": "01957167-5400-7b5b-8d7e-3c48e09f0cfc"},  # Siembra, which nobody reviewed
    "delete_track": {"track_id": "01956e0e-6f20-782a-90da-cd2bc9ff8072"},  # Have a Cigar
    "merge_artists": {"artist_id": "01957038-1b00-760d-a3aa-52e6b888fac5"},  # Lorde
    "merge_albums": {"album_id": "01956df4-0700-7948-97ee-f5f3de02bdb0"},  # Revolver
    "merge_tracks": {"track_id": "01956e0e-75e0-7b12-b208-10bb0248b7fb"},  # Shine On You Crazy Diamond (Parts VI–IX)
}
"""Where an operation needs another thing than most: parameters by the name of the operation."""

BODIES: dict[str, dict[str, Any]] = {
    "merge_artists": {"into": "01957045-4a00-7a0c-a2e1-82566c8e5b7b"},  # Billie Eilish
    "merge_albums": {"into": "01956de6-d800-79c9-9092-baeca23ee43e"},  # Abbey Road
    "merge_tracks": {"into": "01956e0e-6860-7a60-a476-afbf687d3913"},  # Shine On You Crazy Diamond (Parts I–V)
}
"""Where one schema serves several operations: bodies by the name of the operation."""
