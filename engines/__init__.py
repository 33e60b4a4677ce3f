"""Interchangeable inference engines: `load` a model file, get an `Engine`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import cast

from engines.base import Engine, EngineError, MissingBackend, Tensor, TensorSpec, infer_rows

__all__ = [
    "BACKENDS",
    "Engine",
    "EngineError",
    "MissingBackend",
    "Tensor",
    "TensorSpec",
    "infer_rows",
    "load",
]

BACKENDS = {  # name -> module, imported on first use; package it needs; what to install
    "onnx": ("engines.ort", "onnxruntime", "onnxruntime"),
}


def load(model: Path, backend: str, *, device: str = "cpu", max_batch: int = 8) -> Engine:
    """Open a model with the named backend. Nothing is substituted silently.

    Raises MissingBackend if the backend's package is not installed, and EngineError if the
    backend is unknown, the file cannot be read, or the device is not the one asked for.
    """
    try:
        module, package, requirement = BACKENDS[backend]
    except KeyError:
        known = ", ".join(sorted(BACKENDS))
        raise EngineError(f"unknown backend {backend!r}; known: {known}") from None
    try:
        implementation = import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name != package:
            raise  # our own bug, not an absent dependency
        raise MissingBackend(
            f"the {backend} backend needs {package}: pip install '{requirement}'"
        ) from None
    return cast(Engine, implementation.open_model(model, device=device, max_batch=max_batch))
