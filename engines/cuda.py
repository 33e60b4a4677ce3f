"""The little of CUDA that an engine without torch needs: one GPU, its memory, a stream, graphs."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from cuda.bindings import runtime as cudart

from engines.base import EngineError, MissingBackend, OutOfMemory, Tensor


@dataclass(frozen=True, slots=True)
class Gpu:
    """The device that this process uses: the first that CUDA shows it."""

    name: str  # e.g. "NVIDIA L4"
    capability: str  # e.g. "8.9"
    driver: int  # CUDA version of the driver, e.g. 13000


def find_gpu() -> Gpu:
    """Raises MissingBackend if the driver is absent or too old, or sees no GPU."""
    code, count = cudart.cudaGetDeviceCount()
    if code == cudart.cudaError_t.cudaErrorInsufficientDriver:
        raise MissingBackend(f"device 'cuda' needs an NVIDIA driver {_enough()}")
    if code != cudart.cudaError_t.cudaSuccess or not count:
        why = "no GPU is visible" if code == cudart.cudaError_t.cudaSuccess else _text(code)
        raise MissingBackend(f"device 'cuda': {why}")
    about = checked(cudart.cudaGetDeviceProperties(0))
    name = about.name.decode() if isinstance(about.name, bytes) else str(about.name)
    driver = checked(cudart.cudaDriverGetVersion())
    return Gpu(name, f"{about.major}.{about.minor}", driver)


def checked(answer: tuple[Any, ...]) -> Any:
    """What a call returned besides its error code. Raises EngineError, or OutOfMemory."""
    code, *rest = answer
    if code == cudart.cudaError_t.cudaErrorMemoryAllocation:
        raise OutOfMemory("out of device memory")
    if code != cudart.cudaError_t.cudaSuccess:
        raise EngineError(f"CUDA failed: {_text(code)}")
    return rest[0] if len(rest) == 1 else tuple(rest)


class Memory:
    """Bytes on the device, and for a tensor a pinned array on the host to copy from or to."""

    def __init__(self, nbytes: int) -> None:
        self.address = int(checked(cudart.cudaMalloc(max(nbytes, 1))))

    def close(self) -> None:
        if self.address:
            cudart.cudaFree(self.address)
            self.address = 0


class Buffer:
    """One tensor in both places; copies are queued on a stream, and may be captured."""

    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        self._bytes = math.prod(shape) * np.dtype(dtype).itemsize
        self._device = Memory(self._bytes)
        try:
            self._pinned = int(checked(cudart.cudaHostAlloc(max(self._bytes, 1), 0)))
        except EngineError:
            self._device.close()
            raise
        raw = (ctypes.c_byte * self._bytes).from_address(self._pinned)
        self.host: Tensor = np.frombuffer(memoryview(raw), dtype).reshape(shape)
        self.address = self._device.address

    def upload(self, stream: Stream) -> None:
        kind = cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._copy(self.address, self._pinned, kind, stream)

    def download(self, stream: Stream) -> None:
        kind = cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._copy(self._pinned, self.address, kind, stream)

    def close(self) -> None:
        self._device.close()
        if self._pinned:
            self.host = np.empty(0)  # the array points into memory that goes now
            cudart.cudaFreeHost(self._pinned)
            self._pinned = 0

    def _copy(self, to: int, source: int, kind: Any, stream: Stream) -> None:
        checked(cudart.cudaMemcpyAsync(to, source, self._bytes, kind, stream.handle))


class Stream:
    """A queue of work on the device."""

    def __init__(self) -> None:
        self.handle = checked(cudart.cudaStreamCreateWithFlags(cudart.cudaStreamNonBlocking))

    def wait(self) -> None:
        """Until all that was queued is done."""
        checked(cudart.cudaStreamSynchronize(self.handle))

    def close(self) -> None:
        if self.handle is not None:
            cudart.cudaStreamDestroy(self.handle)
            self.handle = None


class Graph:
    """Work that is queued again with one call. `record` queues it; nothing runs meanwhile."""

    def __init__(self, stream: Stream, record: Callable[[], None]) -> None:
        # Other threads of ours may allocate meanwhile: only this thread's calls are watched.
        mode = cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        checked(cudart.cudaStreamBeginCapture(stream.handle, mode))
        try:
            record()
        finally:
            answer = cudart.cudaStreamEndCapture(stream.handle)
        graph = checked(answer)
        try:
            self._ready = checked(cudart.cudaGraphInstantiate(graph, 0))
        finally:
            cudart.cudaGraphDestroy(graph)
        self._stream = stream

    def launch(self) -> None:
        checked(cudart.cudaGraphLaunch(self._ready, self._stream.handle))

    def close(self) -> None:
        if self._ready is not None:
            cudart.cudaGraphExecDestroy(self._ready)
            self._ready = None


def _enough() -> str:
    """What driver the installed library wants, and what there is; versions as CUDA counts them."""
    wanted, there = checked(cudart.cudaRuntimeGetVersion()), checked(cudart.cudaDriverGetVersion())
    has = f"the one installed is for CUDA {_dotted(there)}" if there else "none is installed"
    return f"for CUDA {_dotted(wanted)} or newer: {has}"


def _dotted(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"


def _text(code: Any) -> str:
    _, said = cudart.cudaGetErrorString(code)
    return said.decode() if isinstance(said, bytes) else str(said)
