"""The health endpoints, and that the application opens at all."""

import httpx


async def test_ready_with_both_servers_up(client: httpx.AsyncClient) -> None:
    answer = await client.get("http://soundscore.test/readyz")
    assert answer.status_code == 200
    states = {part["name"]: part["state"] for part in answer.json()["parts"]}
    assert (states["database"], states["redis"]) == ("up", "up")


async def test_unknown_path_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"
