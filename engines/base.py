"""What every inference engine promises. Engines know tensors; they know nothing of faces."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Tensor = NDArray[Any]

log = logging.getLogger(__name__)


class EngineError(RuntimeError):
    """A model could not be loaded or run as asked."""


class MissingBackend(EngineError):
    """The backend exists, but a package, a driver or a device that it needs does not."""


class OutOfMemory(EngineError):
    """The device has no room for a batch of this size; a smaller one may fit."""


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
    max_batch: int  # `infer_rows` lowers it when the device's memory does not suffice
    description: str  # what really runs, e.g. "onnxruntime 1.23 CPU"

    def infer(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Run 1..max_batch rows. The returned arrays belong to the caller.

        Raises EngineError naming the input if a dtype or shape is not the model's, and
        OutOfMemory if the device has no room for so many rows.
        """
        ...

    def close(self) -> None:
        """Free the model and its device memory. Calling twice is harmless."""
        ...


def infer_rows(engine: Engine, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Run any number of rows, zero included, in chunks of at most `max_batch`.

    Where the device's memory does not suffice, chunks are halved from then on, which is said once.
    Raises OutOfMemory if a single row does not fit.
    """
    rows = len(tensors[0])
    if rows == 0:
        return tuple(np.empty((0, *spec.shape), spec.dtype) for spec in engine.outputs)
    given, done = engine.max_batch, 0
    chunks: list[tuple[Tensor, ...]] = []
    while done < rows:
        step = min(engine.max_batch, rows - done)
        try:
            chunks.append(engine.infer(*(t[done : done + step] for t in tensors)))
        except OutOfMemory:
            if step == 1:
                raise
            engine.max_batch = step // 2
        else:
            done += step
    if engine.max_batch < given:
        log.warning("out of device memory: batches of %d rows from now on", engine.max_batch)
    return tuple(np.concatenate(parts) for parts in zip(*chunks, strict=True))


def check_tensors(
    name: str, specs: Sequence[TensorSpec], tensors: Sequence[Tensor], max_batch: int
) -> None:
    """Raises EngineError naming the model and the input if these are not what it takes."""
    if len(tensors) != len(specs):
        raise EngineError(f"{name}: {len(tensors)} inputs, expected {len(specs)}")
    for spec, tensor in zip(specs, tensors, strict=True):
        if tensor.dtype != spec.dtype:
            raise EngineError(f"{name}: input {spec.name!r} is {tensor.dtype}, not {spec.dtype}")
        pairs = zip(tensor.shape[1:], spec.shape, strict=False)
        fits = tensor.ndim == len(spec.shape) + 1 and all(want in (-1, got) for got, want in pairs)
        if not fits or not 1 <= len(tensor) <= max_batch or len(tensor) != len(tensors[0]):
            wanted = ", ".join(map(str, (f"1..{max_batch}", *spec.shape)))
            raise EngineError(f"{name}: input {spec.name!r} is {tensor.shape}, expected ({wanted})")


def one_line(wrong: Exception) -> str:
    """What a library says, which may go on for a page of its own layout."""
    return " ".join(str(wrong).split())
