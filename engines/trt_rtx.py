"""TensorRT for RTX: kernels are made when the program starts, for desktop GPUs.

Builds plans without a GPU; knows no data-centre GPU of compute capability 9.0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorrt_rtx  # noqa: F401  # its absence must show here, where the loader looks for it

from engines.nvidia import Flavour, NvidiaEngine


def _context(api: Any, engine: Any) -> Any:
    settings = engine.create_runtime_config()
    settings.cuda_graph_strategy = api.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
    settings.set_execution_context_allocation_strategy(
        api.ExecutionContextAllocationStrategy.USER_MANAGED
    )
    return engine.create_execution_context(settings)


def open_model(path: Path, *, device: str, max_batch: int) -> NvidiaEngine:
    flavour = Flavour("tensorrt_rtx", _context, captures=False, timings=False)
    return NvidiaEngine(path, flavour, max_batch)
