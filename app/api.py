"""The ordered list of routers under /api/v1, and the paths that need no login."""

from fastapi import APIRouter

from app.auth.account import router as account
from app.auth.keys_router import router as keys
from app.auth.pages import router as auth_pages
from app.auth.router import router as auth
from app.catalog import editing_router as catalog_edits
from app.catalog import pictures_router as pictures
from app.catalog import router as catalog
from app.catalog.search_router import router as search
from app.core.http import API
from app.core.routing import RouteTable
from app.discover.router import router as discover
from app.feed.router import router as feed
from app.library.router import listens
from app.library.router import people as listeners
from app.moderation.router import router as moderation
from app.notifications.router import router as notifications
from app.reviews.router import albums, comments
from app.reviews.router import router as reviews
from app.users.router import router as users

__all__ = ["PUBLIC", "TAGS", "api", "root"]

api = RouteTable(API)
api.include_router(auth)
api.include_router(keys)
api.include_router(users)
api.include_router(account)
api.include_router(reviews)
api.include_router(comments)
api.include_router(albums)
api.include_router(catalog.artists)
api.include_router(catalog.albums)
api.include_router(catalog.tracks)
api.include_router(catalog.genres)
api.include_router(catalog.liked)
api.include_router(catalog_edits.artists)
api.include_router(catalog_edits.albums)
api.include_router(catalog_edits.tracks)
api.include_router(pictures.artists)
api.include_router(pictures.albums)
api.include_router(pictures.media)
api.include_router(search)
api.include_router(listens)
api.include_router(listeners)
api.include_router(feed)
api.include_router(discover)
api.include_router(notifications)
api.include_router(moderation)

root = APIRouter()
"""What has its place outside of /api/v1."""
root.include_router(auth_pages)

TAGS = [
    {"name": name, "description": description}
    for name, description in {
        "auth": "Accounts, sessions, tokens. Sign in with `login`; refresh the access token before it expires.",
        "users": "People: profiles, privacy, following, blocking, muting, and the export of one's own data.",
        "search": "Artists, albums, tracks and people at once; accents, case and small typos are forgiven.",
        "artists": "Artists and their albums. Curators edit the catalogue.",
        "albums": "Albums with their tracks, ratings, covers, likes and reviews.",
        "tracks": "Tracks, their likes, and their places on albums.",
        "media": "Pictures, in the sizes that pages need.",
        "reviews": "Ratings of 1 to 10 half stars with a text; one for each person and album.",
        "comments": "Comments on reviews, with one level of replies.",
        "listens": "What people hear now and have heard, as far as they show it.",
        "feed": "What the people whom you follow did, the latest first.",
        "discover": "Charts, trends, fresh reviews, and people whom you may like.",
        "notifications": "What happened to you: a list, a count, preferences, and a live stream.",
        "admin": "For admins: roles, bans, removals, and the jobs that failed.",
        "health": "For hosts and monitors: alive, ready, metrics.",
    }.items()
]
"""What the documentation says of each group, in the order of its page."""

PUBLIC: frozenset[str] = frozenset(
    {
        # auth
        "ask_for_new_password",
        "begin_oauth",
        "confirm_reset",
        "confirm_verification",
        "exchange_oauth_code",
        "finish_oauth",
        "get_json_web_keys",
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
        "search_everything",
        # reviews
        "get_album",
        "get_review",
        "list_album_reviews",
        "list_comments",
        "list_replies",
        "list_review_likers",
        "list_reviews",
        "list_revisions",
        "list_user_reviews",
        # library
        "get_listening_stats",
        "get_now_playing",
        "list_listens",
        "list_top",
        # discover
        "list_busy_genres",
        "list_public_reviews",
        "list_top_albums",
        "list_trending_albums",
    }
)
"""Names of the operations that answer without a token. A test holds every other operation to its login."""
