"""What every inference engine promises. Engines know tensors; they know nothing of faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Tensor = NDArray[Any]


class EngineError(RuntimeError):
    """A model could not be loaded or run as asked."""


class MissingBackend(EngineError):
    """The backend exists but its package is not installed."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output. Axis 0 is always the batch and is not listed.

    A dimension of -1 may differ from call to call (the height of a detector's picture).
    """

    name: str
    shape: tuple[int, ...]
    dtype: str  # numpy name, e.g. "float32"


class Engine(Protocol):
    """A loaded model. Not thread-safe: one engine belongs to one thread."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    max_batch: int
    description: str  # what really runs, e.g. "onnxruntime 1.23 CPU"

    def infer(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Run 1..max_batch rows. The returned arrays belong to the caller.

        Raises EngineError naming the input if a dtype or shape is not the model's.
        """
        ...

    def close(self) -> None:
        """Free the model and its device memory. Calling twice is harmless."""
        ...


def infer_rows(engine: Engine, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Run any number of rows, zero included, in chunks of at most `max_batch`."""
    rows = len(tensors[0])
    if rows == 0:
        return tuple(np.empty((0, *spec.shape), spec.dtype) for spec in engine.outputs)
    step = engine.max_batch
    chunks: Sequence[tuple[Tensor, ...]] = [
        engine.infer(*(t[i : i + step] for t in tensors)) for i in range(0, rows, step)
    ]
    return tuple(np.concatenate(parts) for parts in zip(*chunks, strict=True))
