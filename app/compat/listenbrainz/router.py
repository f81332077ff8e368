"""`/1`: ListenBrainz. It stays out of the OpenAPI document, whose promises it does not make."""

from typing import Any

from app.compat.listenbrainz.calls import Asked, reads
from app.compat.listenbrainz.playlists import router
from app.core.auth import Principal
from app.core.errors import BadRequest
from app.users.service import get_own_profile

__all__ = ["router"]


@reads(router, "/1/validate-token")
async def validate_token(asked: Asked) -> dict[str, Any]:
    """Whether the token is good, and whose it is."""
    sender = asked.request.scope.get("principal")
    if sender is None:
        raise BadRequest("You need to provide an Authorization token.")
    if not isinstance(sender, Principal):
        return {"code": 200, "message": "Token invalid.", "valid": False}
    person = await get_own_profile(asked.db, sender)
    return {"code": 200, "message": "Token valid.", "valid": True, "user_name": person.username}
