"""ONNX Runtime: the backend that runs everywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from engines.base import EngineError, Tensor, TensorSpec

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(int64)": "int64"}


class OrtEngine:
    """One session, one thread: a second intra-op thread doubled the time of a small network
    whenever the other core was busy decoding. Parallelism comes from the pipeline.
    """

    def __init__(self, path: Path, device: str, max_batch: int) -> None:
        provider = _provider(device)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3  # errors only: its warnings are not ours to print
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=[provider])
        except Exception as wrong:  # its errors share no base class but Exception
            raise EngineError(f"{path.name}: ONNX Runtime cannot open it ({wrong})") from wrong
        if session.get_providers()[0] != provider:
            raise EngineError(
                f"{path.name}: asked for {provider}, got {session.get_providers()[0]}"
            )
        self._name = path.name
        self._session: onnxruntime.InferenceSession | None = session
        self.inputs = tuple(_spec(node) for node in session.get_inputs())
        self.outputs = tuple(_spec(node) for node in session.get_outputs())
        self.max_batch = max_batch
        self.description = f"onnxruntime {onnxruntime.__version__} {provider}"

    def infer(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        if self._session is None:
            raise EngineError(f"{self._name}: this engine is closed")
        if len(tensors) != len(self.inputs):
            raise EngineError(f"{self._name}: {len(tensors)} inputs, expected {len(self.inputs)}")
        for spec, tensor in zip(self.inputs, tensors, strict=True):
            self._check(spec, tensor)
        feeds = {spec.name: t for spec, t in zip(self.inputs, tensors, strict=True)}
        return tuple(self._session.run(None, feeds))

    def close(self) -> None:
        self._session = None

    def _check(self, spec: TensorSpec, tensor: Tensor) -> None:
        if tensor.dtype != spec.dtype:
            raise EngineError(
                f"{self._name}: input {spec.name!r} is {tensor.dtype}, expected {spec.dtype}"
            )
        pairs = zip(tensor.shape[1:], spec.shape, strict=False)
        fits = tensor.ndim == len(spec.shape) + 1 and all(want in (-1, got) for got, want in pairs)
        if not fits or not 1 <= len(tensor) <= self.max_batch:
            raise EngineError(
                f"{self._name}: input {spec.name!r} is {tensor.shape}, expected "
                f"(1..{self.max_batch}, {', '.join(map(str, spec.shape))})"
            )


def open_model(path: Path, *, device: str, max_batch: int) -> OrtEngine:
    return OrtEngine(path, device, max_batch)


def _provider(device: str) -> str:
    try:
        provider = PROVIDERS[device]
    except KeyError:
        raise EngineError(f"unknown device {device!r}; known: {', '.join(PROVIDERS)}") from None
    if provider not in onnxruntime.get_available_providers():
        raise EngineError(f"device {device!r} is not in this ONNX Runtime: {provider} is missing")
    return provider


def _spec(node: onnxruntime.NodeArg) -> TensorSpec:
    shape = tuple(d if isinstance(d, int) else -1 for d in node.shape[1:])
    return TensorSpec(node.name, shape, _DTYPES.get(node.type, np.dtype("float32").name))
