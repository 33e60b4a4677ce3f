"""TensorRT's builder: from an .onnx to the bytes of a plan. The API module is an argument.

Needs no GPU with `tensorrt_rtx`.
"""

from __future__ import annotations

import importlib
import logging
from functools import cache
from pathlib import Path
from typing import Any

from engines.base import EngineError, MissingBackend
from engines.plans import FREE, Profile, write_whole

log = logging.getLogger(__name__)

LEVEL = 3  # builder optimisation, the library's default; 5 takes ten times as long
WORKSPACE = 1 << 30  # bytes a layer may ask for


def build_plan(api: Any, path: Path, batch: Profile, timing: Path | None = None) -> bytes:
    """The plan of an .onnx file. Precision is that of the file: typing is strong.

    timing: where the library's measurements of single layers are kept, for faster builds.
    Raises EngineError naming the operator if one is unsupported.
    """
    said = logger(api)
    builder = api.Builder(said)
    weak = hasattr(api.BuilderFlag, "FP16")  # before version 11 strong typing was a choice
    strong = 1 << int(api.NetworkDefinitionCreationFlag.STRONGLY_TYPED) if weak else 0
    network = builder.create_network(strong)
    parser = api.OnnxParser(network, said)
    if not parser.parse_from_file(str(path)):
        errors = [parser.get_error(k) for k in range(parser.num_errors)]
        why = "; ".join(f"{e.node_operator()}: {e.desc()}" for e in errors)
        raise EngineError(f"{path.name}: {api.__name__} cannot read it ({why})")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(api.MemoryPoolType.WORKSPACE, WORKSPACE)
    config.builder_optimization_level = LEVEL
    config.clear_flag(api.BuilderFlag.TF32)  # fp32 means fp32: faster is a file of fp16
    _add_profile(builder, config, network, batch)
    if timing is not None:
        old = timing.read_bytes() if timing.is_file() else b""
        config.set_timing_cache(config.create_timing_cache(old), ignore_mismatch=False)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise EngineError(f"{path.name}: {api.__name__} cannot build it ({said.last})")
    if timing is not None:
        write_whole(timing, bytes(config.get_timing_cache().serialize()))
    return bytes(plan)


def _add_profile(builder: Any, config: Any, network: Any, batch: Profile) -> None:
    inputs = [network.get_input(i) for i in range(network.num_inputs)]
    if not any(-1 in tuple(tensor.shape) for tensor in inputs):
        return
    profile = builder.create_optimization_profile()
    for tensor in inputs:
        free = [batch if axis == 0 else FREE for axis in range(len(tensor.shape))]
        sizes = [
            [f.least, f.usual, f.most] if size == -1 else [size] * 3
            for size, f in zip(tuple(tensor.shape), free, strict=True)
        ]
        profile.set_shape(tensor.name, *zip(*sizes, strict=True))
    config.add_optimization_profile(profile)


def load_api(name: str) -> Any:
    """The library. Raises MissingBackend if it is installed but cannot start."""
    try:
        api = importlib.import_module(name)
        api.Builder(logger(api))
    except ModuleNotFoundError:
        raise  # the loader of backends says what to install
    except (ImportError, OSError, TypeError) as wrong:  # whichever, by what is missing
        raise MissingBackend(f"{name} is installed but does not start: {wrong}") from wrong
    return api


@cache
def logger(api: Any) -> Any:
    """Passes the library's messages to logging and remembers the last error.

    One per library: it must outlive all that was made with it.
    """

    class Logger(api.ILogger):  # type: ignore[misc]  # the base class is known at run time only
        last = ""

        def __init__(self) -> None:
            api.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            log.debug("%s: %s", api.__name__, message)
            if severity in (api.ILogger.ERROR, api.ILogger.INTERNAL_ERROR):
                self.last = message

    return Logger()
