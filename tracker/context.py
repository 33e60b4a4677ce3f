"""What each person seems to feel, read from the body and the picture around it (EMOTIC's way)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp

import numpy as np
from numpy.typing import NDArray

from engines import Engine, infer_rows
from tracker.fit import Fit
from tracker.geometry import body_box
from tracker.models import Model, ModelError, label_order
from tracker.smoothing import LstmSmoother
from tracker.values import CATEGORIES, Affect, ContextReading, Face, Frame, Image, Reading, Scores

INPUTS = ("person", "frame")
CERTAIN = 1.0  # confidence of a face that came without a score

# Nobody has traces of dominance to teach a memory with, so it gets a plain filter: about as slow
# as the best plain filter on traces of valence and arousal (lag in the memory's card).
DOMINANCE = 0.4  # s in which the filter covers 63 % of a step


@dataclass(frozen=True, slots=True)
class Layout:
    """What a context network's card says of its inputs and outputs."""

    fits: dict[str, Fit]  # of each input
    affect: dict[str, int] | None  # valence, arousal, perhaps dominance -> column
    categories: dict[str, int] | None  # in the order of CATEGORIES -> column

    @classmethod
    def of(cls, model: Model) -> Layout:
        """Raises ModelError naming what this is not."""
        if model.role != "context":
            raise ModelError(f"{model.path.name}: its role is {model.role!r}, expected 'context'")
        affect = label_order(model, "affect", ("valence", "arousal"), optional=("dominance",))
        categories = label_order(model, "categories", CATEGORIES)
        if affect is None and categories is None:
            raise ModelError(f"{model.path.name}: the card has neither affect nor categories")
        return cls({name: _fit(model, name) for name in INPUTS}, affect, categories)

    @property
    def lacks(self) -> tuple[str, ...]:
        """Outputs that columns need and this model does not have."""
        dominance = self.affect is None or "dominance" in self.affect
        return (
            *(() if self.affect is not None else ("affect",)),
            *(() if dominance else ("dominance",)),
            *(() if self.categories is not None else ("categories",)),
        )


class ContextReader:
    """Reads everyone in a frame in one batch; each keeps a memory of their own.

    engine: person, frame (n, 3, H, W) -> what `layout` says. It is ours to close.
    memory: for valence and arousal; whoever made it closes it.
    forget_after: s without a reading before a track starts afresh.
    """

    def __init__(
        self, engine: Engine, layout: Layout, memory: LstmSmoother, *, forget_after: float = 2.0
    ) -> None:
        names = [spec.name for spec in engine.inputs]
        if sorted(names) != sorted(INPUTS):
            raise ModelError(f"a context model's graph reads person and frame, not {names}")
        self._outputs = {spec.name: i for i, spec in enumerate(engine.outputs)}
        for name in ("affect", "categories"):
            if getattr(layout, name) is not None and name not in self._outputs:
                raise ModelError(f"a context model's card has output {name!r}, its graph has not")
        self._engine = engine
        self._layout = layout
        self._memory = memory
        self._dominance = _Trailing(DOMINANCE, forget_after)
        self._inputs = names

    def begin(self) -> None:
        self._memory.begin()
        self._dominance.begin()

    def close(self) -> None:
        self._engine.close()

    def __call__(self, frame: Frame, faces: Sequence[Face]) -> list[ContextReading]:
        """One reading per face. The whole frame is prepared once for all of them."""
        fits = self._layout.fits
        whole = fits["frame"](frame.image)
        given = {
            "person": np.stack([fits["person"](_body(frame.image, face)) for face in faces]),
            "frame": np.repeat(whole[None], len(faces), axis=0),
        }
        out = infer_rows(self._engine, *(given[name] for name in self._inputs))
        affects = self._affects(frame.pts, faces, out)
        categories = self._categories(out, len(faces))
        return [ContextReading(a, c) for a, c in zip(affects, categories, strict=True)]

    def _affects(
        self, pts: float, faces: Sequence[Face], out: Sequence[NDArray[np.float32]]
    ) -> Sequence[Reading | None]:
        columns = self._layout.affect
        if columns is None:
            return [None] * len(faces)
        said = out[self._outputs["affect"]]
        raw = [Affect(**{name: float(row[i]) for name, i in columns.items()}) for row in said]
        tracks = [face.track for face in faces]
        sure = [CERTAIN if face.score is None else face.score for face in faces]
        seen = [[a.valence, a.arousal, p] for a, p in zip(raw, sure, strict=True)]
        steady = self._memory.steady(pts, tracks, np.array(seen, np.float32))
        dominance = self._dominance(pts, tracks, [a.dominance for a in raw])
        return [
            Reading(a, replace(s.affect, dominance=d), spread=s.spread)
            for a, s, d in zip(raw, steady, dominance, strict=True)
        ]

    def _categories(
        self, out: Sequence[NDArray[np.float32]], people: int
    ) -> Sequence[Scores | None]:
        columns = self._layout.categories
        if columns is None:
            return [None] * people
        ordered = out[self._outputs["categories"]][:, list(columns.values())]
        return [Scores(CATEGORIES, tuple(map(float, row))) for row in ordered]


class _Trailing:
    """Exponential average of one value per key, exact for uneven steps. Causal."""

    def __init__(self, time_constant: float, forget_after: float) -> None:
        self._time_constant = time_constant  # s
        self._forget_after = forget_after  # s
        self._values: dict[int, tuple[float, float]] = {}  # key -> pts, value

    def begin(self) -> None:
        self._values = {}

    def __call__(
        self, pts: float, keys: Sequence[int], values: Sequence[float | None]
    ) -> list[float | None]:
        oldest = pts - self._forget_after
        self._values = {k: v for k, v in self._values.items() if oldest <= v[0] <= pts}
        return [
            None if value is None else self._step(pts, key, value)
            for key, value in zip(keys, values, strict=True)
        ]

    def _step(self, pts: float, key: int, value: float) -> float:
        then, before = self._values.get(key, (pts, value))
        now = value + exp((then - pts) / self._time_constant) * (before - value)
        self._values[key] = pts, now
        return now


def _body(image: Image, face: Face) -> Image:
    height, width = image.shape[:2]
    box = body_box(face.box, (width, height))
    x0, y0, x1, y1 = (round(edge) for edge in (box.x0, box.y0, box.x1, box.y1))
    return image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]


def _fit(model: Model, name: str) -> Fit:
    given = model.card["input"].get(name)
    if not isinstance(given, dict):
        raise ModelError(f"{model.path.name}: the card describes no input {name!r}")
    return Fit.of(model, given)
