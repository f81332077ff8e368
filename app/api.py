"""The ordered list of routers under /api/v1, and the paths that need no login."""

from typing import Any

from fastapi import APIRouter

from app import __version__
from app.auth.account import router as account
from app.auth.keys_router import router as keys
from app.auth.pages import router as auth_pages
from app.auth.router import router as auth
from app.auth.tickets import socket_user
from app.catalog import editing_router as catalog_edits
from app.catalog import pictures_router as pictures
from app.catalog import router as catalog
from app.catalog.comments_router import track_comments
from app.catalog.search_router import router as search
from app.chat.pictures_router import router as chat_pictures
from app.chat.protocol import asyncapi
from app.chat.router import conversations
from app.chat.router import router as chat
from app.chat.simple_ws import simple_socket
from app.chat.ws import channel_socket
from app.compat.router import routers as dialects
from app.core.http import API
from app.core.routing import RouteTable
from app.discover.router import router as discover
from app.feed.router import router as feed
from app.groups.invites_router import router as group_invites
from app.groups.members_router import router as group_members
from app.groups.router import router as groups
from app.integrations.storage_router import router as file_uploads
from app.library.router import evenings, listens
from app.library.router import people as listeners
from app.moderation.router import router as moderation
from app.notifications.router import router as notifications
from app.pictures.router import router as media
from app.playlists.entries_router import router as playlist_entries
from app.playlists.export_router import router as playlist_exports
from app.playlists.files_router import router as playlist_files
from app.playlists.members_router import router as playlist_members
from app.playlists.router import people as playlist_owners
from app.playlists.router import router as playlists
from app.reviews.router import albums, comments
from app.reviews.router import router as reviews
from app.rooms.invitations_router import router as room_invitations
from app.rooms.people_router import router as room_people
from app.rooms.playing_router import router as room_playing
from app.rooms.router import router as rooms
from app.uploads.media_router import media as recordings
from app.uploads.media_router import tracks as recorded_tracks
from app.uploads.router import people as uploaders
from app.uploads.router import router as uploads
from app.users.pictures_router import router as own_pictures
from app.users.router import router as users

__all__ = ["PUBLIC", "TAGS", "api", "root"]

api = RouteTable(API)
api.include_router(auth)
api.include_router(keys)
api.include_router(users)
api.include_router(own_pictures)
api.include_router(account)
api.include_router(reviews)
api.include_router(comments)
api.include_router(albums)
api.include_router(catalog.artists)
api.include_router(catalog.albums)
api.include_router(catalog.tracks)
api.include_router(track_comments)
api.include_router(catalog.genres)
api.include_router(catalog.liked)
api.include_router(catalog_edits.artists)
api.include_router(catalog_edits.albums)
api.include_router(catalog_edits.tracks)
api.include_router(uploads)
api.include_router(uploaders)
api.include_router(recorded_tracks)
api.include_router(recordings)
api.include_router(pictures.artists)
api.include_router(pictures.albums)
api.include_router(file_uploads)
api.include_router(media)
api.include_router(search)
api.include_router(listens)
api.include_router(listeners)
api.include_router(feed)
api.include_router(discover)
api.include_router(notifications)
api.include_router(playlist_exports)
api.include_router(room_invitations)
api.include_router(rooms)
api.include_router(room_people)
api.include_router(room_playing)
api.include_router(evenings)
api.include_router(chat)
api.include_router(chat_pictures)
api.include_router(conversations)
api.include_router(group_invites)
api.include_router(groups)
api.include_router(group_members)
api.include_router(playlist_members)
api.include_router(playlists)
api.include_router(playlist_files)
api.include_router(playlist_entries)
api.include_router(playlist_owners)
api.include_router(moderation)

root = APIRouter()
"""What has its place outside of /api/v1."""
root.include_router(auth_pages)
for dialect in dialects:
    root.include_router(dialect)
for kind, path in (("room", "rooms"), ("group", "groups"), ("direct", "direct"), ("playlist", "playlists")):
    root.add_websocket_route(f"/ws/{path}/{{channel_id}}", channel_socket(kind, socket_user), f"{kind}_socket")


