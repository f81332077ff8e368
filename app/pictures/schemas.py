"""Shapes of pictures."""

from pydantic import Field

from app.core.schemas import Output

__all__ = ["Picture"]


class Picture(Output):
    """A picture that was stored. Everybody can fetch it at `url`, and smaller with `?size=320` or `?size=96`."""

    key: str = Field(examples=["covers/0f3a5c….webp"])
    url: str
    width: int
    height: int
