"""Which kinds of notifications a person wants."""

from sqlalchemy.dialects.postgresql import insert

from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Invalid
from app.core.query import Runs
from app.notifications.kinds import kinds
from app.notifications.models import NotificationPreference
from app.notifications.queries import PREFERENCES
from app.notifications.schemas import Preference, Preferences

__all__ = ["get_preferences", "set_preferences"]


async def get_preferences(db: Runs, actor: Principal) -> Preferences:
    """Every kind; one about which nothing was said is on."""
    off = set(await PREFERENCES.all(db, viewer=actor.user_id))
    known = kinds().values()
    return Preferences(items=[Preference(kind=it.name, title=it.title, enabled=it.name not in off) for it in known])


async def set_preferences(db: Writer, actor: Principal, wanted: dict[str, bool]) -> Preferences:
    """Switches kinds on or off. Raises Invalid for a kind that there is not."""
    for name in wanted.keys() - kinds().keys():
        raise Invalid.field(f"/body/kinds/{name}", f"There is no kind {name!r}; there are {', '.join(kinds())}.")
    rows = [{"user_id": actor.user_id, "kind": name, "enabled": enabled} for name, enabled in sorted(wanted.items())]
    if rows:
        put = insert(NotificationPreference).values(rows)
        keys = [NotificationPreference.user_id, NotificationPreference.kind]
        await db.execute(put.on_conflict_do_update(index_elements=keys, set_={"enabled": put.excluded.enabled}))
    return await get_preferences(db, actor)
