"""What messages share: only what their authors may show to others."""

from collections.abc import Sequence
from uuid import UUID

from app.chat.drafts import Draft
from app.chat.owners import attachments
from app.chat.pictures import usable_pictures, use_pictures
from app.core.db import Writer
from app.core.errors import Invalid

__all__ = ["refuse_unshareable", "show_pictures"]


async def refuse_unshareable(db: Writer, drafts: Sequence[Draft]) -> None:
    """Tracks and reviews: each kind is asked about once."""
    for name, known in attachments().items():
        wanted = [(draft.author.id, getattr(draft.said, name)) for draft in drafts if getattr(draft.said, name)]
        allowed = await known(db, wanted) if wanted else set()
        for draft in drafts:
            thing = getattr(draft.said, name)
            if thing and (draft.author.id, thing) not in allowed:
                draft.refuse(Invalid.field(f"/{name}", "There is no such thing that you can share.", "unknown_id"))


async def show_pictures(db: Writer, channel_id: UUID, drafts: Sequence[Draft]) -> None:
    """Each picture that waits for a message is shown by the first that names it; others that name one are refused."""
    naming = [draft for draft in drafts if draft.said.image_key and not draft.answer.done()]
    if not naming:
        return
    sent = {(draft.author.id, draft.said.image_key or "") for draft in naming}
    waiting = await usable_pictures(db, channel_id, sent)
    for draft in naming:
        picture = (draft.author.id, draft.said.image_key or "")
        if picture not in waiting:
            detail = "There is no such picture of yours that waits for a message here. Store it again."
            draft.refuse(Invalid.field("/image_key", detail, "unknown_id"))
        waiting.discard(picture)
    await use_pictures(db, [draft.said.image_key or "" for draft in naming if not draft.answer.done()])
