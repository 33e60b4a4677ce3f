"""Sinks for other programs, by what the command line calls them; each needs the extra `stream`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracker.sinks.base import SinkError
from tracker.sinks.column import Column

if TYPE_CHECKING:
    from tracker.sinks.lsl import Lsl
    from tracker.sinks.osc import Osc
    from tracker.sinks.websocket import Websocket

PACKAGES = {"pylsl": "pylsl", "pythonosc": "python-osc", "websockets": "websockets"}


def open_lsl(name: str, header: Sequence[Column], of: str) -> Lsl:
    """of: what is read. Raises SinkError if pylsl or the library under it is not there."""
    with _needed_by("--lsl"):
        from tracker.sinks.lsl import Lsl

    return Lsl(name, header, of)


def open_osc(host: str, port: int, header: Sequence[Column]) -> Osc:
    """Raises SinkError if python-osc is not there or nobody knows the host."""
    with _needed_by("--osc"):
        from tracker.sinks.osc import Osc

    return Osc(host, port, header)


def open_websocket(host: str, port: int, token: str | None, header: Sequence[Column]) -> Websocket:
    """Raises SinkError if websockets is not there."""
    with _needed_by("--ws"):
        from tracker.sinks.websocket import Websocket

    return Websocket(host, port, token, header)


@contextmanager
def _needed_by(flag: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as missing:
        package = PACKAGES.get((missing.name or "").partition(".")[0])
        if package is None:
            raise
        raise SinkError(f"{flag} needs {package}: pip install 'emotrack[stream]'") from missing
    except RuntimeError as wrong:  # pylsl, where the system lacks the library that it wraps
        raise SinkError(f"{flag}: {' '.join(str(wrong).split())}") from wrong
