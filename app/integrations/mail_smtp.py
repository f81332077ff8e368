"""Mail by an SMTP server, in plain text or by TLS that is verified."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib.protocol import PERIOD_REGEX, normalize_message_line_endings

from app.integrations.messages import Mail, MailRefused, MailServerFault, message_of, nothing

__all__ = ["SmtpMailer"]

TIMEOUT_SECONDS = 20.0
BODY_SECONDS = 180.0
ANSWER_SECONDS = 600.0
"""Who hangs up earlier on a server that has the whole mail sends it again (RFC 5321, 4.5.3.2.6)."""
GOODBYE_SECONDS = 1.0
_LOOK_SECONDS = 0.01


class SmtpMailer:
    """An SMTP server.

    `smtp://` uses STARTTLS if it is offered, `smtp+starttls://` sends nothing without it, `smtps://` is encrypted from
    the start. What is encrypted is also verified. `ca_file` is trusted beside what the machine trusts.
    """

    def __init__(self, url: str, sender: str, *, ca_file: str | Path = "") -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtp+starttls", "smtps"} or not parts.hostname:
            raise ValueError("SMTP_URL must look like smtp://user:password@host:587 or smtps://host:465")
        self._sender = sender
        self._secure = parts.scheme == "smtps"
        self._insists = parts.scheme == "smtp+starttls"
        self._host = parts.hostname
        self._port = parts.port or (465 if self._secure else 587)
        self._username = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._ca_file = _readable(ca_file) if ca_file else None
        self._goodbyes: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Where the server is, without the login."""
        return f"{self._host}:{self._port}"

    async def check(self) -> bool:
        """Connects and signs in; whether that was encrypted. Raises what `send` raises."""
        async with self._connected() as client:
            return client.get_transport_info("sslcontext") is not None

    async def send(self, mail: Mail, *, point_of_no_return: Callable[[], None] = nothing) -> None:
        """Sends over a connection of its own. Returns as soon as the server has taken the mail."""
        async with self._connected() as client:
            client.point_of_no_return = point_of_no_return
            try:
                await client.send_message(message_of(mail, self._sender))
            except aiosmtplib.SMTPRecipientsRefused as error:
                if all(refusal.code >= 500 for refusal in error.recipients):
                    raise MailRefused(str(error.recipients[0].code)) from error
                raise
            except aiosmtplib.SMTPDataError as error:
                if error.code >= 500:
                    raise MailRefused(str(error.code)) from error
                raise

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator["_Client"]:
        client = _Client(
            hostname=self._host,
            port=self._port,
            use_tls=self._secure,
            start_tls=False,  # it is done step by step, to tell what failed
            cert_bundle=self._ca_file,
            timeout=TIMEOUT_SECONDS,
        )
        try:
            await self._connect(client)
            yield client
        finally:
            # whoever sent wants to write down that it was taken: nothing that can fail or wait stands before that
            goodbye = asyncio.create_task(_part(client))
            self._goodbyes.add(goodbye)
            goodbye.add_done_callback(self._goodbyes.discard)

    async def _connect(self, client: aiosmtplib.SMTP) -> None:
        try:
            await client.connect()
            if not self._secure:
                await self._encrypt(client)
            if self._username is not None:
                await client.login(self._username, self._password or "")
        except aiosmtplib.SMTPAuthenticationError as error:
            text = f"The mail server {self.address} refuses the login ({error.code})"
            raise MailServerFault(f"{text}. Look at the user and the password in SMTP_URL.") from error
        except (aiosmtplib.SMTPConnectError, ssl.SSLError) as error:
            # encrypted from the start, the library wraps what STARTTLS raises as it is
            cause = error if isinstance(error, ssl.SSLError) else error.__cause__
            if isinstance(cause, ssl.SSLError):
                raise self._tls_fault(cause) from error
            raise

    async def _encrypt(self, client: aiosmtplib.SMTP) -> None:
        """STARTTLS. Nothing goes on in plain text after it was tried."""
        with suppress(aiosmtplib.SMTPHeloError):
            await client.ehlo()
        if client.supports_extension("starttls"):
            try:
                await client.starttls()
            except aiosmtplib.SMTPException as error:
                text = f"The mail server {self.address} offers STARTTLS and then fails: {error}"
                raise MailServerFault(f"{text}. Mails wait until it is put right.") from error
        elif self._insists:
            text = f"The mail server {self.address} offers no STARTTLS, which SMTP_URL insists on"
            raise MailServerFault(f"{text}: use its port for mail clients (587), or smtps:// (465).")

    def _tls_fault(self, error: ssl.SSLError) -> MailServerFault:
        if isinstance(error, ssl.SSLCertVerificationError):
            return MailServerFault(
                f"The certificate of the mail server {self.address} cannot be verified: {error.verify_message}. Name "
                "the server in SMTP_URL as its certificate does, or trust who signed it: SMTP_CA_FILE=certificate.pem"
            )
        return MailServerFault(
            f"The mail server {self.address} does not get as far as TLS: {error.reason}. "
            "smtps:// is for ports that are encrypted from the start (465), smtp:// for the others (587)."
        )

    async def close(self) -> None:
        """Waits until the servers have heard the last words."""
        await asyncio.gather(*self._goodbyes)


class _Client(aiosmtplib.SMTP):
    """Keeps the last line of a mail back until the rest has gone, and waits long for the answer to it."""

    point_of_no_return: Callable[[], None] = staticmethod(nothing)

    async def data(self, message: str | bytes, /, **options: Any) -> aiosmtplib.SMTPResponse:
        """The mail itself. A server without its last line has nothing, whatever happens here until then."""
        begun = await self.execute_command(b"DATA", **options)
        if begun.code != aiosmtplib.SMTPStatus.start_input:
            raise aiosmtplib.SMTPDataError(begun.code, begun.message)
        lines = normalize_message_line_endings(message.encode("ascii") if isinstance(message, str) else message)
        try:
            taken = await self._give(PERIOD_REGEX.sub(b"..", lines))
        except BaseException:
            self._hang_up()  # in the middle of a mail a farewell would be a line of it
            raise
        if taken.code != aiosmtplib.SMTPStatus.completed:
            raise aiosmtplib.SMTPDataError(taken.code, taken.message)
        return taken

    async def _give(self, lines: bytes) -> aiosmtplib.SMTPResponse:
        protocol, transport = self.protocol, cast(asyncio.WriteTransport, self.transport)
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        # from now on, since a server may refuse before it has heard all
        answer = asyncio.create_task(protocol.read_response(timeout=ANSWER_SECONDS))
        try:
            protocol.write(lines)
            async with asyncio.timeout(BODY_SECONDS):
                while transport.get_write_buffer_size() and not answer.done():  # noqa: ASYNC110 -- nobody tells
                    await asyncio.sleep(_LOOK_SECONDS)
            if answer.done():
                raise aiosmtplib.SMTPDataError(*(await answer))
            self.point_of_no_return()
            protocol.write(b".\r\n")
            return await answer
        finally:
            answer.cancel()

    def _hang_up(self) -> None:
        if self.transport is not None:
            cast(asyncio.WriteTransport, self.transport).abort()
        self.close()


def _readable(ca_file: str | Path) -> str:
    try:
        ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ValueError(f"SMTP_CA_FILE must be a file of certificates in PEM: {ca_file}: {error}") from error
    return str(ca_file)


async def _part(client: aiosmtplib.SMTP) -> None:
    try:
        if client.is_connected:
            await client.quit(timeout=GOODBYE_SECONDS)
    except (aiosmtplib.SMTPException, OSError):
        pass  # what was taken stays taken
    finally:
        client.close()
