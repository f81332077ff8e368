"""Mail over TLS against a real SMTP server: what cannot be verified gets nothing, not even in plain text."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from app.commands.certificate import self_signed
from app.core.config import Settings
from app.integrations.mail import Mail, MailRefused, MailServerFault, SmtpMailer, choose
from tests.certificates import Authority
from tests.mails import Inbox, smtp_server
from tests.platform.program import run

SENDER = "SoundScore <no-reply@soundscore.test>"
MAIL = Mail("ana@example.com", "Hello", "text", "<p>html</p>", "<1@soundscore.test>")
REMEDY = "SMTP_CA_FILE="


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


def served_by(scheme: str, certificate: ssl.SSLContext) -> dict[str, Any]:
    """How a server speaks TLS: from the start, or when asked to."""
    return {"ssl_context": certificate} if scheme == "smtps" else {"tls_context": certificate}


async def send(scheme: str, port: int, *, host: str = "127.0.0.1", login: str = "", ca_file: str | Path = "") -> None:
    mailer = SmtpMailer(f"{scheme}://{login}{host}:{port}", SENDER, ca_file=ca_file)
    try:
        await mailer.send(MAIL)
    finally:
        await mailer.close()


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls", "smtps"])
async def test_an_authority_that_is_named_is_trusted(authority: Authority, scheme: str) -> None:
    inbox = Inbox()
    with smtp_server(inbox, **served_by(scheme, authority.server())) as port:
        await send(scheme, port, ca_file=authority.file)
    assert inbox.secure == [True]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_the_environment_may_name_what_the_machine_trusts(
    authority: Authority, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with smtp_server(inbox, **served_by(scheme, authority.server())) as port:
        await send(scheme, port)
    assert inbox.secure == [True]


async def test_what_is_named_is_trusted_beside_the_rest(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, other = Inbox(), Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with smtp_server(inbox, tls_context=authority.server()) as port:
        await send("smtp", port, ca_file=other.file)
    assert inbox.secure == [True]


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls", "smtps"])
@pytest.mark.parametrize("fault", ["stranger", "self-signed", "other name", "expired"])
async def test_a_certificate_that_cannot_be_verified_gets_nothing(
    authority: Authority, tmp_path: Path, scheme: str, fault: str
) -> None:
    inbox, seen, trusted = Inbox(), Logins(), authority.file
    if fault == "stranger":
        certificate = Authority(tmp_path).server()
    elif fault == "self-signed":
        certificate = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.load_cert_chain(*self_signed(tmp_path))
    else:
        expired = timedelta(days=-1) if fault == "expired" else timedelta(days=1)
        certificate = authority.server(*([] if fault == "expired" else ["mail.example"]), until=expired)
    mails = smtp_server(inbox, **served_by(scheme, certificate), **seen.options)
    with mails as port, pytest.raises(MailServerFault, match=REMEDY) as caught:
        await send(scheme, port, login="me:secret@", ca_file=trusted)
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not isinstance(caught.value, MailRefused), "the mail waits until somebody puts it right"
    assert (inbox.mails, seen.logins) == ([], [])


async def test_a_self_signed_certificate_is_its_own_authority(tmp_path: Path) -> None:
    inbox, certificate = Inbox(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    files = self_signed(tmp_path)
    certificate.load_cert_chain(*files)
    with smtp_server(inbox, tls_context=certificate) as port:
        await send("smtp", port, ca_file=Path(files[0]))
    assert inbox.secure == [True]


class Logins:
    """Who signed in at a server that lets in whoever knows that p/w is the password."""

    def __init__(self) -> None:
        self.logins: list[tuple[bytes, bytes]] = []
        self.options = {"authenticator": self._look, "auth_required": True}

    def _look(self, server: Any, session: Any, envelope: Any, mechanism: str, login: Any) -> AuthResult:
        self.logins.append((login.login, login.password))
        return AuthResult(success=login.password == b"p/w", handled=False)


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_login_goes_through_tls(authority: Authority, scheme: str) -> None:
    inbox, seen = Inbox(), Logins()
    # over what is encrypted from the start, this server does not see that it is
    options = seen.options | ({"auth_require_tls": False} if scheme == "smtps" else {})
    with smtp_server(inbox, **served_by(scheme, authority.server()), **options) as port:
        await send(scheme, port, login="me%40x:p%2Fw@", ca_file=authority.file)
    assert (seen.logins, inbox.secure) == ([(b"me@x", b"p/w")], [True])


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_wrong_password_says_what_to_look_at_and_may_be_put_right(authority: Authority, scheme: str) -> None:
    inbox, seen = Inbox(), Logins()
    options = seen.options | ({"auth_require_tls": False} if scheme == "smtps" else {})
    with smtp_server(inbox, **served_by(scheme, authority.server()), **options) as port:
        with pytest.raises(MailServerFault, match=r"refuses the login \(535\).*password in SMTP_URL") as caught:
            await send(scheme, port, login="me:wrong@", ca_file=authority.file)
        assert "wrong" not in str(caught.value)
        assert inbox.mails == []
        await send(scheme, port, login="me:p%2Fw@", ca_file=authority.file)
    assert len(inbox.mails) == 1


async def test_starttls_that_fails_is_not_given_up_for_plain_text(authority: Authority) -> None:
    """The server offers TLS, but has no cipher for its own certificate."""
    inbox, certificate = Inbox(), authority.server()
    certificate.maximum_version = ssl.TLSVersion.TLSv1_2
    certificate.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    failing = smtp_server(inbox, tls_context=certificate)
    with failing as port, pytest.raises(MailServerFault, match="offers STARTTLS and then fails"):
        await send("smtp", port, ca_file=authority.file)
    assert inbox.mails == []


async def test_tls_from_the_start_where_nobody_speaks_it() -> None:
    inbox = Inbox()
    with smtp_server(inbox) as port, pytest.raises(MailServerFault, match=r"smtp:// for the others \(587\)"):
        await send("smtps", port)
    assert inbox.mails == []


async def test_who_asks_for_starttls_sends_nothing_without_it() -> None:
    inbox = Inbox()
    with smtp_server(inbox) as port:
        with pytest.raises(MailServerFault, match="offers no STARTTLS"):
            await send("smtp+starttls", port, login="me:secret@")
        await send("smtp", port)
    assert inbox.secure == [False]


@asynccontextmanager
async def liar(answer: bytes) -> AsyncIterator[tuple[int, list[str]]]:
    """A server that offers STARTTLS and then does this; its port, and what it was told."""
    told: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 liar ESMTP\r\n")
        while line := await reader.readline():
            told.append(line.decode("latin-1").strip())
            if told[-1] == "STARTTLS":
                writer.write(answer)
                if answer.startswith(b"220"):
                    break
            elif told[-1].startswith("EHLO"):
                writer.write(b"250-liar\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n")
            else:
                writer.write(b"250 OK\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], told
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls"])
@pytest.mark.parametrize(
    "answer",
    [
        b"220 Go ahead\r\n",
        b"220 Go ahead\r\n235 You are signed in\r\n",
        b"454 Not now\r\n",
        b"220 Go\r\n\x15\x03\x01\x00",
    ],
    ids=["hangs up", "talks on", "not now", "garbage"],
)
async def test_a_server_that_fails_at_starttls_hears_no_more(scheme: str, answer: bytes) -> None:
    async with liar(answer) as (port, told):
        with pytest.raises(MailServerFault, match=r"STARTTLS and then fails|get as far as TLS"):
            await send(scheme, port, login="me:secret@")
    words = [line.split(" ")[0] for line in told]
    assert words[:2] == ["EHLO", "STARTTLS"]
    assert set(words[2:]) <= {"QUIT"}


def test_a_file_that_has_no_certificates_is_refused_at_the_start(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("none\n")
    for path in (empty, tmp_path / "absent.pem", tmp_path):
        with pytest.raises(ValueError, match="SMTP_CA_FILE must be a file of certificates in PEM"):
            choose(
                Settings(_env_file=None, environment="test", smtp_url="smtps://mail.example", smtp_ca_file=str(path))
            )


async def test_doctor_tries_the_mail_server(authority: Authority, tmp_path: Path) -> None:
    with smtp_server(Inbox(), tls_context=authority.server()) as port:
        bad = {"SMTP_URL": f"smtp://127.0.0.1:{port}", "DATABASE_URL": "postgres://u:p@127.0.0.1:1/x", "PORT": "0"}
        refused = await run(tmp_path, "doctor", **bad)
        taken = await run(tmp_path, "doctor", **bad, SMTP_CA_FILE=str(authority.file))
    assert f"fail  mail          The certificate of the mail server 127.0.0.1:{port} cannot be verified" in refused.out
    assert REMEDY in refused.out
    assert f"ok    mail          SMTP at 127.0.0.1:{port}, encrypted" in taken.out
