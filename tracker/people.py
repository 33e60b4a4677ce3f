"""What each person shows: crop, network, memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from engines import Engine, infer_rows
from tracker.smoothing import LstmSmoother
from tracker.values import (
    EXPRESSIONS,
    Affect,
    Face,
    Frame,
    Image,
    PersonReading,
    Reading,
    Scores,
)

Crop = NDArray[np.float32]  # (c, S, S), as the network's card asks
CERTAIN = 1.0  # confidence of a picture that was given as a face


class PeopleReader:
    """Reads all faces of a frame in one batch and steadies each with its own memory.

    cut: takes a face out of the picture, ready for the network.
    """

    def __init__(
        self, engine: Engine, cut: Callable[[Image, Face], Crop], memory: LstmSmoother
    ) -> None:
        self._engine = engine
        self._cut = cut
        self._memory = memory
        self._outputs = {spec.name: i for i, spec in enumerate(engine.outputs)}

    def begin(self) -> None:
        self._memory.begin()

    def close(self) -> None:
        self._engine.close()
        self._memory.close()

    def __call__(self, frame: Frame, faces: Sequence[Face]) -> Sequence[PersonReading]:
        if not faces:
            return ()
        crops = np.stack([self._cut(frame.image, face) for face in faces])
        out = infer_rows(self._engine, crops)
        affect = out[self._outputs["affect"]]
        expression = out[self._outputs["expression"]]
        confidence = [CERTAIN if face.score is None else face.score for face in faces]
        seen = np.column_stack([affect, confidence]).astype(np.float32)
        smooth = self._memory(frame.pts, [face.track for face in faces], seen)
        return tuple(
            PersonReading(
                face,
                Reading(Affect(float(raw[0]), float(raw[1])), steady),
                Scores(EXPRESSIONS, tuple(map(float, shown))),
            )
            for face, raw, steady, shown in zip(faces, affect, smooth, expression, strict=True)
        )
