"""What each person shows: crop, network, memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engines import Engine, infer_rows
from tracker.picture import Picture
from tracker.smoothing import LstmSmoother, Steady
from tracker.values import (
    EXPRESSIONS,
    Affect,
    ContextReading,
    Face,
    Frame,
    PersonReading,
    Reading,
    Scores,
)

Crop = NDArray[np.float32]  # (c, S, S), as the network's card asks
CERTAIN = 1.0  # confidence of a picture that was given as a face


class Calibrate(Protocol):
    """One affect per track in, one out; None where there is nothing to say yet. Causal."""

    def begin(self) -> None:
        """Forget everyone: another stream follows."""

    def __call__(
        self, pts: float, keys: Sequence[int], smooth: Sequence[Affect]
    ) -> Sequence[Affect | None]: ...


class Context(Protocol):
    """Each person with the picture around; one reading per face."""

    def begin(self) -> None:
        """Forget everyone: another stream follows."""

    def close(self) -> None:
        """Free models. Calling twice is harmless."""

    def __call__(self, frame: Frame, faces: Sequence[Face]) -> Sequence[ContextReading]: ...


class PeopleReader:
    """Reads all faces of a frame in one batch and steadies each with its own memory.

    cut: takes a face out of the picture, ready for the network.
    calibrate: what makes `Reading.calibrated`; None: nothing does.
    context: what makes `PersonReading.context`; None: nothing does.
    """

    def __init__(
        self,
        engine: Engine,
        cut: Callable[[Picture, Face], Crop],
        memory: LstmSmoother,
        calibrate: Calibrate | None = None,
        context: Context | None = None,
    ) -> None:
        self._engine = engine
        self._cut = cut
        self._memory = memory
        self.calibrate = calibrate
        self._context = context
        self._outputs = {spec.name: i for i, spec in enumerate(engine.outputs)}

    def begin(self) -> None:
        self._memory.begin()
        if self.calibrate is not None:
            self.calibrate.begin()
        if self._context is not None:
            self._context.begin()

    def close(self) -> None:
        self._engine.close()
        self._memory.close()
        if self._context is not None:
            self._context.close()

    def __call__(self, frame: Frame, faces: Sequence[Face]) -> Sequence[PersonReading]:
        if not faces:
            return ()
        crops = np.stack([self._cut(frame.picture, face) for face in faces])
        out = infer_rows(self._engine, crops)
        affect = out[self._outputs["affect"]]
        expression = out[self._outputs["expression"]]
        confidence = [CERTAIN if face.score is None else face.score for face in faces]
        seen = np.column_stack([affect, confidence]).astype(np.float32)
        tracks = [face.track for face in faces]
        steady = self._memory.steady(frame.pts, tracks, seen)
        affects = self._readings(frame.pts, tracks, affect, steady)
        contexts: Sequence[ContextReading | None] = [None] * len(faces)
        if self._context is not None:
            contexts = self._context(frame, faces)
        return tuple(
            PersonReading(face, reading, Scores(EXPRESSIONS, tuple(map(float, shown))), context)
            for face, reading, shown, context in zip(
                faces, affects, expression, contexts, strict=True
            )
        )

    def _readings(
        self,
        pts: float,
        tracks: Sequence[int],
        raw: NDArray[np.float32],
        steady: Sequence[Steady],
    ) -> list[Reading]:
        """raw: (n, 2) valence, arousal."""
        calibrated: Sequence[Affect | None] = [None] * len(tracks)
        if self.calibrate is not None:
            calibrated = self.calibrate(pts, tracks, [s.affect for s in steady])
        return [
            Reading(Affect(float(valence), float(arousal)), s.affect, own, s.spread)
            for (valence, arousal), s, own in zip(raw, steady, calibrated, strict=True)
        ]
