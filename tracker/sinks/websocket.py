"""Results as JSON to whoever connects: a websocket server with a thread of its own."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tracker.sinks.base import SinkError
from tracker.sinks.column import Column
from tracker.sinks.rows import rows
from tracker.values import Step

KEPT = 30  # frames that wait for a slow client; then it loses the oldest
GREETING = 2.0  # s for a client to say what it is; whoever says nothing holds up the end so long
FAREWELL = 1.0  # s for a client to take leave
LONGEST = 1024  # bytes of a message to us; there is nothing to say
# Programs send no Origin; of pages, only those of this machine are let in. Any page on the
# internet may try to connect to 127.0.0.1 from within its reader's browser.
ORIGINS = [None, re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")]

log = logging.getLogger(__name__)
_connections = logging.getLogger(f"{__name__}.connections")
_connections.setLevel(logging.CRITICAL)  # one that fails is the client's affair


class Websocket:
    """Sends each client a message per frame, from when it connects:

    {"frame": 1, "timestamp": 0.0, "latency": 0.012, "rows": [...]}, with the table's rows as
    --jsonl has them. Every client has a queue of its own, so a slow one holds up nobody.
    token: asked for as `?token=` or `Authorization: Bearer`; None: nobody is asked. Raises
    SinkError if the port is taken.
    """

    def __init__(self, host: str, port: int, token: str | None, header: Sequence[Column]) -> None:
        self._host, self._port, self._token = host, port, token
        self._header = header
        self._clients: set[asyncio.Queue[str]] = set()
        self._over = asyncio.Event()
        self._running: tuple[asyncio.AbstractEventLoop, threading.Thread] | None = None

    def __enter__(self) -> Websocket:
        try:
            family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
            listening = socket.create_server((self._host, self._port), family=family)
        except OSError as wrong:
            cause = wrong.__context__ if isinstance(wrong.__context__, OSError) else wrong
            raise SinkError(f"--ws {self._host}:{self._port}: {cause.strerror}") from wrong
        if self._token is None and not _on_this_machine(self._host):
            log.warning("--ws %s: whoever reaches it may read; see --ws-token", self._host)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._run, args=(loop, listening), name="websocket")
        thread.daemon = True
        thread.start()
        self._running = loop, thread
        return self

    def __exit__(self, *_: object) -> None:
        if self._running is not None:
            loop, thread = self._running
            loop.call_soon_threadsafe(self._over.set)
            thread.join()
            self._running = None

    def write(self, step: Step) -> None:
        assert self._running is not None, "written to outside its with block"
        if not self._clients:
            return
        loop, _ = self._running
        result = step.result
        names = [column.name for column in self._header]
        message = {
            "frame": result.index + 1,
            "timestamp": round(result.pts, 6),
            "latency": round(result.latency, 6),
            "rows": [dict(zip(names, row, strict=True)) for row in rows(result, self._header)],
        }
        text = json.dumps(message, allow_nan=False)
        loop.call_soon_threadsafe(self._offer, text)

    def _offer(self, text: str) -> None:
        for queue in self._clients:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(text)

    def _run(self, loop: asyncio.AbstractEventLoop, listening: socket.socket) -> None:
        try:
            loop.run_until_complete(self._serve(listening))
        finally:
            loop.close()

    async def _serve(self, listening: socket.socket) -> None:
        async with serve(
            self._welcome,
            sock=listening,
            origins=ORIGINS,
            process_request=self._admit,
            open_timeout=GREETING,
            close_timeout=FAREWELL,
            max_size=LONGEST,
            logger=_connections,
        ):
            await self._over.wait()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """None: come in."""
        if self._token is None:
            return None
        given = parse_qs(urlsplit(request.path).query).get("token", [])
        given += [h.removeprefix("Bearer ") for h in request.headers.get_all("Authorization")]
        if any(hmac.compare_digest(word.encode(), self._token.encode()) for word in given):
            return None
        return connection.respond(HTTPStatus.UNAUTHORIZED, "token missing or wrong\n")

    async def _welcome(self, connection: ServerConnection) -> None:
        queue: asyncio.Queue[str] = asyncio.Queue(KEPT)
        self._clients.add(queue)
        sending = asyncio.create_task(_pass_on(queue, connection))
        try:
            async for _ in connection:  # reading is how we notice that the client leaves
                pass
        finally:
            self._clients.discard(queue)
            sending.cancel()


def _on_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _pass_on(queue: asyncio.Queue[str], connection: ServerConnection) -> None:
    with suppress(ConnectionClosed):
        while True:
            await connection.send(await queue.get())
