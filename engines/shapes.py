"""ONNX operators that move numbers about and know of shapes, in torch. See `engines.operators`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Attributes = Mapping[str, Any]


class Unsupported(Exception):
    """An operator, or a case of one, that the table below does not cover."""


def reshape(a: Attributes, x: Tensor, shape: Tensor) -> Tensor:
    wanted = ints(shape)
    if not a.get("allowzero"):
        wanted = [x.shape[i] if size == 0 else size for i, size in enumerate(wanted)]
    return x.reshape(wanted)


def shape_of(a: Attributes, x: Tensor) -> Tensor:
    return torch.tensor(x.shape[a.get("start", 0) : a.get("end")], dtype=torch.int64)


def squeeze(a: Attributes, x: Tensor, axes: Tensor | None = None) -> Tensor:
    chosen = a.get("axes") if axes is None else ints(axes)
    return x.squeeze() if chosen is None else x.squeeze(tuple(chosen))


def unsqueeze(a: Attributes, x: Tensor, axes: Tensor | None = None) -> Tensor:
    chosen = a["axes"] if axes is None else ints(axes)
    rank = x.ndim + len(chosen)
    for axis in sorted(c % rank for c in chosen):
        x = x.unsqueeze(axis)
    return x


def cut(
    a: Attributes,
    x: Tensor,
    starts: Tensor,
    ends: Tensor,
    axes: Tensor | None = None,
    steps: Tensor | None = None,
) -> Tensor:
    first, last = ints(starts), ints(ends)
    where = range(len(first)) if axes is None else ints(axes)
    by = [1] * len(first) if steps is None else ints(steps)
    for start, end, axis, step in zip(first, last, where, by, strict=True):
        if step < 1:
            raise Unsupported("backwards")
        whole = [slice(None)] * x.ndim
        whole[axis] = slice(start, end, step)
        x = x[tuple(whole)]
    return x


def gather(a: Attributes, x: Tensor, index: Tensor) -> Tensor:
    axis = a.get("axis", 0)
    if index.ndim == 0:
        return x.select(axis, int(index))
    flat = index.reshape(-1).to(x.device)
    shape = (*x.shape[:axis], *index.shape, *x.shape[axis % x.ndim + 1 :])
    return x.index_select(axis, flat % x.shape[axis]).reshape(shape)


def split(a: Attributes, x: Tensor, sizes: Tensor | None = None) -> tuple[Tensor, ...]:
    axis = a.get("axis", 0)
    size = -(-x.shape[axis] // a["num_outputs"]) if sizes is None else ints(sizes)
    return torch.split(x, size, axis)


def pad(a: Attributes, x: Tensor, pads: Tensor, value: Tensor | None = None) -> Tensor:
    refuse(a, mode=b"constant")
    return functional.pad(x, torch_pads(ints(pads)), value=0.0 if value is None else float(value))


def filled(a: Attributes, shape: Tensor) -> Tensor:
    value: Tensor = a.get("value", torch.zeros(1))
    return value.reshape(()).expand(ints(shape)).clone()


def ints(values: Tensor) -> list[int]:
    return [int(v) for v in values.reshape(-1).tolist()]


def refuse(a: Attributes, **plain: Any) -> None:
    """Attributes of which only the plain value is covered."""
    for name, value in plain.items():
        if a.get(name, value) != value:
            raise Unsupported(f"with {name} {a[name]!r}")


def torch_pads(pads: list[int]) -> list[int]:
    """ONNX: all begins, then all ends, first axis first. torch: pairs, last axis first."""
    half = len(pads) // 2
    pairs = list(zip(pads[:half], pads[half:], strict=True))
    return [size for pair in reversed(pairs) for size in pair]
