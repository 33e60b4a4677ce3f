"""Interchangeable inference engines: `load` a model file, get an `Engine`."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from engines.base import (
    Engine,
    EngineError,
    MissingBackend,
    OutOfMemory,
    Tensor,
    TensorSpec,
    infer_rows,
)

__all__ = [
    "AUTO",
    "BACKENDS",
    "DEVICES",
    "Backend",
    "Engine",
    "EngineError",
    "MissingBackend",
    "OutOfMemory",
    "Tensor",
    "TensorSpec",
    "candidates",
    "has_driver",
    "infer_rows",
    "load",
]

# ONNX Runtime's own builds (1.29 and newer, on Linux too) report to Microsoft what machine this is
# and which models run, and keep a database of it in the user's cache. They ask for this once, when
# onnxruntime is imported; its disable_telemetry_events() comes too late.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

DEVICES = ("cpu", "cuda")
NO_DRIVER = "device 'cuda' needs an NVIDIA GPU and its driver: no driver is installed here"


@dataclass(frozen=True, slots=True)
class Backend:
    """One way to run a model. Its module is imported on first use."""

    module: str
    packages: tuple[str, ...]  # import names of what it needs
    install: str  # what brings them
    devices: tuple[str, ...]


BACKENDS = {
    "onnx": Backend("engines.ort", ("onnxruntime",), "onnxruntime", DEVICES),
    "tensorrt": Backend("engines.trt", ("tensorrt", "cuda"), "emotrack[tensorrt]", ("cuda",)),
    "tensorrt_rtx": Backend(
        "engines.trt_rtx", ("tensorrt_rtx", "cuda"), "emotrack[tensorrt-rtx]", ("cuda",)
    ),
    "torch": Backend("engines.pytorch", ("torch", "onnx"), "emotrack[train]", DEVICES),
}
AUTO = (  # the fastest first; without a driver only the last is left
    ("tensorrt", "cuda"),
    ("tensorrt_rtx", "cuda"),
    ("onnx", "cuda"),
    ("torch", "cuda"),
    ("onnx", "cpu"),
)


def load(model: Path, backend: str, *, device: str = "cpu", max_batch: int = 8) -> Engine:
    """Open a model with the named backend. Nothing is substituted silently.

    On a GPU it answers as on the CPU, or is refused (`engines.proof`). Raises MissingBackend saying
    what to install if a package, driver or device is missing, and EngineError if the backend is
    unknown or the file cannot be read.
    """
    if backend not in BACKENDS:
        raise EngineError(f"unknown backend {backend!r}; known: {', '.join(BACKENDS)}")
    if device not in DEVICES:
        raise EngineError(f"unknown device {device!r}; known: {', '.join(DEVICES)}")
    chosen = BACKENDS[backend]
    if device not in chosen.devices:
        raise EngineError(f"the {backend} engine runs on {chosen.devices[0]}, not on {device}")
    if device == "cuda" and not has_driver():
        raise _without_driver(backend)
    try:
        implementation = import_module(chosen.module)
    except ModuleNotFoundError as missing:
        package = (missing.name or "").split(".")[0]
        if package not in chosen.packages:
            raise  # our own bug, not an absent dependency
        raise MissingBackend(_needs(backend, package)) from None

    def opened() -> Engine:
        return cast(Engine, implementation.open_model(model, device=device, max_batch=max_batch))

    if device == "cpu":
        return opened()
    from engines.proof import open_proven  # ONNX Runtime is not imported before it is needed

    return open_proven(opened, model)


def candidates(engine: str = "auto", device: str = "auto") -> tuple[tuple[str, str], ...]:
    """Backends and devices worth trying, in this order, for words of which each may be "auto".

    What is asked for by name stays in the list whether it is there or not: its absence is an
    error, not a reason to take another. Raises EngineError if one does not go with the other, and
    MissingBackend if only a GPU would do and there is no driver for one.
    """
    if engine not in ("auto", *BACKENDS):
        raise EngineError(f"unknown engine {engine!r}; known: auto, {', '.join(BACKENDS)}")
    if device not in ("auto", *DEVICES):
        raise EngineError(f"unknown device {device!r}; known: auto, {', '.join(DEVICES)}")
    if engine == "auto":
        fit = tuple(pair for pair in AUTO if device in ("auto", pair[1]))
    else:
        known = BACKENDS[engine].devices
        fit = tuple((engine, d) for d in reversed(known) if device in ("auto", d))
        if not fit:
            raise EngineError(f"the {engine} engine runs on {known[0]}, not on {device}")
    if not has_driver():
        fit = tuple(pair for pair in fit if pair[1] == "cpu")
        if not fit:
            raise _without_driver(engine)
    return fit


def _without_driver(engine: str) -> MissingBackend:
    """All that is missing at once: nobody should install one thing to hear of the next."""
    packages = BACKENDS[engine].packages if engine in BACKENDS else ()
    absent = [package for package in packages if find_spec(package) is None]
    return MissingBackend("; ".join([*(_needs(engine, name) for name in absent[:1]), NO_DRIVER]))


def _needs(backend: str, package: str) -> str:
    return f"the {backend} engine needs {package}: pip install '{BACKENDS[backend].install}'"


def has_driver() -> bool:
    """Whether NVIDIA's driver is installed. Takes microseconds where it is not."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
