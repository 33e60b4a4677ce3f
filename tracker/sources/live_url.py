"""Network cameras and films at an address, through PyAV."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import av
from av.video.frame import VideoFrame

from tracker.picture import Picture
from tracker.sources.base import Source, SourceError, without_secrets
from tracker.sources.camera import Camera, Lost
from tracker.sources.film import Film
from tracker.sources.live import Live
from tracker.sources.opened import PATIENCE, Opened, describe, reason
from tracker.sources.upright import Upright, pixel_aspect

log = logging.getLogger(__name__)

PROTOCOLS = ("http", "https", "rtsp", "rtsps")
OPTIONS = {"rtsp": {"rtsp_transport": "tcp"}, "rtsps": {"rtsp_transport": "tcp"}}  # UDP loses parts


class NetworkDevice:
    """A stream without an end. Whatever the stream says of its times, arrival counts."""

    def __init__(self, name: str, url: str) -> None:
        self._closing = ExitStack()
        container, stream = self._closing.enter_context(_open(name, url))
        stream.thread_type = "SLICE"  # threads by frame would hold some frames back
        self.about: dict[str, Any] = {"kind": "url", "name": name} | describe(container, stream)
        self._upright, self._aspect = Upright(), pixel_aspect(stream)
        self._decoded: Iterator[VideoFrame] = container.decode(stream)

    def read(self) -> Picture:
        began = time.monotonic()
        try:
            picture = self._upright(next(self._decoded), self._aspect)
        except StopIteration:
            raise Lost("the stream ended") from None
        except (av.FFmpegError, OSError, ValueError) as wrong:
            raise Lost(reason(wrong)) from wrong
        if time.monotonic() - began >= PATIENCE:  # given up; what was held back until then is old
            raise Lost(f"no answer for {PATIENCE:g} s")
        return picture

    def close(self) -> None:
        self._closing.close()


def open_url(url: str) -> Source:
    """A network camera; or, where the address gives a film with a length, that film played live.

    Raises SourceError naming the address, without user, password and query.
    """
    name = without_secrets(url)
    with _open(name, url) as (container, _):
        film = container.duration is not None
    return (
        Live(Film(name, url))
        if film
        else Camera(name, lambda: NetworkDevice(name, url), partial(_unheard, name))
    )


def _open(name: str, url: str) -> Opened:
    protocol = urlsplit(url).scheme
    if protocol not in PROTOCOLS:
        raise SourceError(f"{name}: {protocol}:// is none of {', '.join(PROTOCOLS)}")
    return Opened(name, url, OPTIONS.get(protocol))


def _unheard(name: str) -> None:
    log.warning("%s: the sound of a network camera is not read", name)
