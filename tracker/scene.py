"""Evoked affect: what the whole picture does to its viewer, read at a rate of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engines import Engine, Tensor, infer_rows
from tracker.aside import Aside
from tracker.bars import cropped, within_bars
from tracker.fit import Fit
from tracker.models import Model, ModelError, label_order
from tracker.smoothing import LstmSmoother
from tracker.values import EMOTIONS, Affect, Frame, Reading, SceneReading, Scores

AXES = ("valence", "arousal")
MAPS = (*AXES, *EMOTIONS)  # what `SceneReading.maps` holds, in order
LABELS = {"affect": AXES, "spread": AXES, "emotions": EMOTIONS, "maps": MAPS}
OUTDOOR = "outdoor"  # in `place`: a probability of its own; the other labels exclude each other
VIEWER = 0  # the one key of the memory
CERTAIN = 1.0  # confidence: the whole picture was seen
TICK = 1e-6  # s, the resolution of our times


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What a scene network's card says of its input and outputs."""

    fit: Fit
    orders: dict[str, list[int]]  # output -> the columns that give LABELS
    emotions: tuple[str, ...]  # those of EMOTIONS that it says
    places: tuple[str, ...]  # the labels of `place`, in its own order; () if it has none

    @classmethod
    def of(cls, model: Model) -> Layout:
        """Raises ModelError naming what this is not."""
        if model.role != "scene":
            raise ModelError(f"{model.path.name}: its role is {model.role!r}, expected 'scene'")
        orders = {
            name: label_order(model, name, labels)
            for name, labels in LABELS.items()
            if name != "emotions"
        }
        orders["emotions"] = label_order(model, "emotions", (), optional=EMOTIONS)
        known_orders = {name: list(o.values()) for name, o in orders.items() if o}
        emotions = tuple(orders["emotions"] or ())
        return cls(Fit.of(model, model.card["input"]), known_orders, emotions, _places(model))

    @property
    def lacks(self) -> tuple[str, ...]:
        """What columns or pictures need and this model does not say."""
        outputs = tuple(name for name in LABELS if name not in self.orders)
        if self.emotions:
            outputs += tuple(label for label in EMOTIONS if label not in self.emotions)
        place = () if set(self.places) - {OUTDOOR} else ("place",)
        return (*outputs, *place, *(() if OUTDOOR in self.places else (OUTDOOR,)))


class SceneReader:
    """Looks when `interval` seconds of the stream have passed, and at once on a cut; in between
    it gives what it saw last.

    `look` may run ahead of the rest, in another thread. The network is asked in a thread of its
    own, in order: one look takes as long as finding the faces of several frames. Calling waits
    for it, and steadies.
    engine: frame (n, 3, H, W) -> what `layout` says. It is ours to close.
    memory: outlives a cut, as a viewer's mood does; whoever made it closes it.
    maps: keep where a reading comes from.
    """

    def __init__(
        self,
        engine: Engine,
        layout: Layout,
        memory: LstmSmoother,
        *,
        interval: float,
        maps: bool = False,
    ) -> None:
        self._outputs = {spec.name: i for i, spec in enumerate(engine.outputs)}
        for name in (*layout.orders, *(("place",) if layout.places else ())):
            if name not in self._outputs:
                raise ModelError(f"a scene model's card has the output {name!r}, its graph has not")
        self._engine = engine
        self._layout = layout
        self._memory = memory
        self._interval = interval
        self._maps = maps
        self._looking: Aside[SceneReading] = Aside("scene")
        self._seen: Future[SceneReading] | None = None  # the last look
        self._due = -math.inf  # s, of the next look
        self._from: Future[SceneReading] | None = None  # the look that was steadied last
        self._steady: SceneReading | None = None

    def begin(self) -> None:
        """Another stream follows, and another viewer; its first frame is a cut."""
        self._from = self._steady = None
        self._memory.begin()

    def close(self) -> None:
        self._looking.close()
        self._engine.close()

    def look(self, frame: Frame, cut: bool) -> Future[SceneReading]:
        """Not steadied: what this picture, or the last one that was looked at, says by itself."""
        if self._seen is None or cut:
            self._due = frame.pts
        elif frame.pts < self._due - TICK:
            return self._seen
        self._due += self._interval
        if self._due <= frame.pts + TICK:  # frames further apart than looks
            self._due = frame.pts + self._interval
        if self._seen is not None:
            wait((self._seen,))  # or a network slower than a camera falls behind without end
        self._seen = self._looking.submit(partial(self._read, frame))
        return self._seen

    def __call__(self, seen: Future[SceneReading]) -> SceneReading:
        """seen: what `look` said. A look is steadied once, and then held."""
        if self._steady is None or seen is not self._from:
            self._from, self._steady = seen, seen.result()
            if self._steady.affect is not None:
                raw = self._steady.affect.raw
                self._steady = replace(self._steady, affect=self._steadied(self._steady.pts, raw))
        return self._steady

    def _read(self, frame: Frame) -> SceneReading:
        area = within_bars(frame.picture)
        out = infer_rows(self._engine, self._layout.fit(cropped(frame.picture, area))[None])
        affect, spread = (self._ours(out, name) for name in ("affect", "spread"))
        emotions, maps = (self._ours(out, name) for name in ("emotions", "maps"))
        places = out[self._outputs["place"]][0] if self._layout.places else None
        return SceneReading(
            pts=frame.pts,
            affect=None if affect is None else _unsteadied(Affect(*map(float, affect))),
            spread=None if spread is None else Affect(*map(float, spread)),
            emotions=None
            if emotions is None
            else Scores(self._layout.emotions, tuple(map(float, emotions))),
            place=None if places is None else Scores(self._layout.places, (*map(float, places),)),
            maps=maps if self._maps else None,
            area=area if self._maps else None,
        )

    def _steadied(self, pts: float, raw: Affect) -> Reading:
        seen = np.array([[raw.valence, raw.arousal, CERTAIN]], np.float32)
        (steady,) = self._memory.steady(pts, [VIEWER], seen)
        return Reading(raw, steady.affect, spread=steady.spread)

    def _ours(self, out: Sequence[Tensor], name: str) -> NDArray[np.float32] | None:
        """One output in the order of LABELS; None where the model has no such output."""
        if name not in self._layout.orders:
            return None
        values: NDArray[np.float32] = out[self._outputs[name]][0][self._layout.orders[name]]
        return values


def _unsteadied(raw: Affect) -> Reading:
    return Reading(raw, raw)


def _places(model: Model) -> tuple[str, ...]:
    for spec in model.card["outputs"]:
        if spec["name"] == "place":
            return tuple(spec["labels"])
    return ()
