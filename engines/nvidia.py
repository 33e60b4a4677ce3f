"""TensorRT and TensorRT for RTX: one way to build and run, with the API module as an argument.

Read `NvidiaEngine` first. What differs between the two libraries stands in a `Flavour`. Nothing in
this file has run on a GPU yet (`benchmarks/README.md`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engines import cuda
from engines.base import (
    EngineError,
    OutOfMemory,
    Tensor,
    TensorSpec,
    check_tensors,
)
from engines.building import LEVEL, build_plan, load_api, logger
from engines.plans import (
    FREE,
    Key,
    batches,
    cache_folder,
    open_plan,
    plan_file,
)

KEPT = 16  # input shapes whose buffers and graph are kept: every batch size of a usual film


@dataclass(frozen=True, slots=True)
class Flavour:
    """What differs between the two libraries."""

    name: str  # of the API module
    context: Callable[[Any, Any], Any]  # (api, engine) -> execution context without memory
    captures: bool  # whether we record CUDA graphs; RTX does so itself
    timings: bool  # whether there is a timing cache


class NvidiaEngine:
    """One plan, one stream; buffers for each input shape, and a CUDA graph from its second use."""

    def __init__(self, path: Path, flavour: Flavour, max_batch: int) -> None:
        api = load_api(flavour.name)
        gpu = cuda.find_gpu()
        profile = batches(max_batch)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        version = api.__version__
        key = Key(
            model=digest,
            library=flavour.name,
            version=version,
            gpu=gpu.name,
            capability=gpu.capability,
            driver=gpu.driver,
            batch=profile,
            free=FREE,
            level=LEVEL,
        )
        folder = cache_folder()
        timing = folder / f"{flavour.name}-{version}.{gpu.capability}.timing"
        self._name = path.name
        self._flavour = flavour
        self._api = api
        self._log = logger(api)
        self._runtime = api.Runtime(self._log)
        self._engine: Any = open_plan(
            plan_file(folder, path.stem, key),
            key,
            lambda: build_plan(api, path, profile, timing if flavour.timings else None),
            self._load,
        )
        self._stream = cuda.Stream()
        self._bound: dict[tuple[tuple[int, ...], ...], _Bound] = {}
        self.inputs = self._specs(api.TensorIOMode.INPUT)
        self.outputs = self._specs(api.TensorIOMode.OUTPUT)
        self.max_batch = max_batch
        self.description = f"{flavour.name} {version} {gpu.name}"

    def infer(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        if self._engine is None:
            raise EngineError(f"{self._name}: this engine is closed")
        check_tensors(self._name, self.inputs, tensors, self.max_batch)
        bound = self._bind(tuple(tensor.shape for tensor in tensors))
        for spec, tensor in zip(self.inputs, tensors, strict=True):
            np.copyto(bound.buffers[spec.name].host, tensor)
        bound.run()
        return tuple(bound.buffers[spec.name].host.copy() for spec in self.outputs)

    def close(self) -> None:
        if self._engine is None:
            return
        self._forget()
        self._stream.close()
        self._engine = self._runtime = None

    def _load(self, plan: bytes) -> Any:
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise EngineError(f"{self._name}: the plan does not load: {self._log.last}")
        return engine

    def _bind(self, shapes: tuple[tuple[int, ...], ...]) -> _Bound:
        """Buffers of these input shapes; all others make room if they do not fit."""
        if shapes in self._bound:
            return self._bound[shapes]
        if len(self._bound) >= KEPT:
            self._bound.pop(next(iter(self._bound))).close()
        try:
            bound = self._new(shapes)
        except OutOfMemory:
            self._forget()
            bound = self._new(shapes)
        self._bound[shapes] = bound
        return bound

    def _new(self, shapes: tuple[tuple[int, ...], ...]) -> _Bound:
        context = self._flavour.context(self._api, self._engine)
        if context is None:
            raise OutOfMemory(f"{self._name}: no execution context: {self._log.last}")
        named = {spec.name: shape for spec, shape in zip(self.inputs, shapes, strict=True)}
        for name, shape in named.items():
            if not context.set_input_shape(name, shape):
                raise EngineError(f"{self._name}: input {name!r} of {shape} is not in its plan")
        dtypes = {spec.name: spec.dtype for spec in (*self.inputs, *self.outputs)}
        return _Bound(context, dtypes, self._stream, captures=self._flavour.captures)

    def _forget(self) -> None:
        for bound in self._bound.values():
            bound.close()
        self._bound = {}

    def _specs(self, mode: Any) -> tuple[TensorSpec, ...]:
        engine, found = self._engine, []
        for name in map(engine.get_tensor_name, range(engine.num_io_tensors)):
            if engine.get_tensor_mode(name) == mode:
                dtype = np.dtype(self._api.nptype(engine.get_tensor_dtype(name))).name
                found.append(TensorSpec(name, tuple(engine.get_tensor_shape(name))[1:], dtype))
        return tuple(found)


class _Bound:
    """An execution context for one set of input shapes, with memory of its own.

    A recorded graph holds addresses and the state of its context, so no two shapes share one.
    """

    def __init__(
        self, context: Any, dtypes: Mapping[str, str], stream: cuda.Stream, *, captures: bool
    ) -> None:
        self._context = context
        self._stream = stream
        self._captures = captures
        self._runs = 0
        self._graph: cuda.Graph | None = None
        self._workspace: cuda.Memory | None = None
        self.buffers: dict[str, cuda.Buffer] = {}
        try:
            for name, dtype in dtypes.items():
                self.buffers[name] = cuda.Buffer(tuple(context.get_tensor_shape(name)), dtype)
                context.set_tensor_address(name, self.buffers[name].address)
            need = context.update_device_memory_size_for_shapes()
            self._workspace = cuda.Memory(need)
            context.set_device_memory(self._workspace.address, need)
        except EngineError:
            self.close()
            raise
        mode = context.engine.get_tensor_mode
        self._in = [b for name, b in self.buffers.items() if mode(name).name == "INPUT"]
        self._out = [b for name, b in self.buffers.items() if mode(name).name == "OUTPUT"]

    def run(self) -> None:
        """From the inputs' host arrays to the outputs'."""
        if self._captures and self._runs == 1:  # the first run has done what may not be recorded
            self._graph = cuda.Graph(self._stream, self._queue)
        if self._graph is None:
            self._queue()
        else:
            self._graph.launch()
        self._stream.wait()
        self._runs += 1

    def close(self) -> None:
        if self._graph is not None:
            self._graph.close()
        self._context = None
        for buffer in self.buffers.values():
            buffer.close()
        if self._workspace is not None:
            self._workspace.close()

    def _queue(self) -> None:
        for buffer in self._in:
            buffer.upload(self._stream)
        if not self._context.execute_async_v3(int(self._stream.handle)):
            raise EngineError("TensorRT could not queue the network")
        for buffer in self._out:
            buffer.download(self._stream)
