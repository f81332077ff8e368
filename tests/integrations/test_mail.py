"""Mail by SMTP, by Resend and into a folder, each against the real thing or a fake server on loopback."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.auth.mails import LinkMail, send_links
from app.core.config import Settings
from app.core.job_runner import Backoff, drain
from app.integrations.mail import Attachment, FolderMailer, Mail, MailRefused, ResendMailer, SmtpMailer, choose
from tests.auth.factories import register, unique
from tests.conftest import http_client, running
from tests.loopback import on_loopback
from tests.mails import Inbox, smtp_server

SENDER = "SoundScore <no-reply@soundscore.test>"
LINK = "https://soundscore.test/verify-email?token=" + "t" * 43
MAIL = Mail("ana@example.com", "Hello", f"Open this:\n{LINK}\n", f'<a href="{LINK}">Open</a>', "<1@soundscore.test>")


async def test_smtp_delivers_both_forms() -> None:
    inbox = Inbox()
    with smtp_server(inbox) as port:
        await SmtpMailer(f"smtp://127.0.0.1:{port}", SENDER).send(MAIL)
    (mail,) = inbox.mails
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, "ana@example.com", "Hello")
    assert mail["Message-ID"] == "<1@soundscore.test>"
    assert mail["Auto-Submitted"] == "auto-generated"
    plain, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert LINK in plain
    assert LINK in html


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
async def test_smtp_signs_in() -> None:
    inbox, seen = Inbox(), []

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, login: Any) -> AuthResult:
        seen.append((login.login, login.password))
        return AuthResult(success=True)

    options = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}
    with smtp_server(inbox, **options) as port:
        await SmtpMailer(f"smtp://me%40x:p%2Fw@127.0.0.1:{port}", SENDER).send(MAIL)
    assert seen == [(b"me@x", b"p/w")]
    assert len(inbox.mails) == 1


async def test_an_unknown_mailbox_is_final_and_a_busy_server_is_not() -> None:
    inbox = Inbox(refusals=["451 Try again later"])
    with smtp_server(inbox) as port:
        mailer = SmtpMailer(f"smtp://127.0.0.1:{port}", SENDER)
        with pytest.raises(MailRefused):
            await mailer.send(Mail("unknown@example.com", "Hello", "text", "html", "<2@x>"))
        with pytest.raises(Exception, match="451") as caught:
            await mailer.send(MAIL)
        assert not isinstance(caught.value, MailRefused)
        await mailer.send(MAIL)
    assert len(inbox.mails) == 1


@pytest.mark.parametrize("url", ["http://host", "smtp://", "host:25"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL"):
        SmtpMailer(url, SENDER)


async def test_a_server_that_refuses_for_a_while_gets_exactly_one_mail(settings: Settings) -> None:
    inbox, name = Inbox(), unique()
    with smtp_server(inbox) as port:
        by_smtp = settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}"})
        async with running(by_smtp) as app, http_client(app) as client:
            infra = app.state.infra
            await drain(infra, raise_errors=False)
            inbox.mails.clear()
            inbox.tries, inbox.refusals = 0, ["451 Busy"] * 4
            assert (await register(client, username=name)).status_code == 201
            for _ in range(8):
                await drain(infra, raise_errors=False, ahead=timedelta(hours=1), backoff=Backoff(first=0.001))
            assert (inbox.tries, len(inbox.mails)) == (5, 1)
            dead = await infra.db.fetch("SELECT count(*) FROM dead_letters WHERE payload LIKE '%' || $1 || '%'", [name])
            assert dead[0][0] == 0
    assert f"Confirm for {name}" in inbox.mails[0].get_body(("plain",)).get_content()


async def test_a_mail_that_is_sent_again_is_the_same_mail(settings: Settings) -> None:
    """The server took the mail, but its answer was lost: the receiver sees one Message-ID and one link."""
    inbox = Inbox()
    name = unique()
    with smtp_server(inbox) as port:
        by_smtp = settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}"})
        async with running(by_smtp) as app, http_client(app) as client:
            infra = app.state.infra
            await drain(infra, raise_errors=False)
            inbox.mails.clear()
            await register(client, username=name)
            payload = "SELECT payload FROM pgqueuer WHERE entrypoint = 'auth.mails.send_links'"
            (row,) = await infra.db.fetch(payload, [])
            await drain(infra)
            await send_links(infra, LinkMail.model_validate_json(row[0]))
    first, second = inbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first.get_body(("plain",)).get_content() == second.get_body(("plain",)).get_content()


@dataclass
class FakeResend:
    """Resend's API: a mail for each idempotency key."""

    mails: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: list[Response] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        self.keys.append(request.headers["authorization"])
        if self.answers:
            return self.answers.pop(0)
        self.mails[request.headers["idempotency-key"]] = await request.json()
        return JSONResponse({"id": "1"})


@pytest.fixture
async def resend() -> AsyncIterator[tuple[FakeResend, str]]:
    fake = FakeResend()
    async with on_loopback(Starlette(routes=[Route("/emails", fake.send, methods=["POST"])])) as address:
        yield fake, address


async def test_resend_delivers_once(resend: tuple[FakeResend, str]) -> None:
    fake, address = resend
    mailer, other = ResendMailer("re_1", address + "/", SENDER), ResendMailer("re_2", address, SENDER)
    await mailer.send(MAIL)
    await other.send(MAIL)
    assert fake.keys == ["Bearer re_1", "Bearer re_2"]
    assert fake.mails == {
        "1@soundscore.test": {
            "from": SENDER,
            "to": ["ana@example.com"],
            "subject": "Hello",
            "text": MAIL.text,
            "html": MAIL.html,
            "headers": {"Message-ID": "<1@soundscore.test>"},
        }
    }


