"""Photos: each is a film of one frame, at 0 s, and a stream of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from tracker.sources.base import Report, SourceError
from tracker.values import Frame, Image

LARGEST = 250_000_000  # px; a picture beyond that is more likely an attack than a photo


class Photos:
    """Reads pictures one after the other; one that fails is noted, and the others still done.

    names: what the `source` column says, and the file. Raises SourceError if none can be read.
    """

    live = False

    def __init__(self, names: Sequence[tuple[str, Path]]) -> None:
        self._names = names
        self.report = Report()
        self.expected: int | None = len(names)

    def __iter__(self) -> Iterator[Frame]:
        for name, path in self._names:
            try:
                image = read_photo(path)
            except SourceError as wrong:
                self.report.errors += 1
                self.report.note(f"{name}: {wrong}")
                continue
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


def read_photo(path: Path) -> Image:
    """Upright RGB, whatever the file held: grey, alpha (dropped), 16 bit, CMYK.

    Raises SourceError saying what is wrong, without the file's name.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as wrong:
        raise SourceError(wrong.strerror or str(wrong)) from wrong
    if not data.size:
        raise SourceError("the file is empty")
    try:  # EXIF rotation is applied by imdecode
        image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
    except cv2.error as wrong:
        raise SourceError(f"not a readable picture ({wrong.err or 'damaged'})") from wrong
    if image is None:
        raise SourceError("not a readable picture")
    if image.shape[0] * image.shape[1] > LARGEST:
        raise SourceError(f"{image.shape[1]} x {image.shape[0]} px is too large")
    return np.asarray(image, np.uint8)
