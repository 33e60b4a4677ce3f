"""ONNX Runtime: the backend that runs everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime

from engines.base import (
    EngineError,
    MissingBackend,
    OutOfMemory,
    Tensor,
    TensorSpec,
    check_tensors,
    one_line,
)

PROVIDERS: dict[str, tuple[str, dict[str, str]]] = {
    "cpu": ("CPUExecutionProvider", {}),
    "cuda": (
        "CUDAExecutionProvider",
        # Searching all algorithms again for every new batch size stalls a film for seconds;
        # TF32 would move readings by more than the contract test allows.
        {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"},
    ),
}
_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
}


class OrtEngine:
    """One session, one thread: a second intra-op thread doubled the time of a small network
    whenever the other core was busy decoding. Parallelism comes from the pipeline.
    """

    def __init__(self, path: Path, device: str, max_batch: int) -> None:
        provider, settings = _provider(device)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3  # errors only: its warnings are not ours to print
        try:
            session = onnxruntime.InferenceSession(
                str(path), options, providers=[(provider, settings)]
            )
        except Exception as wrong:  # its errors share no base class but Exception
            raise EngineError(
                f"{path.name}: ONNX Runtime cannot open it ({one_line(wrong)})"
            ) from wrong
        if session.get_providers()[0] != provider:  # it only logs that it fell back
            raise MissingBackend(
                f"{path.name}: asked for {provider}, got {session.get_providers()[0]}: "
                f"no NVIDIA driver, GPU, or CUDA and cuDNN of its version"
            )
        self._name = path.name
        self._session: onnxruntime.InferenceSession | None = session
        self.inputs = tuple(_spec(path, node) for node in session.get_inputs())
        self.outputs = tuple(_spec(path, node) for node in session.get_outputs())
        self.max_batch = max_batch
        self.description = f"onnxruntime {onnxruntime.__version__} {provider}"

    def infer(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        if self._session is None:
            raise EngineError(f"{self._name}: this engine is closed")
        check_tensors(self._name, self.inputs, tensors, self.max_batch)
        feeds = {spec.name: t for spec, t in zip(self.inputs, tensors, strict=True)}
        try:
            return tuple(self._session.run(None, feeds))
        except Exception as wrong:
            raise _run_error(self._name, wrong) from wrong

    def close(self) -> None:
        self._session = None


def open_model(path: Path, *, device: str, max_batch: int) -> OrtEngine:
    return OrtEngine(path, device, max_batch)


def _provider(device: str) -> tuple[str, dict[str, str]]:
    provider, settings = PROVIDERS[device]
    if provider not in onnxruntime.get_available_providers():
        raise MissingBackend(
            f"device {device!r}: {provider} is missing from this ONNX Runtime; install the other "
            f"one: pip uninstall -y onnxruntime && pip install onnxruntime-gpu"
        )
    return provider, settings


def _spec(path: Path, node: Any) -> TensorSpec:
    if node.type not in _DTYPES:
        raise EngineError(f"{path.name}: {node.name!r} is {node.type}, which no engine takes")
    shape = tuple(d if isinstance(d, int) else -1 for d in node.shape[1:])
    return TensorSpec(node.name, shape, _DTYPES[node.type])


def _run_error(name: str, wrong: Exception) -> EngineError:
    text = one_line(wrong)
    if "Failed to allocate memory" in text or "out of memory" in text:
        return OutOfMemory(f"{name}: out of device memory")
    return EngineError(f"{name}: ONNX Runtime failed ({text})")
