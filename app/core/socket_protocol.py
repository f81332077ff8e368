"""uvicorn's WebSocket protocol, with a way past ASGI for what goes to many sockets.

A loop of ASGI sends encodes the same text for each socket and awaits each; here ready frames go straight to the
transport, whose write buffer is the socket's bounded queue.
"""

import asyncio
from contextlib import suppress
from math import inf
from typing import Any

from uvicorn.protocols.websockets.wsproto_impl import FrameTooLargeError, WSProtocol
from wsproto.events import BytesMessage, CloseConnection, Request, TextMessage
from wsproto.utilities import LocalProtocolError

__all__ = ["EXTENSION", "MOST_BYTES", "MOST_WAITING", "SocketProtocol"]

EXTENSION = "soundscore.wire"
"""Where the ASGI scope has the protocol."""
MOST_BYTES = 16 * 1024
"""The longest message that is taken."""
MOST_WAITING = 128 * 1024
"""Bytes that may wait for a slow reader when there is more to send, besides the longest piece among them."""
_FAREWELL_SECONDS = 1.0


class SocketProtocol(WSProtocol):
    """A connection that takes ready-made frames."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.buffer.max_length = MOST_BYTES
        self._too_long = False
        self._longest = 0

    def handle_connect(self, event: Request) -> None:
        """Puts itself into the scope, for the application."""
        super().handle_connect(event)
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[EXTENSION] = self

    def handle_message(self, event: TextMessage | BytesMessage) -> None:
        """Gives the application an empty message in place of one that is too long, so that it can say so."""
        if self._too_long or self.close_sent:  # nobody takes it any more; what follows may be their goodbye
            return
        try:
            self.buffer.extend(event)
        except FrameTooLargeError:
            self._too_long = True
            nothing: Any = {"type": "websocket.receive", "text": None, "bytes": None}
            self.queue.put_nowait(nothing)
            return
        if event.message_finished:
            self.queue.put_nowait(self.buffer.to_message())
            self.buffer.clear()
            if not self.read_paused:
                self.read_paused = True
                self.transport.pause_reading()

    def write(self, frames: bytes) -> bool:
        """Sends ready frames. False when the reader is so slow that too much waits for it."""
        if self.close_sent or self.transport.is_closing():
            return True
        waiting = self.transport.get_write_buffer_size()
        # one long piece that goes out slowly is not yet a reader who is slow
        self._longest = max(self._longest, len(frames)) if waiting else len(frames)
        self.transport.write(frames)
        return waiting <= MOST_WAITING + self._longest

    async def drain(self, seconds: float) -> bool:
        """Waits until little waits; False when nothing was read for so many seconds."""
        before: float = inf
        while not self.writable.is_set():
            waiting = self.transport.get_write_buffer_size()
            if waiting >= before:
                return False
            before = waiting
            with suppress(TimeoutError):
                await asyncio.wait_for(self.writable.wait(), seconds)
        return True

    def end(self, code: int, reason: str) -> None:
        """Says goodbye, and soon hangs up on who does not answer."""
        if self.close_sent or self.disconnected:
            return
        self.close_sent = True
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        try:
            self.transport.write(self.conn.send(CloseConnection(code=code, reason=reason)))
        except LocalProtocolError:  # they said goodbye at the same moment
            self.transport.close()
            return
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(_FAREWELL_SECONDS, self.transport.abort)
