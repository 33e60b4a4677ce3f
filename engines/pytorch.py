"""torch: runs an .onnx operator by operator, for parity and for GPUs without TensorRT.

Read `TorchEngine` first. On a GPU the work of a batch size is recorded in a CUDA graph at its
second use, so that starting some thirty small kernels costs one call.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from engines.base import (
    EngineError,
    MissingBackend,
    OutOfMemory,
    Tensor,
    TensorSpec,
    check_tensors,
    one_line,
)
from engines.operators import OPERATORS
from engines.shapes import Unsupported

KEPT = 16  # batch sizes whose graphs are kept
OPSET = 13  # the oldest read: before it Softmax and others meant something else


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the graph, and the values that nobody needs after it."""

    operator: str
    name: str
    attributes: dict[str, Any]
    inputs: tuple[str, ...]  # "": left out
    outputs: tuple[str, ...]
    done_with: tuple[str, ...]


class TorchEngine:
    """The network's numbers live on the device; its sizes and indices on the CPU."""

    def __init__(self, path: Path, device: str, max_batch: int) -> None:
        self._name = path.name
        self._device = torch.device(device)
        graph = _read(path).graph
        self._values = {t.name: self._placed(t) for t in graph.initializer}
        self.inputs = tuple(_spec(v) for v in graph.input if v.name not in self._values)
        self.outputs = tuple(_spec(v) for v in graph.output)
        self._steps = self._planned(graph)
        self._graphs: dict[tuple[tuple[int, ...], ...], _Recorded | None] = {}
        self._closed = False
        self.max_batch = max_batch
        self.description = f"torch {torch.__version__} {_device_name(device)}"

    def infer(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        if self._closed:
            raise EngineError(f"{self._name}: this engine is closed")
        check_tensors(self._name, self.inputs, tensors, self.max_batch)
        try:
            with torch.inference_mode():
                if self._device.type == "cuda":
                    return self._replayed(tensors)
                given = [_tensor(t) for t in tensors]
                return tuple(t.numpy().copy() for t in self._run(given))
        except torch.OutOfMemoryError as wrong:
            self._graphs = {}
            torch.cuda.empty_cache()
            raise OutOfMemory(f"{self._name}: out of device memory") from wrong

    def close(self) -> None:
        self._closed = True
        self._graphs = {}
        self._values = {}

    def _replayed(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The first use of a shape runs as it is, the second records, the others repeat that."""
        shapes = tuple(t.shape for t in tensors)
        if shapes not in self._graphs:
            if len(self._graphs) >= KEPT:
                del self._graphs[next(iter(self._graphs))]
            given = [_tensor(t).to(self._device) for t in tensors]
            outputs = self._run(given)
            self._graphs[shapes] = None
            return tuple(t.cpu().numpy() for t in outputs)
        recorded = self._graphs[shapes] or _Recorded(self._run, tensors)
        self._graphs[shapes] = recorded
        return recorded(tensors)

    def _run(self, given: list[torch.Tensor]) -> list[torch.Tensor]:
        values = dict(self._values)
        values.update((spec.name, t) for spec, t in zip(self.inputs, given, strict=True))
        for step in self._steps:
            self._do(step, values)
        return [values[spec.name].contiguous() for spec in self.outputs]

    def _do(self, step: Step, values: dict[str, torch.Tensor]) -> None:
        inputs = [values[name] if name else None for name in step.inputs]
        try:
            answer = OPERATORS[step.operator](step.attributes, *inputs)
        except Unsupported as case:
            raise EngineError(
                f"{self._name}: torch engine: {step.operator} {case} is unsupported ({step.name})"
            ) from None
        except torch.OutOfMemoryError:
            raise
        except Exception as wrong:  # no memory, or sizes that its function in torch does not take
            if "allocate memory" in str(wrong) or "enough memory" in str(wrong):
                raise OutOfMemory(f"{self._name}: out of memory") from wrong
            raise EngineError(
                f"{self._name}: torch engine: {step.operator} failed ({step.name}): "
                f"{one_line(wrong)}"
            ) from wrong
        answers = answer if isinstance(answer, tuple) else (answer,)
        values.update(zip(step.outputs, answers, strict=False))
        for name in step.done_with:
            del values[name]

    def _planned(self, graph: Any) -> list[Step]:
        """The nodes in order; what depends on constants alone is computed now."""
        later = []
        for node in graph.node:
            attributes = {a.name: self._attribute(a) for a in node.attribute}
            inputs, outputs = tuple(node.input), tuple(node.output)
            step = Step(node.op_type, node.name, attributes, inputs, outputs, ())
            if all(name in self._values for name in inputs if name):
                self._do(step, self._values)
            else:
                later.append(step)
        return _with_ends(later, keep={*self._values, *(v.name for v in graph.output)})

    def _attribute(self, attribute: Any) -> Any:
        value = onnx.helper.get_attribute_value(attribute)
        return self._placed(value) if isinstance(value, onnx.TensorProto) else value

    def _placed(self, tensor: Any) -> torch.Tensor:
        here = torch.from_numpy(numpy_helper.to_array(tensor).copy())
        if not here.is_floating_point():
            return here
        there = here.to(self._device)
        fast = there.ndim == 4 and there.dtype == torch.float16  # cuDNN's layout for half precision
        return there.to(memory_format=torch.channels_last) if fast else there


class _Recorded:
    """A CUDA graph for one set of shapes, with pinned arrays to feed it from and to read."""

    def __init__(self, run: Any, tensors: tuple[Tensor, ...]) -> None:
        self._from = [torch.from_numpy(t.copy()).pin_memory() for t in tensors]
        given = [t.cuda() for t in self._from]
        self._stream: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self._graph = torch.cuda.CUDAGraph()
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):  # what libraries allocate once per stream
            run(given)
        torch.cuda.synchronize()
        # Other threads of ours may allocate meanwhile: only this thread's calls are watched.
        with torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
            for device, host in zip(given, self._from, strict=True):
                device.copy_(host, non_blocking=True)
            outputs = run(given)
        self._keep = given, outputs
        self._to = [torch.empty_like(t, device="cpu").pin_memory() for t in outputs]

    def __call__(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        for host, tensor in zip(self._from, tensors, strict=True):
            np.copyto(host.numpy(), tensor)
        with torch.cuda.stream(self._stream):
            self._graph.replay()
            for host, device in zip(self._to, self._keep[1], strict=True):
                host.copy_(device, non_blocking=True)
        self._stream.synchronize()
        return tuple(t.numpy().copy() for t in self._to)


def open_model(path: Path, *, device: str, max_batch: int) -> TorchEngine:
    if device == "cuda" and not torch.cuda.is_available():
        built = torch.version.cuda
        why = "sees no GPU" if built else "was built without CUDA; install one with it: pytorch.org"
        raise MissingBackend(f"device 'cuda': torch {torch.__version__} {why}")
    # Both hold for the whole process. fp32 means fp32: faster is a file of fp16. And one thread:
    # a second made small networks many times slower while the other core was busy.
    if device == "cuda":
        torch.backends.cudnn.allow_tf32 = False
    else:
        torch.set_num_threads(1)
    return TorchEngine(path, device, max_batch)


def _tensor(given: Tensor) -> torch.Tensor:
    """torch warns of arrays that may not be written to, though nothing writes to them."""
    return torch.from_numpy(np.require(given, requirements=["C", "W"]))


def _read(path: Path) -> Any:
    """Raises EngineError if it is no network, or none that this engine covers."""
    try:
        model = onnx.load(path)
        _refuse(path.name, model)
        onnx.checker.check_model(model)
    except EngineError:
        raise
    except Exception as wrong:  # protobuf's errors and the checker's share no base class
        raise EngineError(f"{path.name}: not an ONNX file ({one_line(wrong)})") from wrong
    return model


def _refuse(name: str, model: Any) -> None:
    for used in model.opset_import:
        if used.domain in ("", "ai.onnx") and used.version < OPSET:
            raise EngineError(
                f"{name}: the torch engine reads opset {OPSET} and newer, this is {used.version}"
            )
    nodes = model.graph.node
    unknown = sorted({n.op_type for n in nodes if n.domain or n.op_type not in OPERATORS})
    if unknown:
        raise EngineError(f"{name}: the torch engine has no operator {', '.join(unknown)}")


def _with_ends(steps: list[Step], keep: set[str]) -> list[Step]:
    """Each value is let go after its last use: a batch of large pictures would not fit else."""
    needed, ended = set(keep), []
    for step in reversed(steps):
        names = {name for name in (*step.inputs, *step.outputs) if name} - needed
        needed |= names
        done = tuple(sorted(names))
        ended.append(
            Step(step.operator, step.name, step.attributes, step.inputs, step.outputs, done)
        )
    return ended[::-1]


def _spec(value: Any) -> TensorSpec:
    kind = value.type.tensor_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name
    shape = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in kind.shape.dim[1:])
    return TensorSpec(value.name, shape, dtype)


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else "CPU"
