"""Passwords and mail addresses that change."""

import asyncio

import httpx

from app.core.infra import Infra
from app.core.job_runner import drain
from tests.auth.factories import (
    PASSWORD,
    Signed,
    is_refused,
    login,
    mails_to,
    register,
    sign_in,
    sign_up,
    sign_up_verified,
    text_of,
    token_in,
    unique,
    within,
)
from tests.people import People

NEW = "a fresh password 7"


async def test_changing_the_password_ends_the_other_sessions(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    other = await sign_in(client, account.username)
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert (await client.post("/auth/change-password", json=body, headers=account.bearer)).status_code == 200
    assert await within(1.0, lambda: is_refused(client, other.bearer))
    old = {"refresh_token": other.tokens["refresh_token"]}
    assert (await client.post("/auth/refresh", json=old)).status_code == 401
    assert not await is_refused(client, account.bearer)
    assert (await login(client, account.username)).status_code == 401
    assert (await login(client, account.username, NEW)).status_code == 200
    await drain(infra)
    assert mails_to(infra, account.email)[-1]["Subject"] == "Your password was changed"


async def test_changing_needs_the_present_password_and_a_good_new_one(
    client: httpx.AsyncClient, people: People
) -> None:
    account = await sign_up(client)

    async def change(current: str, new: str) -> tuple[int, str]:
        body = {"current_password": current, "new_password": new}
        answer = await client.post("/auth/change-password", json=body, headers=account.bearer)
        return answer.status_code, answer.json().get("code", "")

    assert await change("wrong password", NEW) == (403, "wrong_password")
    assert await change(PASSWORD, "password123") == (422, "password_common")
    assert await change(PASSWORD, account.username) == (422, "password_common")
    assert (await login(client, account.username)).status_code == 200
    without = await people.make("without")
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert (await without.post("/auth/change-password", json=body)).status_code == 401


async def test_a_forgotten_password_is_reset_once_and_ends_all_sessions(
    client: httpx.AsyncClient, infra: Infra
) -> None:
    account = await sign_up(client)
    for _ in range(2):
        asked = await client.post("/auth/forgot-password", json={"email": account.email.upper()})
        assert asked.status_code == 202
    await drain(infra)
    earlier, later = (token_in(mail, account.username) for mail in mails_to(infra, account.email)[-2:])
    refused = await client.post("/auth/reset-password", json={"token": later, "password": "password123"})
    assert refused.status_code == 422
    answers = await asyncio.gather(
        *(client.post("/auth/reset-password", json={"token": later, "password": NEW}) for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [410] * 4
    assert await within(1.0, lambda: is_refused(client, account.bearer))
    assert (await login(client, account.username)).status_code == 401
    renewed = await login(client, account.username, NEW)
    assert renewed.status_code == 200
    # the other link is void, and whoever opened one has proven the address
    gone = await client.post("/auth/reset-password", json={"token": earlier, "password": "another one 9"})
    assert (gone.status_code, gone.json()["code"]) == (410, "link_gone")
    assert (await login(client, account.email, NEW)).status_code == 200


async def test_the_mail_names_every_account_with_the_address(client: httpx.AsyncClient, infra: Infra) -> None:
    address = f"{unique()}@example.com"
    first, second = [await sign_up(client, email=address) for _ in range(2)]
    await drain(infra)
    await client.post("/auth/forgot-password", json={"email": address})
    await drain(infra)
    mail = mails_to(infra, address)[-1]
    token = token_in(mail, first.username)
    assert token != token_in(mail, second.username)
    await client.post("/auth/reset-password", json={"token": token, "password": NEW})
    assert (await login(client, first.username, NEW)).status_code == 200
    assert (await login(client, second.username)).status_code == 200


async def test_answers_tell_nothing_about_who_exists(client: httpx.AsyncClient, infra: Infra) -> None:
    known = await sign_up_verified(client, infra)
    unverified = await sign_up(client)
    await drain(infra)
    addresses = [known.email, unverified.email, f"{unique()}@example.com"]

    async def told(path: str, **fields: str) -> list[tuple[object, ...]]:
        seen = []
        for address in addresses:
            before = infra.passwords.hashes
            names = {"username": unique("same")} if path == "register" else {}
            answer = await client.post(f"/auth/{path}", json={"email": address} | fields | names)
            body = answer.json()
            for own in ("id", "username", "display_name", "email", "created_at"):
                body.pop(own, None)
            headers = {k: v for k, v in answer.headers.items() if k not in {"x-request-id", "content-length"}}
            seen.append(
                (
                    answer.status_code,
                    body,
                    headers,
                    infra.passwords.hashes - before,
                )
            )
        return seen

    for path, fields in (("forgot-password", {}), ("resend-verification", {}), ("register", {"password": PASSWORD})):
        one, *others = await told(path, **fields)
        assert others == [one, one], path
    mails = len(mails_to(infra, addresses[2]))
    assert mails == 0


async def test_the_confirmation_is_sent_again_only_where_it_is_missing(client: httpx.AsyncClient, infra: Infra) -> None:
    waiting, done = await sign_up(client), await sign_up_verified(client, infra)
    await drain(infra)
    counts = [len(mails_to(infra, it.email)) for it in (waiting, done)]
    for it in (waiting, done):
        assert (await client.post("/auth/resend-verification", json={"email": it.email})).status_code == 202
    await drain(infra)
    assert [len(mails_to(infra, it.email)) for it in (waiting, done)] == [counts[0] + 1, counts[1]]
    token = token_in(mails_to(infra, waiting.email)[-1], waiting.username)
    assert (await client.post("/auth/verify-email", json={"token": token})).status_code == 200


async def test_another_address_counts_once_it_is_confirmed(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up_verified(client, infra)
    address = f"{unique('new')}@example.com"
    body = {"email": address, "password": "wrong password"}
    assert (await client.post("/auth/change-email", json=body, headers=account.bearer)).status_code == 403
    body["password"] = PASSWORD
    assert (await client.post("/auth/change-email", json=body, headers=account.bearer)).status_code == 202
    await drain(infra)
    assert (await login(client, account.email)).status_code == 200
    assert (await login(client, address)).status_code == 401
    token = token_in(mails_to(infra, address)[-1], account.username)
    assert (await client.post("/auth/verify-email", json={"token": token})).status_code == 200
    assert (await login(client, address)).status_code == 200
    assert (await login(client, account.email)).status_code == 401
    await drain(infra)
    assert mails_to(infra, account.email)[-1]["Subject"] == "Your mail address was changed"


async def test_another_account_s_address_is_refused_in_its_mailbox(client: httpx.AsyncClient, infra: Infra) -> None:
    owner, other = await sign_up_verified(client, infra), await sign_up(client)
    body = {"email": owner.email, "password": PASSWORD}
    assert (await client.post("/auth/change-email", json=body, headers=other.bearer)).status_code == 202
    await drain(infra)
    assert mails_to(infra, owner.email)[-1]["Subject"] == "This address already has an account"


async def test_a_link_for_a_former_address_resets_nothing(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up_verified(client, infra)
    await client.post("/auth/forgot-password", json={"email": account.email})
    await drain(infra)
    token = token_in(mails_to(infra, account.email)[-1], account.username)
    address = f"{unique('new')}@example.com"
    await client.post("/auth/change-email", json={"email": address, "password": PASSWORD}, headers=account.bearer)
    await drain(infra)
    verify = token_in(mails_to(infra, address)[-1], account.username)
    await client.post("/auth/verify-email", json={"token": verify})
    answer = await client.post("/auth/reset-password", json={"token": token, "password": NEW})
    assert answer.status_code == 410


async def test_links_work_in_a_browser_without_an_app(client: httpx.AsyncClient, infra: Infra) -> None:
    made = await register(client)
    username, address = made.json()["username"], made.json()["email"]
    await drain(infra)
    link = next(word for word in text_of(mails_to(infra, address)[-1]).split() if word.startswith("http"))
    assert link.startswith("http://soundscore.test/verify-email?token=")
    page = await client.get(link)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "form-action 'self'" in page.headers["content-security-policy"]
    token = token_in(mails_to(infra, address)[-1], username)
    # opening it has not used it up
    done = await client.post("http://soundscore.test/verify-email", data={"token": token})
    assert "confirmed" in done.text
    assert (await client.post("http://soundscore.test/verify-email", data={"token": token})).status_code == 410

    await client.post("/auth/forgot-password", json={"email": address})
    await drain(infra)
    token = token_in(mails_to(infra, address)[-1], username)
    reset = "http://soundscore.test/reset-password"
    assert "<form" in (await client.get(reset, params={"token": token})).text
    for bad in ("short", "password123"):
        assert (await client.post(reset, data={"token": token, "password": bad})).status_code == 422
    assert "is set" in (await client.post(reset, data={"token": token, "password": NEW})).text
    assert (await login(client, username, NEW)).status_code == 200
    nasty = await client.get("http://soundscore.test/verify-email", params={"token": '"><script>'})
    assert "<script>" not in nasty.text


async def ask_for(client: httpx.AsyncClient, infra: Infra, account: Signed, password: str = PASSWORD) -> str:
    """Asks for another address, and answers the token of the link that goes there."""
    address = f"{unique('new')}@example.com"
    body = {"email": address, "password": password}
    assert (await client.post("/auth/change-email", json=body, headers=account.bearer)).status_code == 202
    await drain(infra)
    return token_in(mails_to(infra, address)[-1], account.username)


async def email_of(client: httpx.AsyncClient, account: Signed) -> str:
    found: str = (await client.get("/auth/me", headers=account.bearer)).json()["email"]
    return found


async def test_a_new_password_takes_the_wish_for_another_address_back(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up_verified(client, infra)
    stolen = await ask_for(client, infra, account)
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert (await client.post("/auth/change-password", json=body, headers=account.bearer)).status_code == 200
    answer = await client.post("/auth/verify-email", json={"token": stolen})
    assert (answer.status_code, answer.json()["code"]) == (410, "link_gone")

    # one that is still in the queue, and one that was sent
    stolen = await ask_for(client, infra, account, NEW)
    queued = {"email": f"{unique('queued')}@example.com", "password": NEW}
    await client.post("/auth/forgot-password", json={"email": account.email})
    await drain(infra)
    await client.post("/auth/change-email", json=queued, headers=account.bearer)
    reset = {"token": token_in(mails_to(infra, account.email)[-1], account.username), "password": PASSWORD}
    assert (await client.post("/auth/reset-password", json=reset)).status_code == 200
    assert (await client.post("/auth/verify-email", json={"token": stolen})).status_code == 410
    await drain(infra)
    assert mails_to(infra, queued["email"]) == []
    again = await sign_in(client, account.username)
    assert await email_of(client, again) == account.email


async def test_a_new_password_leaves_the_first_confirmation_be(client: httpx.AsyncClient, infra: Infra) -> None:
    """It goes to the account's own address, so it gives nobody anything."""
    account = await sign_up(client)
    await drain(infra)
    token = token_in(mails_to(infra, account.email)[-1], account.username)
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert (await client.post("/auth/change-password", json=body, headers=account.bearer)).status_code == 200
    assert (await client.post("/auth/verify-email", json={"token": token})).status_code == 200


async def test_a_changed_password_voids_links_that_reset_it(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    await client.post("/auth/forgot-password", json={"email": account.email})
    await drain(infra)
    token = token_in(mails_to(infra, account.email)[-1], account.username)
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert (await client.post("/auth/change-password", json=body, headers=account.bearer)).status_code == 200
    assert (await client.post("/auth/reset-password", json={"token": token, "password": PASSWORD})).status_code == 410


async def test_two_links_used_at_once_wait_for_each_other(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    await asyncio.gather(*(client.post("/auth/forgot-password", json={"email": account.email}) for _ in range(5)))
    await drain(infra)
    tokens = [token_in(mail, account.username) for mail in mails_to(infra, account.email)[1:]]
    answers = await asyncio.gather(
        *(client.post("/auth/reset-password", json={"token": token, "password": NEW}) for token in tokens)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [410] * 4


async def test_an_older_link_does_not_replace_a_newer_address(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    await drain(infra)
    mistyped = token_in(mails_to(infra, account.email)[-1], account.username)
    between = await ask_for(client, infra, account)
    right = await ask_for(client, infra, account)
    assert (await client.post("/auth/verify-email", json={"token": between})).status_code == 410
    assert (await client.post("/auth/verify-email", json={"token": right})).status_code == 200
    kept = await email_of(client, account)
    assert kept != account.email
    assert (await client.post("/auth/verify-email", json={"token": mistyped})).status_code == 410
    assert await email_of(client, account) == kept


async def test_others_with_the_address_crowd_nobody_out_of_their_mails(client: httpx.AsyncClient, infra: Infra) -> None:
    victim = await sign_up(client)
    for _ in range(12):
        assert (await register(client, email=victim.email)).status_code == 201
    for path in ("forgot-password", "resend-verification"):
        await drain(infra)
        await client.post(f"/auth/{path}", json={"email": victim.email})
        await drain(infra)
        assert token_in(mails_to(infra, victim.email)[-1], victim.username), path


async def test_whoever_asked_gets_their_mail_among_many_with_the_address(
    client: httpx.AsyncClient, infra: Infra
) -> None:
    address = f"{unique()}@example.com"
    for _ in range(12):
        await register(client, email=address)
    account = await sign_up(client)
    for _ in range(12):
        await register(client, email=address)
    await drain(infra)
    before = len(mails_to(infra, address))
    body = {"email": address, "password": PASSWORD}
    await client.post("/auth/change-email", json=body, headers=account.bearer)
    await drain(infra)
    assert len(mails_to(infra, address)) == before + 1
    token = token_in(mails_to(infra, address)[-1], account.username)
    assert (await client.post("/auth/verify-email", json={"token": token})).status_code == 200
