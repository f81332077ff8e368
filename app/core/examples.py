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
    "group_id": "019b0fdb-7800-7177-a914-7d640b349f2f",  # Records at breakfast, PERSON's
    "room_id": "019b390e-5800-7d3c-9b8f-dc7799ebb3bb",  # Late night jazz, PERSON's
    "item_id": "019b76cd-7a59-7487-ae98-400239357f3e",  # Chameleon, which waits there
    "user_id": "0196c6f0-ec00-7df5-9a1e-ebcdae832449",  # june_h
    "role": "guest",
    "playlist_id": "019ac7c2-7000-7703-a3c9-6c1928b7bfd5",  # Low light, PERSON's
    "entry_id": "019ac867-3b80-739d-8c38-f80668018fdf",  # Morena Boca de Ouro in it
}
"""By the name of the parameter."""

_LOUD, _STRANGER = {"username": "tom_wilde"}, {"username": "timur_k"}  # PERSON follows neither
_OTHER_GROUP = {"group_id": "019b4881-6c00-7f05-af70-63d82297ff10"}  # Discos de domingo
_OTHER_ROOM = {"room_id": "019b57f4-8000-7347-8212-cba63d994f8b"}  # Signal and noise
_NOT_THERE = {"username": "priya", "user_id": "0196d13d-a400-7fa6-be9c-ba1c7e57a0fb"}  # tom_wilde in the other case
_QUIET = {"username": "lena", "user_id": "0196bca4-3400-762e-b381-c019269736cb"}  # vera in the other case
_LENA = {"user_id": "0196db8a-5c00-7100-8f6a-a548a3222599"}  # works on the playlist
_OWN_REVIEW = {"review_id": "019a67f8-f400-712b-aa56-566d2c42cab4"}
_OWN_COMMENT = {"comment_id": "019b60d0-8f28-78af-8b50-d5c4e9f904f1"}

OF_OPERATIONS: dict[str, dict[str, str]] = {
    "edit_review": _OWN_REVIEW,
    "delete_review": _OWN_REVIEW,
    "edit_comment": _OWN_COMMENT,
    "delete_comment": _OWN_COMMENT,
    "delete_message": {"message_id": "019b70b9-7140-7767-84c7-b9afd0c1e033"},
    "join_group": _OTHER_GROUP,
    "leave_group": _OTHER_GROUP,
    "delete_group": _OTHER_GROUP,
    "join_room": _OTHER_ROOM,
    "leave_room": _OTHER_ROOM,
    "delete_room": _OTHER_ROOM,
    "dismiss_suggested_room": _OTHER_ROOM,
    "undo_room_dismissal": _OTHER_ROOM,
    "ban_from_group": _NOT_THERE,
    "unban_from_group": _NOT_THERE,
    "ban_from_room": _NOT_THERE,
    "unban_from_room": _NOT_THERE,
    "mute_group_member": _QUIET,
    "unmute_group_member": _QUIET,
    "mute_in_room": _QUIET,
    "unmute_in_room": _QUIET,
    "change_group_role": _QUIET,
    "set_room_role": _QUIET,
    "accept_playlist_invite": {"playlist_id": "019b0ab5-1c00-75df-a36d-3e625e65809d"},  # Domingo devagar
    "decline_playlist_invite": {"playlist_id": "019b3e34-b400-70c2-b43b-9fb86f9478f4"},  # Short ones
    "delete_playlist": {"playlist_id": "019b6767-9400-7efa-a399-8b3ff8a2ed0c"},  # Gift for June
    "change_playlist_role": _LENA,
    "remove_from_playlist": _LENA,
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
    "create_room": {"name": "Blue hour", "description": "Slow ones only.", "genres": ["jazz"]},
    "update_room": {"description": "Hard bop until the sun comes up."},
    "create_room_invite": {"max_uses": 5},
    "add_to_room_queue": {"track_id": TRACKS[4]},
    "control_room_playback": {"action": "pause"},
    "mute_in_room": {"minutes": 10},
    "invite_to_group": {"username": "lena"},
    "invite_to_room": {"username": "june_h"},
    "invite_to_playlist": {"username": "june_h", "role": "editor"},
    "add_listens": {"listens": [{"track_id": TRACKS[0], "listened_at": "2026-05-01T20:15:00Z"}]},
    "set_now_playing": {"track_id": TRACKS[0], "client": "Kitchen radio"},
    "merge_artists": {"into": "01957045-4a00-7a0c-a2e1-82566c8e5b7b"},  # Billie Eilish
    "merge_albums": {"into": "01956de6-d800-79c9-9092-baeca23ee43e"},  # Abbey Road
    "merge_tracks": {"into": "01956e0e-6860-7a60-a476-afbf687d3913"},  # Shine On You Crazy Diamond (Parts I–V)
}
"""Where one schema serves several operations: bodies by the name of the operation."""