async def test_resend_is_given_the_files(resend: tuple[FakeResend, str]) -> None:
    fake, address = resend
    file = Attachment("räksmörgås.json", "application/json", b'{"a": 1}')
    await ResendMailer("re_1", address, SENDER).send(replace(MAIL, attachments=(file,)))
    assert fake.mails["1@soundscore.test"]["attachments"] == [
        {"filename": "räksmörgås.json", "content_type": "application/json", "content": "eyJhIjogMX0="}
    ]


async def test_smtp_delivers_files() -> None:
    inbox, file = Inbox(), Attachment("räksmörgås.json", "application/json", "å\n\n.\n".encode() * 9000)
    with smtp_server(inbox) as port:
        mailer = SmtpMailer(f"smtp://127.0.0.1:{port}", SENDER)
        await mailer.send(replace(MAIL, attachments=(file,)))
        await mailer.close()
    (found,) = inbox.mails[0].iter_attachments()
    assert (found.get_filename(), found.get_content_type()) == (file.name, file.content_type)
    assert found.get_content() == file.content
    assert LINK in inbox.mails[0].get_body(("plain",)).get_content()


async def test_what_the_server_will_never_take_is_final() -> None:
    inbox = Inbox(refusals=["554 Looks like spam", "552 Too large"])
    with smtp_server(inbox) as port:
        for code in ("554", "552"):
            with pytest.raises(MailRefused, match=code):
                await SmtpMailer(f"smtp://127.0.0.1:{port}", SENDER).send(MAIL)


async def test_resend_s_refusals(resend: tuple[FakeResend, str]) -> None:
    fake, address = resend
    mailer = ResendMailer("re_1", address, SENDER)
    fake.answers = [
        JSONResponse({"statusCode": 422, "name": "validation_error", "message": "Invalid `to`"}, 422),
        JSONResponse({"statusCode": 429, "name": "rate_limit_exceeded", "message": "Slow down"}, 429),
        JSONResponse({"statusCode": 500, "name": "application_error", "message": "Oops"}, 500),
        Response("<html>", 502),
    ]
    with pytest.raises(MailRefused):
        await mailer.send(MAIL)
    for _ in range(3):
        with pytest.raises(Exception) as caught:  # noqa: PT011
            await mailer.send(MAIL)
        assert not isinstance(caught.value, MailRefused)
    await mailer.send(MAIL)
    assert len(fake.mails) == 1


async def test_the_folder_keeps_a_mail_once_and_shows_its_link(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mailer = FolderMailer(tmp_path / "mails", SENDER, show_links=True)
    for _ in range(2):
        await mailer.send(MAIL)
    (path,) = (tmp_path / "mails").iterdir()
    assert path.name == "1.eml"
    assert LINK in path.read_text()
    assert capsys.readouterr().out.count(LINK) == 2
    await FolderMailer(tmp_path / "mails", SENDER, show_links=False).send(MAIL)
    captured = capsys.readouterr()
    assert LINK not in captured.out + captured.err


def test_the_settings_choose(settings: Settings) -> None:
    def chosen(**update: Any) -> Any:
        return type(choose(Settings(_env_file=None, environment="test", **update)))

    assert chosen() is FolderMailer
    assert chosen(resend_api_key="re_1") is ResendMailer
    assert chosen(smtp_url="smtps://mail.example", resend_api_key="re_1") is SmtpMailer


async def test_the_stand_in_says_that_it_is_one(client: Any) -> None:
    parts = (await client.get("http://soundscore.test/health")).json()["parts"]
    (mail,) = [part for part in parts if part["name"] == "mail"]
    assert mail["state"] == "degraded"
    assert "mails are kept in" in mail["detail"]


async def test_a_long_mail_arrives_as_it_is_though_lines_begin_with_dots() -> None:
    inbox, content = Inbox(), b"\n.\n..two\n.three\n" * 200_000
    long = replace(MAIL, text=".\n.one\n..\n", attachments=(Attachment("a.bin", "application/octet-stream", content),))
    with smtp_server(inbox) as port:
        await SmtpMailer(f"smtp://127.0.0.1:{port}", SENDER).send(long)
    (mail,) = inbox.mails
    (file,) = mail.iter_attachments()
    assert file.get_content() == content
    assert mail.get_body(("plain",)).get_content() == ".\r\n.one\r\n..\r\n"


async def test_before_its_point_of_no_return_a_mail_is_nothing() -> None:
    inbox = Inbox()

    def stop() -> None:
        raise InterruptedError

    with smtp_server(inbox) as port:
        mailer = SmtpMailer(f"smtp://127.0.0.1:{port}", SENDER)
        with pytest.raises(InterruptedError):
            await mailer.send(MAIL, point_of_no_return=stop)
        await mailer.close()
        await mailer.send(MAIL)
    assert (inbox.tries, len(inbox.mails)) == (1, 1)


async def test_a_server_that_has_heard_enough_is_not_given_the_rest() -> None:
    passed: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (b"220 Hi", b"250 Hello", b"250 OK", b"250 OK", b"354 Go on"):
            writer.write(answer + b"\r\n")
            passed.append(await reader.readline())
        writer.write(b"552 Too much\r\n")
        await writer.drain()
        await reader.read(100_000)
        writer.close()

    big = Attachment("a.bin", "application/octet-stream", b"\0" * 20_000_000)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        mailer = SmtpMailer(f"smtp://127.0.0.1:{port}", SENDER)
        with pytest.raises(MailRefused, match="552"):
            async with asyncio.timeout(30):
                await mailer.send(replace(MAIL, attachments=(big,)), point_of_no_return=lambda: passed.append(b"."))
        await mailer.close()
    assert passed[3] == b"DATA\r\n"
    assert b"." not in passed
