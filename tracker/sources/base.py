"""What every source promises, and what it says of itself afterwards."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from tracker.sound import Sound
from tracker.values import Frame

# Suffixes of stills; everything else is asked of PyAV as a film. HEIC is listed to be refused in
# words: as a film it would be one tile of many.
PHOTOS = {".avif", ".bmp", ".heic", ".heif", ".jp2", ".jpeg", ".jpg", ".png", ".tif", ".tiff"}
FILMS = {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ts", ".webm", ".wmv"}
PHOTOS |= {".jfif", ".pbm", ".pgm", ".pnm", ".ppm", ".webp"}
MOVING = {".gif"}  # a film when it is named itself, a photo among the photos of a folder
TICK = 1e-6  # s, the resolution of our times


class SourceError(RuntimeError):
    """An input that cannot be read. The message names it and says why."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a film is read, on the container's own clock.

    Raises ValueError for a time that is none.
    """

    start: float | None = None  # s; None: from the first frame
    end: float | None = None  # s, exclusive; None: to the last frame
    every: float | None = None  # s of stream time between frames; None: every frame

    def __post_init__(self) -> None:
        for name in ("start", "end", "every"):
            at = getattr(self, name)
            if at is not None and not (isinstance(at, Real) and math.isfinite(at)):
                raise ValueError(f"{name} {at!r} is no time in seconds")
        if self.every is not None and not self.every >= TICK:
            raise ValueError(f"every {self.every:g} is no step of more than 0 seconds")


ALL = Span()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a camera; None: whatever suits."""

    size_wh: tuple[int, int] | None = None  # px
    rate: float | None = None  # frames/s


ANY = Wish()


@dataclass(slots=True)
class Report:
    """What came of reading a source; complete once its iteration has ended."""

    frames: int = 0  # decoded and handed over
    dropped: int = 0  # of those, by a live source: nobody had time for them
    errors: int = 0  # undecodable packets, damaged frames, unreadable pictures, missing ends
    left: bool = False  # somebody closed it before its end
    sound_errors: int = 0  # undecodable packets of the sound track, if it is read
    notes: list[str] = field(default_factory=list)  # one line each, naming the input
    about: list[dict[str, Any]] = field(default_factory=list)  # for the sidecar, one per file

    def note(self, line: str) -> None:
        self.notes.append(line)


def without_secrets(place: str) -> str:
    """A network address as it may be told on: user, password and query stay here."""
    parts = urlsplit(place)
    if not parts.netloc:
        return place
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def address(place: Path | str) -> str:
    """What FFmpeg is asked to open. It takes a file's name with a colon for a network address,
    or for worse, unless it is told that it is one."""
    return f"file:{place}" if isinstance(place, Path) else place


class Source(Protocol):
    """Iterating opens the file and closes it again; `live` says whether time waits for us.

    A live one is `handoff.Waiting` as well.
    """

    live: bool
    report: Report
    expected: int | None  # frames, where the container says so; for a progress bar

    def __iter__(self) -> Iterator[Frame]: ...

    def sound(self) -> Sound | None:
        """What is heard beside the frames, for one iteration; None: it cannot have any."""


class Unread:
    """An input that could not be opened: in the records of a run, and nowhere else."""

    live = False
    expected: int | None = None

    def __init__(self) -> None:
        self.report = Report()

    def __iter__(self) -> Iterator[Frame]:
        return iter(())

    def sound(self) -> Sound | None:
        return None
