"""What others have and we have not: empty lists, so that clients show nothing instead of an error."""

from app.compat.subsonic.answers import Body, Element
from app.compat.subsonic.calls import Asked, Reads, reads
from app.compat.subsonic.things import kinds_of

__all__: list[str] = []

_EMPTY: dict[str, Body] = {
    "getBookmarks": {"bookmarks": {"bookmark": []}},
    "getInternetRadioStations": {"internetRadioStations": {"internetRadioStation": []}},
    "getNewestPodcasts": {"newestPodcasts": {"episode": []}},
    "getPodcasts": {"podcasts": {"channel": []}},
    "getShares": {"shares": {"share": []}},
    "getVideos": {"videos": {"video": []}},
}


def _always(body: Body) -> Reads:
    async def answer(asked: Asked) -> Body:
        return body

    return answer


for _name, _body in _EMPTY.items():
    reads(_name)(_always(_body))


@reads("getArtistInfo")
async def get_artist_info(asked: Asked) -> Body:
    """What is written about an artist elsewhere: nothing is known here."""
    return {"artistInfo": await _info(asked, "biography")}


@reads("getArtistInfo2")
async def get_artist_info_2(asked: Asked) -> Body:
    """The same, by tags."""
    return {"artistInfo2": await _info(asked, "biography")}


@reads("getAlbumInfo", "getAlbumInfo2")
async def get_album_info(asked: Asked) -> Body:
    """What is written about an album elsewhere: nothing is known here."""
    return {"albumInfo": await _info(asked, "notes")}


async def _info(asked: Asked, text: str) -> Body:
    await kinds_of(asked.db, asked.viewer, [asked.given.id()])
    return {text: Element()}
