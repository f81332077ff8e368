"""What a real server writes while people sign in."""

import json
from pathlib import Path

import httpx

from tests.platform.program import served

PASSWORD = "a password that nobody may read"


async def test_no_token_and_no_password_is_logged(data_dir: Path, urls: dict[str, str]) -> None:
    async with served(data_dir, LOG_LEVEL="DEBUG", LOG_FORMAT="json", **urls) as server:
        async with httpx.AsyncClient(base_url=f"{server.url}/api/v1") as client:
            person = {"username": "quiet", "email": "quiet@example.org", "password": PASSWORD}
            await client.post("/auth/register", json=person)
            login = (await client.post("/auth/login", data={"username": "quiet", "password": PASSWORD})).json()
            headers = {"Authorization": f"Bearer {login['access_token']}"}
            ticket = (await client.post("/auth/tickets", headers=headers)).json()["ticket"]
            await client.get(f"/notifications/stream?ticket={ticket}&last_event_id=wrong")
            await client.post("/auth/refresh", json={"refresh_token": login["refresh_token"]})
            await client.get("/auth/me", headers={"Authorization": "Bearer a-bad-token-of-somebody"})
            upload = {"filename": "a.wav", "content_type": "audio/wav", "size": 4}
            link = (await client.post("/uploads", json=upload, headers=headers)).json()["upload"]
            assert (await client.put(link["url"], content=b"RIFF", headers=link["headers"])).is_success
        _, ended = await server.end()
    lines = [json.loads(line) for line in ended.err.splitlines() if line.startswith("{")]
    asked = [line for line in lines if line["event"] == "request"]
    assert {line["path"] for line in asked} >= {"/api/v1/auth/login", "/api/v1/notifications/stream"}
    assert all(len(line["request_id"]) == 16 for line in asked)
    secrets = [PASSWORD, login["access_token"], login["refresh_token"], ticket, "a-bad-token-of-somebody"]
    secrets.append(link["url"].rpartition("/")[2])
    assert [secret for secret in secrets if secret in ended.err] == []
