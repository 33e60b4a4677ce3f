"""The detector that ships: our own small network, run by an engine, decoded here."""

from __future__ import annotations

import numpy as np

import engines
from tracker.detectors.boxes import as_detections, decode, fitted, suppress
from tracker.models import Model, ModelError, open_shipped
from tracker.picture import Picture
from tracker.values import Detection

NAME = "detector-s"
OUTPUTS = ("score", "geometry")  # see boxes.decode


class BuiltinDetector:
    """Faces of a picture whose long side is brought to `long_side` px.

    long_side, min_confidence: None takes the card's.
    """

    def __init__(
        self,
        model: Model,
        *,
        min_confidence: float | None = None,
        long_side: int | None = None,
        backend: str = "onnx",
        device: str = "cpu",
    ) -> None:
        card = model.card
        if model.role != "detector" or card["input"]["colour"] != "RGB":
            raise ModelError(f"{model.name}: not a detector that reads RGB")
        self._min_confidence = card["threshold"] if min_confidence is None else min_confidence
        self._long_side = card["input"]["size"] if long_side is None else long_side
        self._engine = engines.load(model.path, backend, device=device, max_batch=1)
        outputs = tuple(output.name for output in self._engine.outputs)
        if outputs != OUTPUTS:
            raise ModelError(f"{model.name}: outputs {outputs}, expected {OUTPUTS}")
        self.model = model
        self.description = self._engine.description

    def __call__(self, picture: Picture) -> list[Detection]:
        small, back_xy = fitted(picture, self._long_side)
        tensor = np.ascontiguousarray(small.transpose(2, 0, 1), np.float32)[None]
        score, geometry = self._engine.infer(tensor)
        size_wh = (small.shape[1], small.shape[0])
        rows = suppress(decode(score[0], geometry[0], size_wh, self._min_confidence))
        rows[:, :14] *= np.tile(np.asarray(back_xy, np.float32), 7)
        return as_detections(rows, picture.shape[1::-1])

    def close(self) -> None:
        self._engine.close()


def build(
    *,
    min_confidence: float | None = None,
    long_side: int | None = None,
    backend: str = "onnx",
    device: str = "cpu",
) -> BuiltinDetector:
    """Raises ModelError if the network is absent or not what its card says."""
    return BuiltinDetector(
        open_shipped(NAME),
        min_confidence=min_confidence,
        long_side=long_side,
        backend=backend,
        device=device,
    )
