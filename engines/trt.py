"""TensorRT, for all of NVIDIA's GPUs. Importing this module imports the library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorrt  # noqa: F401  # its absence must show here, where the loader looks for it

from engines.nvidia import Flavour, NvidiaEngine


def _context(api: Any, engine: Any) -> Any:
    return engine.create_execution_context(api.ExecutionContextAllocationStrategy.USER_MANAGED)


def open_model(path: Path, *, device: str, max_batch: int) -> NvidiaEngine:
    return NvidiaEngine(path, Flavour("tensorrt", _context, captures=True, timings=True), max_batch)
