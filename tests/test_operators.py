"""The torch engine's operators against ONNX Runtime's, one small graph each."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import engines
from engines import EngineError

pytest.importorskip("torch")

INTS, FLOATS = np.int64, np.float32


def graph(path, op, constants, outputs=1, opset=20, **attributes):
    """x -> op -> y0, y1...; constants: the other inputs, None for one that is left out."""
    names = ["x", *("" if c is None else f"c{i}" for i, c in enumerate(constants))]
    held = [
        numpy_helper.from_array(np.asarray(c), f"c{i}")
        for i, c in enumerate(constants)
        if c is not None
    ]
    made = [f"y{i}" for i in range(outputs)]
    node = helper.make_node(op, names, made, **attributes)
    whole = helper.make_graph(
        [node],
        op,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4, 6, 8])],
        [helper.make_empty_tensor_value_info(name) for name in made],
        held,
    )
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    onnx.save(onnx.shape_inference.infer_shapes(model), path)
    return path


def some(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(FLOATS)


def axes(*values):
    return np.array(values, INTS)


CASES = {
    "Conv": ("Conv", [some(6, 4, 3, 3), some(6)], {"pads": [1, 0, 2, 1], "strides": [2, 1]}),
    "Conv by groups": ("Conv", [some(4, 1, 3, 3)], {"group": 4, "dilations": [2, 2]}),
    "MaxPool": ("MaxPool", [], {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1]}),
    "AveragePool": ("AveragePool", [], {"kernel_shape": [2, 2], "strides": [2, 2]}),
    "GlobalAveragePool": ("GlobalAveragePool", [], {}),
    "BatchNormalization": ("BatchNormalization", [some(4), some(4), some(4), some(4) ** 2], {}),
    "LayerNormalization": ("LayerNormalization", [some(8), some(8)], {}),
    "Resize by a factor": (
        "Resize",
        [None, np.array([1, 1, 2, 2], FLOATS)],
        {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    ),
    "Resize to a size": ("Resize", [None, None, axes(1, 4, 9, 12)], {"mode": "linear"}),
    "Clip": ("Clip", [np.float32(-0.5), np.float32(0.5)], {}),
    "Clip from below": ("Clip", [np.float32(-0.5)], {}),
    "ReduceMean": ("ReduceMean", [axes(2, 3)], {"keepdims": 0}),
    "ReduceSum of all": ("ReduceSum", [], {}),
    "ReduceMax": ("ReduceMax", [axes(-1)], {}),
    "Reshape": ("Reshape", [axes(0, -1, 8)], {}),
    "Flatten": ("Flatten", [], {"axis": 2}),
    "Transpose": ("Transpose", [], {"perm": [0, 2, 3, 1]}),
    "Unsqueeze": ("Unsqueeze", [axes(1, -1)], {}),
    "Slice": ("Slice", [axes(1, -3), axes(2**62, -1), axes(2, 3), axes(2, 1)], {}),
    "Gather one": ("Gather", [np.int64(-1)], {"axis": 3}),
    "Gather some": ("Gather", [np.array([[0, 2], [-1, 1]])], {"axis": 1}),
    "Pad": ("Pad", [axes(0, 0, 1, 2, 0, 0, 3, 0), np.float32(7)], {}),
    "Softmax": ("Softmax", [], {"axis": 1}),
    "LeakyRelu": ("LeakyRelu", [], {"alpha": 0.2}),
    "PRelu": ("PRelu", [some(4, 1, 1)], {}),
    "HardSigmoid": ("HardSigmoid", [], {}),
    "HardSwish": ("HardSwish", [], {}),
    "Gelu": ("Gelu", [], {}),
    "Softplus": ("Softplus", [], {}),
    "Erf": ("Erf", [], {}),
    "Pow": ("Pow", [np.float32(2)], {}),
    "Max": ("Max", [np.float32(0)], {}),
    "MatMul": ("MatMul", [some(8, 5)], {}),
    "Expand": ("Expand", [axes(2, 1, 1, 1, 1)], {}),
}


def both(path):
    return [engines.load(path, name) for name in ("onnx", "torch")]


@pytest.mark.parametrize("case", CASES)
def test_an_operator_says_what_onnx_runtime_says(tmp_path, case):
    op, constants, attributes = CASES[case]
    path = graph(tmp_path / "one.onnx", op, constants, **attributes)
    rows = 1 if case == "Resize to a size" else 3
    answers = [engine.infer(some(rows, 4, 6, 8)) for engine in both(path)]
    for theirs, ours in zip(*answers, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("given", [[axes(1, 3)], []], ids=["sizes", "equal parts"])
def test_split_gives_every_part(tmp_path, given):
    attributes = {"axis": 1} if given else {"axis": 1, "num_outputs": 2}
    path = graph(tmp_path / "split.onnx", "Split", given, outputs=2, **attributes)
    answers = [engine.infer(some(2, 4, 6, 8)) for engine in both(path)]
    for theirs, ours in zip(*answers, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("axis", [0, 1, 3])
@pytest.mark.parametrize("kind", [np.int8, np.uint8])
def test_quantised_steps_are_those_of_onnx_runtime(tmp_path, axis, kind):
    width = 1 if axis == 0 else (4, 6, 8)[axis - 1]
    scale = np.float32(0.02) if axis == 0 else np.linspace(0.01, 0.03, width).astype(FLOATS)
    zero = np.zeros(np.shape(scale), kind) + kind(0 if kind is np.int8 else 128)
    path = graph(tmp_path / "q.onnx", "QuantizeLinear", [scale, zero], axis=axis)
    model = onnx.load(path)
    back = helper.make_node("DequantizeLinear", ["y0", "c0", "c1"], ["z"], axis=axis)
    model.graph.node.append(back)
    model.graph.output[0].CopyFrom(
        helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 4, 6, 8])
    )
    onnx.save(model, path)
    theirs, ours = (engine.infer(some(2, 4, 6, 8))[0] for engine in both(path))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize(
    "op, constants, attributes, said",
    [
        ("Resize", [None, np.ones(4, FLOATS)], {"mode": "cubic"}, "Resize with cubic"),
        ("MaxPool", [], {"kernel_shape": [2, 2], "ceil_mode": 1}, "MaxPool with ceil_mode 1"),
        ("Slice", [axes(-1), axes(0), axes(3), axes(-1)], {}, "Slice backwards"),
        ("Pad", [axes(*[0] * 7, 1)], {"mode": "reflect"}, "Pad with mode b'reflect'"),
    ],
    ids=["Resize", "MaxPool", "Slice", "Pad"],
)
def test_a_case_that_is_not_covered_is_named(tmp_path, op, constants, attributes, said):
    path = graph(tmp_path / "odd.onnx", op, constants, **attributes)
    with pytest.raises(EngineError, match=rf"odd\.onnx: torch engine: {said}"):
        engines.load(path, "torch").infer(some(1, 4, 6, 8))


def test_an_operator_that_torch_refuses_is_named(tmp_path):
    path = graph(tmp_path / "odd.onnx", "MaxPool", [], kernel_shape=[9, 9])
    with pytest.raises(EngineError, match=r"odd\.onnx: torch engine: MaxPool failed"):
        engines.load(path, "torch").infer(some(1, 4, 6, 8))


def test_an_older_opset_whose_operators_meant_something_else_is_refused(tmp_path):
    path = graph(tmp_path / "old.onnx", "Softmax", [], opset=12)  # over all axes from 1 on
    assert engines.load(path, "onnx").infer(some(1, 4, 6, 8))[0].sum() == pytest.approx(1)
    with pytest.raises(EngineError, match=r"old\.onnx: .* opset 13 and newer, this is 12"):
        engines.load(path, "torch")


def test_an_operator_that_is_not_covered_is_named_when_the_file_is_opened(tmp_path):
    path = graph(tmp_path / "odd.onnx", "Hardmax", [])
    assert engines.load(path, "onnx").infer(some(1, 4, 6, 8))
    with pytest.raises(EngineError, match=r"odd\.onnx: the torch engine has no operator Hardmax"):
        engines.load(path, "torch")
