"""Commands of a channel's owner: once for each client id, whoever repeats them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import to_json
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from app.chat.log import hold
from app.chat.models import Channel, ChannelCommand
from app.chat.owners import owner_of
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Fault, Invalid, NotFound
from app.core.jobs import every

__all__ = ["forget_commands", "run_command"]

KEPT = timedelta(days=1)


async def run_command(
    db: Writer, actor: Principal, channel_id: UUID, *, name: str, body: dict[str, Any], client_id: str
) -> dict[str, Any] | None:
    """Carries a command out, or answers what it answered. Raises NotFound, Invalid, and what the command raises."""
    await hold(db, channel_id)
    key = {"channel_id": channel_id, "actor_id": actor.user_id, "client_id": client_id}
    known = await db.one(select(ChannelCommand).filter_by(**key))
    if known is not None:
        return known.result
    kind = await db.scalar(select(Channel.kind).where(Channel.id == channel_id)) or ""
    command = owner_of(kind).commands.get(name)
    if command is None:
        raise NotFound(f"There is no command {name} here.")
    try:
        parsed = command.model.model_validate_json(to_json(body))
    except ValidationError as error:
        raise _invalid(error) from error
    result = await command.run(db, actor, channel_id, parsed)
    await db.flush()
    await db.execute(insert(ChannelCommand).values(**key, result=result))
    return result


def _invalid(error: ValidationError) -> Invalid:
    faults = [
        Fault(pointer="/body/" + "/".join(map(str, item["loc"])), detail=item["msg"], code=item["type"])
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return Invalid("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults[:3]), faults=faults)


@every("17 4 * * *")
async def forget_commands(infra: Any) -> None:
    """Nobody repeats a command after a day."""
    async with infra.db.write() as db:
        await db.execute(delete(ChannelCommand).where(ChannelCommand.created_at < func.now() - KEPT))
