"""Where frames come from. `open_source` turns what the user typed into something to iterate."""

from __future__ import annotations

from functools import partial
from os import PathLike
from pathlib import Path
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
    from collections.abc import Iterable, Iterator

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
    if str(name) == "-" or path.is_fifo():  # it is opened more than once
        raise SourceError(f"{name}: reading from standard input is not supported; name a file")
    if "://" in str(name):
        raise SourceError(f"{without_secrets(str(name))}: an address is given with --webcam")
    if not str(name) or not path.exists():  # an empty name would be this folder
        raise SourceError(f"{name}: no such file or folder")
    if path.is_dir():
        from tracker.sources.photos import Photos

        kinds = PHOTOS | MOVING
        shown = [p for p in _shown(path) if p.is_file()]
        found = sorted(p for p in shown if p.suffix.lower() in kinds)
        if not found:
            raise SourceError(f"{name}: no pictures in this folder; films are named one by one")
        photos = Photos(_named(found, path, alone))
        if films := sum(p.suffix.lower() in FILMS for p in shown):
            photos.report.note(f"{name}: films in it are named one by one; left out: {films}")
        return photos
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


def _shown(folder: Path) -> Iterator[Path]:
    """What is in a folder and below, less what is hidden: a Mac puts a `._x.jpg` beside `x.jpg`."""
    for path in folder.rglob("*"):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _named(found: Iterable[Path], folder: Path, alone: bool) -> list[tuple[str, Path]]:
    return [((p.relative_to(folder) if alone else p).as_posix(), p) for p in found]
