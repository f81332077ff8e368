"""Answers are what their schemas say, to the byte: also those that are written without becoming schemas."""

from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from app.api import api
from app.core.infra import Infra
from tests.contract.test_examples import client, demo, requests_of, sign_in

__all__ = ["client", "demo"]

WRITTEN_FROM_ROWS = {
    *("get_album", "list_album_reviews", "list_user_reviews", "list_reviews", "list_followed_reviews"),
    *("get_feed", "list_playlist_entries"),
}


def schemas() -> dict[str, Any]:
    """What each operation with a JSON answer promises."""
    return {
        route.name: route.response_field.field_info.annotation
        for route in api.routes
        if isinstance(route, APIRoute) and route.response_field
    }


async def test_reads_of_the_demo(demo: Infra, fresh: FastAPI, client: httpx.AsyncClient) -> None:
    document, promised = fresh.openapi(), schemas()
    ana, seen = await sign_in(client, document), set()
    for it in requests_of(document):
        if it.method != "get" or it.name not in promised:
            continue
        answer = await client.get(it.path, headers=ana, **it.options)
        if answer.status_code == 200 and answer.headers["content-type"] == "application/json":
            adapter = TypeAdapter(promised[it.name])
            assert adapter.dump_json(adapter.validate_json(answer.content)) == answer.content, it.name
            seen |= {it.name} if b'"items":[]' not in answer.content else set()
    assert seen >= WRITTEN_FROM_ROWS, "an empty list shows nothing"
