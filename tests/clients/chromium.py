"""Chromium without a window, driven over its DevTools protocol."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

__all__ = ["Browser", "Page", "chromium"]

PATIENCE = 20.0
_NAMES = ("chromium", "google-chrome-stable", "google-chrome")
_OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server"),
    *("--autoplay-policy=no-user-gesture-required", "--mute-audio", "--remote-debugging-port=0"),
)
Listener = Callable[[dict[str, Any]], None]


class Browser:
    """A running Chromium."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._listeners: dict[str, Listener] = {}

    async def listen(self) -> None:
        """Reads until the connection ends."""
        with suppress(ConnectionClosed):
            while True:
                message = json.loads(await self._connection.recv())
                if "id" in message:
                    self._answers.pop(message["id"]).set_result(message)
                elif listener := self._listeners.get(message.get("sessionId", "")):
                    listener(message)

    async def ask(self, method: str, session: str | None = None, /, **params: Any) -> dict[str, Any]:
        """A command of the protocol; its result."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        where = {} if session is None else {"sessionId": session}
        await self._connection.send(json.dumps({"id": number, "method": method, "params": params, **where}))
        async with asyncio.timeout(PATIENCE):
            said = await answer
        assert "error" not in said, f"{method}: {said['error']}"
        result: dict[str, Any] = said["result"]
        return result

    @asynccontextmanager
    async def page(self, address: str, report: Callable[[str], None]) -> AsyncIterator["Page"]:
        """Opens a page, which tells things by `report(text)`; it is closed at the end."""
        target = (await self.ask("Target.createTarget", url="about:blank"))["targetId"]
        session = (await self.ask("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        page = Page(self, session, report)
        self._listeners[session] = page.hear
        await page.open(address)
        try:
            yield page
        finally:
            del self._listeners[session]
            await self.ask("Target.closeTarget", targetId=target)


class Page:
    """A page, and what went wrong in it."""

    def __init__(self, browser: Browser, session: str, report: Callable[[str], None]) -> None:
        self.complaints: list[str] = []
        self._browser, self._session, self._report = browser, session, report
        self._loaded = asyncio.Event()

    async def open(self, address: str) -> None:
        """Loads an address, with its scripts."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self._ask(f"{domain}.enable")
        await self._ask("Runtime.addBinding", name="report")
        await self._ask("Page.navigate", url=address)
        async with asyncio.timeout(PATIENCE):
            await self._loaded.wait()

    async def run(self, expression: str) -> Any:
        """What an expression of JavaScript comes to, awaited if it is a promise."""
        options = {"awaitPromise": True, "returnByValue": True}
        said = await self._ask("Runtime.evaluate", expression=expression, **options)
        assert "exceptionDetails" not in said, said["exceptionDetails"]["exception"].get("description", said)
        return said["result"].get("value")

    async def go_offline(self, *, offline: bool = True) -> None:
        """Takes the network from the page, or gives it back."""
        await self._ask(
            "Network.emulateNetworkConditions",
            offline=offline,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )

    def hear(self, message: dict[str, Any]) -> None:
        """Takes an event of the protocol."""
        params = message["params"]
        match message["method"]:
            case "Page.loadEventFired":
                self._loaded.set()
            case "Runtime.bindingCalled":
                self._report(params["payload"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"].get("exception", params)))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.complaints.append(params["entry"]["text"])

    async def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        return await self._browser.ask(method, self._session, **params)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A Chromium of its own. Skips the test where there is none."""
    binary = next(filter(None, map(_usable, _NAMES)), None)
    if binary is None:
        pytest.skip("Chromium is not installed: apt-get install chromium (.ci/run does it on a bare machine)")
    with tempfile.TemporaryDirectory(prefix="soundscore-chromium-", ignore_cleanup_errors=True) as folder:
        nowhere = asyncio.subprocess.DEVNULL
        command = (binary, *_OPTIONS, f"--user-data-dir={folder}", "about:blank")
        process = await asyncio.create_subprocess_exec(*command, stdout=nowhere, stderr=nowhere)
        try:
            address = await _address(Path(folder) / "DevToolsActivePort", process)
            async with connect(address, max_size=None, compression=None, ping_interval=None) as connection:
                browser = Browser(connection)
                listening = asyncio.create_task(browser.listen())
                yield browser
                await browser.ask("Browser.close")
                await listening
            await asyncio.wait_for(process.wait(), PATIENCE)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _usable(name: str) -> str | None:
    """Where it is. What a snap starts sees no files of ours, so it is none."""
    found = shutil.which(name)
    return found if found and Path(found).resolve().name != "snap" else None


async def _address(said: Path, process: asyncio.subprocess.Process) -> str:
    """Where it listens: it writes that down."""
    async with asyncio.timeout(PATIENCE):
        while not said.exists() or said.read_text().count("\n") < 1:
            assert process.returncode is None, f"Chromium ended with {process.returncode}"
            await asyncio.sleep(0.05)
    port, path = said.read_text().split("\n")[:2]
    return f"ws://127.0.0.1:{port}{path}"
