"""Where in a picture its evoked reading comes from: one sheet, drawn when the run ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tracker.sinks.base import SinkError
from tracker.sinks.scene_columns import strength
from tracker.sinks.sheet import Moment, drawn, write_picture
from tracker.values import Step


@dataclass(frozen=True, slots=True)
class _Kept:
    strength: float
    moment: Moment


class Explain:
    """Keeps one moment, and draws it when the run ends.

    at: s; the first look then or later. None: the strongest look, the first of equals.
    """

    def __init__(self, target: Path, at: float | None = None) -> None:
        self._target = target
        self._at = at
        self._kept: _Kept | None = None

    @property
    def done(self) -> bool:
        """Nothing that follows can change the sheet."""
        return self._at is not None and self._kept is not None

    def __enter__(self) -> Explain:
        if not self._target.parent.is_dir():  # better now than after the film
            raise SinkError(f"{self._target}: cannot write (no such folder)")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._kept is not None:
            write_picture(self._target, drawn(self._kept.moment))
        elif kind is None:
            raise SinkError(f"{self._target}: no picture at {self._at or 0:g} s or later")

    def write(self, step: Step) -> None:
        result, scene = step.result, step.result.scene
        if scene is None or scene.pts != result.pts or self.done:  # held from an earlier picture
            return
        if self._at is not None and result.pts < self._at:
            return
        found = strength(scene)
        if self._kept is None or found > self._kept.strength:
            name, pts = Path(result.source).name, result.pts or None  # a photo is at 0
            self._kept = _Kept(found, Moment(step.frame.image, name, pts, scene))
