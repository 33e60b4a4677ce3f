"""ONNX operators in torch: the ones that our networks consist of, and their close relatives.

Each takes the node's attributes and its inputs (None: left out) and returns one tensor or several.
Sizes, axes and indices are integer tensors on the CPU, wherever the numbers are: reading them
then never waits for the GPU. A case that is not covered raises `Unsupported`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from engines.shapes import (
    Attributes,
    Unsupported,
    cut,
    filled,
    gather,
    ints,
    pad,
    refuse,
    reshape,
    shape_of,
    split,
    squeeze,
    torch_pads,
    unsqueeze,
)

Operator = Callable[..., Any]

DTYPES = {  # of ONNX, TensorProto.DataType
    1: torch.float32,
    2: torch.uint8,
    3: torch.int8,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float16,
    11: torch.float64,
    16: torch.bfloat16,
}


def conv(a: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    dims = weight.ndim - 2
    x = _padded(a, x, dims, 0.0)
    run = (functional.conv1d, functional.conv2d, functional.conv3d)[dims - 1]
    strides, dilations = a.get("strides", 1), a.get("dilations", 1)
    return run(x, weight, bias, strides, 0, dilations, a.get("group", 1))


def max_pool(a: Attributes, x: Tensor) -> Tensor:
    refuse(a, ceil_mode=0, storage_order=0)
    kernel = a["kernel_shape"]
    x = _padded(a, x, len(kernel), -math.inf)
    run = (functional.max_pool1d, functional.max_pool2d)[len(kernel) - 1]
    return run(x, kernel, a.get("strides", 1), 0, a.get("dilations", 1))


def average_pool(a: Attributes, x: Tensor) -> Tensor:
    refuse(a, ceil_mode=0, auto_pad=b"NOTSET")
    kernel = a["kernel_shape"]
    if any(a.get("pads", [])) and not a.get("count_include_pad"):
        raise Unsupported("with padding that is not counted")
    x = _padded(a, x, len(kernel), 0.0)
    strides = a.get("strides", [1] * len(kernel))
    return (functional.avg_pool1d, functional.avg_pool2d)[len(kernel) - 1](x, kernel, strides)


def resize(
    a: Attributes,
    x: Tensor,
    roi: Tensor | None = None,
    scales: Tensor | None = None,
    sizes: Tensor | None = None,
) -> Tensor:
    mode, place = a.get("mode", b"nearest"), a.get("coordinate_transformation_mode", b"half_pixel")
    nearest = a.get("nearest_mode", b"round_prefer_floor")
    given: dict[str, Any] = {}
    if sizes is not None:
        given["size"] = ints(sizes)[2:]
    elif scales is not None:
        given["scale_factor"] = [float(s) for s in scales.tolist()[2:]]
    if (mode, place, nearest) == (b"nearest", b"asymmetric", b"floor"):
        return functional.interpolate(x, mode="nearest", **given)
    if (mode, place) == (b"linear", b"half_pixel") and not a.get("antialias"):
        return functional.interpolate(x, mode="bilinear", align_corners=False, **given)
    raise Unsupported(f"with {mode.decode()}, {place.decode()}, {nearest.decode()}")


def gemm(a: Attributes, x: Tensor, y: Tensor, z: Tensor | None = None) -> Tensor:
    x = x.mT if a.get("transA") else x
    y = y.mT if a.get("transB") else y
    product = x @ y if a.get("alpha", 1.0) == 1.0 else a["alpha"] * (x @ y)
    return product if z is None else product + a.get("beta", 1.0) * z


def batch_norm(
    a: Attributes, x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, var: Tensor
) -> Tensor:
    return functional.batch_norm(x, mean, var, scale, bias, eps=a.get("epsilon", 1e-5))


def layer_norm(a: Attributes, x: Tensor, scale: Tensor, bias: Tensor | None = None) -> Tensor:
    shape = x.shape[a.get("axis", -1) % x.ndim :]
    return functional.layer_norm(x, shape, scale, bias, a.get("epsilon", 1e-5))


def clip(a: Attributes, x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    return x if low is None and high is None else torch.clamp(x, low, high)


def reduction(run: Callable[..., Tensor]) -> Operator:
    def reduce(a: Attributes, x: Tensor, axes: Tensor | None = None) -> Tensor:
        chosen = a.get("axes") if axes is None else ints(axes)
        if not chosen and a.get("noop_with_empty_axes"):
            return x
        return run(x, tuple(chosen or range(x.ndim)), keepdim=bool(a.get("keepdims", 1)))

    return reduce


def quantize(a: Attributes, x: Tensor, scale: Tensor, zero: Tensor) -> Tensor:
    """Kept as floats: integers on a GPU have no convolution, and 8 bits are exact in a float."""
    limits = torch.iinfo(zero.dtype)
    shift = _along(zero.float().to(x.device), x, a.get("axis", 1))
    steps = torch.round(x / _along(scale, x, a.get("axis", 1))) + shift
    return steps.clamp(limits.min, limits.max)


def dequantize(a: Attributes, x: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
    axis = a.get("axis", 1)
    steps = x.to(scale.device, scale.dtype)
    if zero is not None:
        steps = steps - _along(zero.to(scale.device, scale.dtype), steps, axis)
    return steps * _along(scale, steps, axis)


def constant(a: Attributes) -> Tensor:
    if "value" not in a:
        raise Unsupported(f"with {', '.join(a)}")
    return a["value"]  # type: ignore[no-any-return]  # the reader of the file made it a tensor


def _plain(run: Callable[..., Any]) -> Operator:
    return lambda a, *inputs: run(*inputs)


PLAIN: dict[str, Any] = {  # functions of the inputs alone, which torch has as they are
    "Abs": torch.abs,
    "Add": torch.add,
    "Cos": torch.cos,
    "Div": torch.div,
    "Equal": torch.eq,
    "Erf": torch.erf,
    "Exp": torch.exp,
    "Floor": torch.floor,
    "Greater": torch.gt,
    "GreaterOrEqual": torch.ge,
    "HardSwish": functional.hardswish,
    "Identity": torch.clone,
    "Less": torch.lt,
    "LessOrEqual": torch.le,
    "Log": torch.log,
    "MatMul": torch.matmul,
    "Max": torch.maximum,
    "Min": torch.minimum,
    "Mul": torch.mul,
    "Neg": torch.neg,
    "PRelu": lambda x, slope: torch.where(x < 0, slope * x, x),
    "Pow": torch.pow,
    "Relu": torch.relu,
    "Sigmoid": torch.sigmoid,
    "Sin": torch.sin,
    "Softplus": functional.softplus,
    "Sqrt": torch.sqrt,
    "Sub": torch.sub,
    "Tanh": torch.tanh,
    "Where": torch.where,
}
OPERATORS: dict[str, Operator] = {
    **{name: _plain(run) for name, run in PLAIN.items()},
    "AveragePool": average_pool,
    "BatchNormalization": batch_norm,
    "Cast": lambda a, x: x.to(DTYPES[a["to"]]),
    "Clip": clip,
    "Concat": lambda a, *parts: torch.cat(parts, a["axis"]),
    "Constant": constant,
    "ConstantOfShape": filled,
    "Conv": conv,
    "DequantizeLinear": dequantize,
    "Expand": lambda a, x, shape: x * torch.ones(ints(shape), dtype=x.dtype, device=x.device),
    "Flatten": lambda a, x: x.reshape(math.prod(x.shape[: a.get("axis", 1)]), -1),
    "Gather": gather,
    "Gelu": lambda a, x: functional.gelu(x, approximate=a.get("approximate", b"none").decode()),
    "Gemm": gemm,
    "GlobalAveragePool": lambda a, x: x.mean(tuple(range(2, x.ndim)), keepdim=True),
    "HardSigmoid": lambda a, x: (a.get("alpha", 0.2) * x + a.get("beta", 0.5)).clamp(0, 1),
    "LayerNormalization": layer_norm,
    "LeakyRelu": lambda a, x: functional.leaky_relu(x, a.get("alpha", 0.01)),
    "MaxPool": max_pool,
    "Pad": pad,
    "QuantizeLinear": quantize,
    "ReduceMax": reduction(torch.amax),
    "ReduceMean": reduction(torch.mean),
    "ReduceMin": reduction(torch.amin),
    "ReduceSum": reduction(torch.sum),
    "Reshape": reshape,
    "Resize": resize,
    "Shape": shape_of,
    "Slice": cut,
    "Softmax": lambda a, x: torch.softmax(x, a.get("axis", -1)),
    "Split": split,
    "Squeeze": squeeze,
    "Transpose": lambda a, x: x.permute(a.get("perm", list(range(x.ndim))[::-1])),
    "Unsqueeze": unsqueeze,
}


def _padded(a: Attributes, x: Tensor, dims: int, value: float) -> Tensor:
    refuse(a, auto_pad=b"NOTSET")
    pads = a.get("pads", [0] * 2 * dims)
    return functional.pad(x, torch_pads(pads), value=value) if any(pads) else x


def _along(values: Tensor, x: Tensor, axis: int) -> Tensor:
    """One value for all, or one per index of an axis."""
    if values.ndim == 0:
        return values
    shape = [1] * x.ndim
    shape[axis % x.ndim] = -1
    return values.reshape(shape)