@root.get("/asyncapi.json", include_in_schema=False)
async def sockets_document() -> dict[str, Any]:
    """The AsyncAPI document of the sockets."""
    return asyncapi(__version__)


root.add_websocket_route("/ws/chat/{channel_id}", simple_socket("room", socket_user), "room_chat_socket")

TAGS = [
    {"name": name, "description": description}
    for name, description in {
        "auth": "Accounts, sessions, tokens. Sign in with `login`; refresh the access token before it expires.",
        "users": "People: profiles, privacy, following, blocking, muting, and the export of one's own data.",
        "search": "Artists, albums, tracks and people at once; accents, case and small typos are forgiven.",
        "artists": "Artists and their albums. Curators edit the catalogue.",
        "albums": "Albums with their tracks, ratings, covers, likes and reviews.",
        "tracks": "Tracks, their likes, and their places on albums.",
        "uploads": "Recordings of your own: announce one, send the file, finalise. Then it is a track.",
        "media": "Pictures, in the sizes that pages need, and recordings by their signed addresses.",
        "reviews": "Ratings of 1 to 10 half stars with a text; one for each person and album.",
        "comments": "Comments on reviews and tracks, with one level of replies.",
        "listens": "What people hear now and have heard, as far as they show it.",
        "feed": "What the people whom you follow did, the latest first.",
        "discover": "Charts, trends, fresh reviews, and people whom you may like.",
        "rooms": "People who hear the same second of the same track. Live over `/ws/rooms/{id}`.",
        "chat": "Messages of rooms, groups and conversations of two; live over the sockets at `/ws/…`.",
        "groups": "People who talk about something, in public or among themselves.",
        "playlists": "Tracks in an order, together or alone, or by rules. Live over `/ws/playlists/{id}`.",
        "notifications": "What happened to you: a list, a count, preferences, and a live stream.",
        "admin": "For admins: roles, what admins did, and the jobs that failed.",
        "health": "For hosts and monitors: alive, ready, metrics.",
    }.items()
]
"""What the documentation says of each group, in the order of its page."""

PUBLIC: frozenset[str] = frozenset(
    {
        "sockets_document",
        # auth
        "ask_for_new_password",
        "begin_oauth",
        "confirm_reset",
        "confirm_verification",
        "exchange_oauth_code",
        "finish_oauth",
        "get_json_web_keys",
        "list_oauth_providers",
        "login",
        "login_by_json",
        "refresh",
        "register",
        "resend_verification",
        "reset_password",
        "show_reset",
        "show_verification",
        "verify_email",
        # users
        "get_person",
        "list_followers",
        "list_following",
        # catalog
        "get_album_likes",
        "get_artist",
        "get_picture",
        "get_track",
        "list_album_likers",
        "list_album_tracks",
        "list_albums",
        "list_artist_albums",
        "list_artists",
        "list_genres",
        "list_liked_albums",
        "list_liked_tracks",
        "list_track_likers",
        "list_tracks",
        "list_track_comments",
        "search_everything",
        # media; the link itself is the permission
        "put_upload",
        # uploads
        "get_waveform",
        "list_person_uploads",
        "probe_recording",
        "probe_track",
        "stream_recording",
        "stream_track",
        # reviews
        "get_album",
        "get_comment",
        "get_review",
        "list_album_reviews",
        "list_comments",
        "list_replies",
        "list_review_likers",
        "list_reviews",
        "list_revisions",
        "list_user_reviews",
        # groups
        "get_group",
        "list_groups",
        # playlists
        "download_playlist",
        "get_playlist",
        "list_playlist_entries",
        "list_playlist_likers",
        "list_playlist_members",
        "list_playlists",
        "list_user_playlists",
        # rooms
        "get_queued_item",
        "get_room",
        "get_room_by_name",
        "get_room_playback",
        "get_skip_vote",
        "list_room_history",
        "list_room_members",
        "list_room_queue",
        "list_rooms",
        # library
        "get_listening_stats",
        "get_now_playing",
        "list_listens",
        "list_recent_tracks",
        "list_top",
        # discover
        "list_busy_genres",
        "list_public_reviews",
        "list_top_albums",
        "list_trending_albums",
        "list_trending_tracks",
    }
)
"""Names of the operations that answer without a token. A test holds every other operation to its login."""
