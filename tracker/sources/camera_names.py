"""Which cameras there are, and which of them a word means."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from tracker.sources.base import SourceError

SYSFS = Path("/sys/class/video4linux")
DEV = Path("/dev")
DEVICES = {"win32": "dshow", "darwin": "avfoundation"}  # FFmpeg's names of what can list cameras


@dataclass(frozen=True, slots=True)
class Listed:
    index: int  # as `--webcam` takes it
    name: str
    modes: tuple[str, ...] = ()  # pixel format, size in px, frames/s; () where nobody tells


def cameras() -> list[Listed]:
    """The cameras of this machine by number. Raises SourceError where nobody can tell.

    On Windows and macOS FFmpeg lists them, without their modes; that OpenCV counts them in the
    same order is an assumption.
    """
    if sys.platform == "linux":
        return linux_cameras()
    driver, listing = DEVICES.get(sys.platform), getattr(av, "enumerate_input_devices", None)
    if driver is None or listing is None:
        raise SourceError("cameras cannot be listed here (PyAV 17 could); --webcam takes a number")
    try:
        found = [device.description for device in listing(driver) if "video" in device.media_types]
    except (av.FFmpegError, ValueError) as wrong:
        raise SourceError(f"cameras cannot be listed ({wrong}); --webcam takes a number") from wrong
    return [Listed(index, name) for index, name in enumerate(found)]


def linux_cameras(sysfs: Path = SYSFS, dev: Path = DEV) -> list[Listed]:
    """Video nodes that give pictures. One that cannot be opened is listed without its modes."""
    nodes = {int(path.name[5:]): path for path in sysfs.glob("video*") if path.name[5:].isdigit()}
    found = []
    for index, path in sorted(nodes.items()):
        modes = _modes(dev / path.name)
        if modes is not None:
            found.append(Listed(index, (path / "name").read_text("utf-8").strip(), modes))
    return found


def again(camera: Listed, listed: Sequence[Listed]) -> Listed:
    """The same camera, which may come back with another number. Raises SourceError."""
    for other in listed:
        if (other.index, other.name) == (camera.index, camera.name):
            return other
    return chosen(camera.name, listed)


def _modes(node: Path) -> tuple[str, ...] | None:
    """None: this node is no camera."""
    from tracker.sources.camera_v4l2 import gives_pictures, modes

    try:
        opened = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return ()
    try:
        return tuple(modes(opened)) if gives_pictures(opened) else None
    except OSError:
        return None
    finally:
        os.close(opened)


def chosen(word: str, listed: Sequence[Listed]) -> Listed:
    """The camera whose name has the word in it; "" is the first. Raises SourceError."""
    if not listed:
        raise SourceError("there is no camera")
    if not word:
        return listed[0]
    same = [camera for camera in listed if camera.name.lower() == word.lower()]
    alike = same or [camera for camera in listed if word.lower() in camera.name.lower()]
    if len(alike) == 1:
        return alike[0]
    names = ", ".join(f"{camera.index} {camera.name!r}" for camera in alike or listed)
    if alike:
        raise SourceError(f"{word!r} could be any of these cameras: {names}; take its number")
    raise SourceError(f"no camera is called {word!r}; there are: {names}")
