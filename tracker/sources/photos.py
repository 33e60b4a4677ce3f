"""Photos: each is a film of one frame, at 0 s, and a stream of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tracker.sources.base import Report, SourceError
from tracker.sources.stills import count, decoded
from tracker.values import Frame, Image


class Photos:
    """Reads pictures one after the other; one that fails is noted, and the others still done.
    Of an animation or a document of several pages the first picture is read, and a note says so.

    names: what the `source` column says, and the file. Raises SourceError if none can be read.
    """

    live = False

    def __init__(self, names: Sequence[tuple[str, Path]]) -> None:
        self._names = names
        self.report = Report()
        self.expected: int | None = len(names)
        self._missed = False  # whether somebody asked for sound

    def sound(self) -> None:
        self._missed = True

    def __iter__(self) -> Iterator[Frame]:
        for name, path in self._names:
            try:
                image = read_photo(path)
            except SourceError as wrong:
                self.report.errors += 1
                self.report.note(f"{name}: {wrong}")
                continue
            pictures = count(path)
            if pictures > 1:
                self.report.note(f"{name}: {pictures} pictures in it; the first is read")
            height, width = image.shape[:2]
            self.report.frames += 1
            self.report.about.append(
                {"kind": "photo", "name": path.name, "path": path, "width": width, "height": height}
            )
            yield Frame(0, 0.0, time.monotonic(), image, name)
        if not self.report.frames:
            first = self.report.notes[0] if self.report.notes else "no pictures"
            self.report.notes = self.report.notes[1:]
            raise SourceError(first)
        if self._missed:
            self.report.note("photos have no sound; the audio columns stay empty")


def read_photo(path: Path) -> Image:
    """Upright RGB. Raises SourceError saying what is wrong, without the file's name."""
    try:
        data = path.read_bytes()
    except OSError as wrong:
        raise SourceError(wrong.strerror or str(wrong)) from wrong
    return decoded(data)
