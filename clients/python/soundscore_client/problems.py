"""What can go wrong."""

from soundscore_client.wire import Frame

__all__ = ["Ended", "Problem", "Refused"]


class Ended(Exception):
    """The channel is over for this client: it left, or may not be there. `code` is the close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code, self.reason = code, reason


class Problem(Exception):
    """The server did not do what it was asked for. `body` is the whole problem."""

    def __init__(self, body: Frame) -> None:
        super().__init__(body.get("detail") or body.get("title") or body.get("code") or body.get("status"))
        self.code: str = body.get("code", "")
        self.status: int = body.get("status", 0)
        self.body = body


class Refused(Exception):
    """There is no token to be had."""
