"""A contact sheet of what pictures evoke: all photos, and moments of films."""

from __future__ import annotations

import base64
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from tracker.resize import resized
from tracker.sinks.base import ODD, SinkError, write_whole
from tracker.sinks.plane import Entry
from tracker.sinks.report_page import page
from tracker.values import Image, Step

THUMBNAIL = 160  # px, longer side
QUALITY = 80  # of JPEG, 0..100
APART = 2.0  # s between two moments of a film, to begin with
MOST = 120  # moments of one film; when there are more, every second one is given up
TICK = 1e-6  # s, the resolution of our times


class Report:
    """Takes every photo, and of a film up to MOST moments at even distances, however long it is.

    The page is written when the run ends, whatever ended it.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._films: dict[str, _Film] = {}

    def __enter__(self) -> Report:
        if not Path(self._target).parent.is_dir():  # better now than after the film
            raise SinkError(f"{self._target}: cannot write (no such folder)")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._films:  # another output failed before the first picture
            return
        whole = page([entry for film in self._films.values() for entry in film.entries])
        write_whole(Path(self._target), whole.encode("utf-8", ODD))

    def write(self, step: Step) -> None:
        scene = step.result.scene
        if scene is not None and scene.pts == step.result.pts:  # else held from an earlier picture
            self._films.setdefault(step.result.source, _Film()).offer(step)


class _Film:
    """The moments kept of one source."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._apart = APART
        self._due = 0.0  # s; of the first picture it does not matter

    def offer(self, step: Step) -> None:
        pts = step.result.pts
        if self.entries and self.entries[-1].result.pts <= pts < self._due - TICK:
            return
        height, width = step.frame.image.shape[:2]
        self.entries.append(Entry(step.result, thumbnail(step.frame.image), width / height))
        if len(self.entries) > MOST:
            self.entries = self.entries[::2]
            self._apart *= 2
        self._due = self.entries[-1].result.pts + self._apart


def thumbnail(image: Image) -> str:
    """A data URL of a JPEG."""
    height, width = image.shape[:2]
    scale = min(1.0, THUMBNAIL / max(height, width))
    small = resized(image, (max(1, round(width * scale)), max(1, round(height * scale))))
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(np.asarray(data).tobytes()).decode()
