"""Reads of uploads and recordings."""

from typing import Any

from sqlalchemy import Label, Text, Uuid, bindparam, case, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB

from app.catalog.hearing import heard_by
from app.catalog.models import Album, Artist, Track
from app.catalog.queries import TRACK_CARD
from app.core.query import PageQuery, Query
from app.uploads.models import Upload
from app.uploads.schemas import Recording, UploadDetails, UploadedTrack, Waveform
from app.users.models import User
from app.users.queries import VIEWER, not_blocked

__all__ = ["HEARD_RECORDING", "PERSON_UPLOADS", "RECORDING", "UPLOAD", "UPLOADS", "WAVEFORM"]

_TRACK_ID = bindparam("track_id", type_=Uuid)


def _card(prefix: str = "") -> list[Label[Any]]:
    """The columns of a TrackCard."""
    return [column.label(f"{prefix}{column.key}") for column in TRACK_CARD]


_FORMATS = func.jsonb_path_query_array(Upload.renditions, literal_column("'$[*].format'"), type_=JSONB)
_DETAILS = (
    select(
        Upload.id,
        Upload.state,
        Upload.failure_code.label("failure__code"),
        Upload.failure.label("failure__detail"),
        Upload.filename,
        Upload.content_type,
        Upload.size,
        Upload.audio_type,
        Upload.duration_ms,
        Upload.bitrate_kbps,
        Upload.sample_rate,
        Upload.channels,
        Upload.tags.op("-")(literal_column("'lyrics'")).label("tags"),
        *_card("track__"),
        Track.visibility,
        _FORMATS.label("formats"),
        Upload.created_at,
        Upload.finalised_at,
        Upload.expires_at,
    )
    .select_from(Upload)
    .outerjoin(Track, Track.id == Upload.track_id)
    .outerjoin(Artist, Artist.id == Track.artist_id)
    .outerjoin(Album, Album.id == Track.album_id)
    .where(Upload.owner_id == VIEWER)
)
UPLOAD = Query(_DETAILS.where(Upload.id == bindparam("upload_id", type_=Uuid)), into=UploadDetails)
_STATE = bindparam("state", type_=Text)
UPLOADS = PageQuery(
    _DETAILS.where(case((_STATE.is_(None), True), else_=Upload.state == _STATE)), into=UploadDetails, order=[Upload.id]
)

PERSON_UPLOADS = PageQuery(
    select(*_card(), Track.visibility, Track.audio_type, Track.created_at)
    .select_from(Track)
    .join(User, User.id == Track.owner_id)
    .join(Artist, Artist.id == Track.artist_id)
    .outerjoin(Album, Album.id == Track.album_id)
    .where(
        User.username_key == bindparam("username_key", type_=Text),
        User.deleted_at.is_(None),
        not_blocked(User.id),
        Track.merged_into_id.is_(None),
        Track.audio_type.is_not(None),
        heard_by(),
    ),
    into=UploadedTrack,
    order=[Track.id],
)

_RECORDING = (
    select(
        Track.id.label("track_id"),
        Track.title,
        Artist.name.label("artist"),
        Track.visibility,
        Upload.key,
        Upload.size,
        Upload.sha256,
        Upload.audio_type,
        Upload.duration_ms,
        Upload.bitrate_kbps,
        Upload.renditions,
        Upload.finalised_at,
    )
    .select_from(Track)
    .join(Upload, Upload.track_id == Track.id)
    .join(Artist, Artist.id == Track.artist_id)
    .where(Track.id == _TRACK_ID, Upload.state == "ready", Track.audio_type.is_not(None))
)
RECORDING = Query(_RECORDING, into=Recording)
"""For whoever has a signed address."""
HEARD_RECORDING = Query(_RECORDING.where(heard_by()), into=Recording)
WAVEFORM = Query(
    select(Upload.duration_ms, Upload.peaks)
    .join_from(Track, Upload, Upload.track_id == Track.id)
    .where(Track.id == _TRACK_ID, Upload.state == "ready", Upload.peaks.is_not(None), heard_by()),
    into=Waveform,
)
