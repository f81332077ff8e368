"""The mail with an exported playlist: a table for people, a file for programs."""

import re
from collections.abc import Sequence
from html import escape
from uuid import UUID

from pydantic_core import to_json

from app.core.text import name_key
from app.integrations.mail import Attachment, Mail
from app.playlists.schemas import SavedEntry

__all__ = ["compose"]

MOST_ROWS = 1_000
_CELL = 'style="padding:.3em .6em;border-bottom:1px solid #ddd;text-align:left"'
_PAGE = (
    '<!doctype html><html lang="en"><body style="font:16px/1.5 system-ui,sans-serif;max-width:50em;margin:2em auto;'
    'padding:0 1em;color:#222"><h1 style="font-size:1.4em">{title}</h1><p>{intro}</p>'
    '<table style="border-collapse:collapse;width:100%"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    '<p>{rest}</p><p style="color:#777">SoundScore</p></body></html>'
)
_HEAD = ("#", "Title", "Artist", "Album", "Length")


def compose(
    playlist_id: UUID, name: str, entries: Sequence[SavedEntry], *, sender: str, to: str, message_id: str
) -> Mail:
    """The mail. `sender` is the name of whoever asked for it."""
    count = f"{len(entries)} track" + ("" if len(entries) == 1 else "s")
    intro = f"{sender} sends you this playlist from SoundScore: {count}. The attached file is for programs."
    rows = [_row(number, entry) for number, entry in enumerate(entries, 1) if number <= MOST_ROWS or not entry.track_id]
    left = len(entries) - len(rows)
    rest = f"{left} more are in the attached file." if left else ""
    return Mail(
        to=to,
        subject=f"Playlist: {' '.join(name.split())}",
        text=_text(name, intro, rows, rest),
        html=_html(name, intro, rows, rest),
        message_id=message_id,
        attachments=(Attachment(_file_name(name), "application/json", document(playlist_id, name, entries)),),
    )


def document(playlist_id: UUID, name: str, entries: Sequence[SavedEntry]) -> bytes:
    """The JSON of the OpenMusic contract, where each song has an id: what the catalogue lacks is in the table alone."""
    songs = [
        {"id": entry.track_id, "title": entry.title, "performer": entry.artist} for entry in entries if entry.track_id
    ]
    return to_json({"playlist": {"id": playlist_id, "name": name, "songs": songs}}, indent=2)


def _row(number: int, entry: SavedEntry) -> tuple[str, ...]:
    return str(number), entry.title, entry.artist, entry.album or "", _length(entry.duration_ms)


def _length(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _text(name: str, intro: str, rows: Sequence[tuple[str, ...]], rest: str) -> str:
    lines = [_line(*row) for row in rows]
    return "\n".join([name, "", intro, "", *lines, *(["", rest] if rest else []), "", "SoundScore", ""])


def _line(number: str, title: str, artist: str, album: str, length: str) -> str:
    about = ", ".join(filter(None, (album, length)))
    return f"{number:>5}. {artist} - {title}" + (f" ({about})" if about else "")


def _html(name: str, intro: str, rows: Sequence[tuple[str, ...]], rest: str) -> str:
    head = "".join(f"<th {_CELL}>{cell}</th>" for cell in _HEAD)
    body = "\n".join(f"<tr>{''.join(f'<td {_CELL}>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return _PAGE.format(title=escape(name), intro=escape(intro), head=head, rows=body, rest=escape(rest))


def _file_name(name: str) -> str:
    """In letters that every system can keep in a file name."""
    return f"{re.sub(r'[^a-z0-9]+', '-', name_key(name)).strip('-')[:60] or 'playlist'}.json"
