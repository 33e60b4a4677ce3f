"""Where frames come from. `open_source` turns what the user typed into something to iterate."""

from __future__ import annotations

import os
from functools import partial
from os import PathLike
from pathlib import Path
from stat import S_ISDIR, S_ISFIFO
from typing import TYPE_CHECKING

from tracker.sources.base import (
    ALL,
    ANY,
    FILMS,
    MOVING,
    PHOTOS,
    Report,
    Source,
    SourceError,
    Span,
    Wish,
    without_secrets,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tracker.sources.camera import Device

__all__ = [
    "ALL",
    "ANY",
    "Report",
    "Source",
    "SourceError",
    "Span",
    "Wish",
    "open_camera",
    "open_live",
    "open_source",
]


def open_source(name: str | Path, span: Span = ALL, *, alone: bool = True) -> Source:
    """A film, a photo or a folder of photos.

    alone: whether this is the run's only input; pictures are then named within their folder.
    Raises SourceError naming the input if there is nothing of that name or nothing in it.
    """
    if not isinstance(name, str | PathLike):  # many try the number of a camera first
        raise SourceError(f"{name!r} is no film, photo or folder; a camera's pictures are pushed")
    path = Path(name)
    if "://" in str(name):
        raise SourceError(f"{without_secrets(str(name))}: an address is given with --webcam")
    kind = 0 if str(name) == "-" else _kind(str(name))
    if not kind or S_ISFIFO(kind):  # it is opened more than once
        raise SourceError(f"{name}: reading from standard input is not supported; name a file")
    if S_ISDIR(kind):
        return _folder(path, alone=alone)
    if path.suffix.lower() in PHOTOS:
        from tracker.sources.photos import Photos

        return Photos([(str(name), path)])
    from tracker.sources.film import Film

    return Film(str(name), path, span)


def open_live(name: str | Path, span: Span = ALL) -> Source:
    """A film played by its own clock, as if it were a camera. Raises SourceError naming it."""
    from tracker.sources.film import Film
    from tracker.sources.live import Live

    film = open_source(name, span)
    if not isinstance(film, Film):
        raise SourceError(f"{name}: photos have no clock to be played by; name a film")
    return Live(film)


def open_camera(which: str = "", wish: Wish = ANY, microphone: str = "") -> Source:
    """A camera of this machine or of the network.

    which: "" for the first, a number, a part of its name, or the URL of a network camera. Raises
    SourceError if no such camera is listed; whether it gives pictures shows when it is iterated.
    microphone: "" for the system's own choice, a number, or a part of its name; opened only where
    somebody listens.
    """
    if "://" in which:
        from tracker.sources.live_url import open_url

        return open_url(which)
    from tracker.sources.camera import Camera
    from tracker.sources.camera_names import again, cameras, chosen
    from tracker.sources.camera_opencv import open_opencv
    from tracker.sources.microphone import open_microphone

    hear = partial(open_microphone, microphone)
    if which.isdigit():
        name = f"camera {which}"
        return Camera(name, lambda: open_opencv(int(which), name, wish), hear)
    camera = chosen(which, cameras())

    def open_again() -> Device:
        return open_opencv(again(camera, cameras()).index, camera.name, wish)

    return Camera(camera.name, open_again, hear)


def _kind(name: str) -> int:
    """The mode of a file; SourceError naming it where there is none, or it cannot be reached."""
    try:
        return os.stat(name).st_mode
    except FileNotFoundError as wrong:
        raise SourceError(f"{name}: no such file or folder") from wrong
    except OSError as wrong:
        raise SourceError(f"{name}: cannot be read ({wrong.strerror})") from wrong


def _folder(folder: Path, *, alone: bool) -> Source:
    from tracker.sources.photos import Photos

    closed: list[OSError] = []
    shown = [path for path in _shown(folder, closed.append) if path.is_file()]
    found = sorted(path for path in shown if path.suffix.lower() in PHOTOS | MOVING)
    lost = [f"{wrong.filename}: cannot be read ({wrong.strerror})" for wrong in closed]
    if not found:
        why = (
            lost[0] if lost else f"{folder}: no pictures in this folder; films are named one by one"
        )
        raise SourceError(why)
    photos = Photos(_named(found, folder, alone))
    photos.report.errors += len(lost)
    photos.report.notes += lost
    if films := sum(path.suffix.lower() in FILMS for path in shown):
        photos.report.note(f"{folder}: films in it are named one by one; left out: {films}")
    return photos


def _shown(folder: Path, closed: Callable[[OSError], object]) -> Iterator[Path]:
    """What is in a folder and below, less what is hidden: a Mac puts a `._x.jpg` beside `x.jpg`.

    closed: told of each folder that cannot be read.
    """
    for place, folders, files in os.walk(folder, onerror=closed):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in files if not name.startswith("."))


def _named(found: Iterable[Path], folder: Path, alone: bool) -> list[tuple[str, Path]]:
    return [((p.relative_to(folder) if alone else p).as_posix(), p) for p in found]
