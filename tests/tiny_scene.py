"""A scene network of a few hundred numbers, with the inputs and outputs of the shipped one.

Red is pleasant and blue unpleasant, green is exciting, light is outdoors. Its card lists the
labels in an order of its own.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tracker.models import hash_file
from tracker.values import EMOTIONS

SIZE = 16  # px
CELLS = 4  # of a map, each way
AXES = ["arousal", "valence"]
FELT = [*reversed(EMOTIONS)]
PLACES = ["outdoor", "beach", "kitchen", "street"]
LABELS = {
    "affect": AXES,
    "spread": AXES,
    "emotions": FELT,
    "place": PLACES,
    "maps": [*AXES, *FELT],
}
MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]


def write_scene(folder, name="scene-tiny", *, outputs=tuple(LABELS), card=None):
    """Writes name.onnx and name.json; returns the card's path. card: what to change in it."""
    path = Path(folder) / f"{name}.onnx"
    onnx.save(_graph(outputs), path)
    about = {
        "format": 1,
        "name": name,
        "role": "scene",
        "version": "1",
        "sha256": hash_file(path),
        "input": {
            "name": "frame",
            "size": [SIZE, SIZE],
            "colour": "RGB",
            "mean": MEAN,
            "std": STD,
            "fit": "squash",
        },
        "outputs": [{"name": output, "labels": LABELS[output]} for output in outputs],
        "data": [],
        "licence": "CC0-1.0",
        "scores": [],
    }
    path.with_suffix(".json").write_text(json.dumps(about | (card or {})))
    return path.with_suffix(".json")


def _graph(outputs):
    rng = np.random.default_rng(4)
    weights = rng.normal(0, 0.3, (10, 3, 1, 1)).astype(np.float32)
    weights[:2, :, 0, 0] = [[0, 0.5, 0], [0.5, 0, -0.5]]
    places = np.array([[1, 1, 1], [0, 0, 2], [2, 0, 0], [0, 2, 0]], np.float32).T
    values = {
        "weights": weights,
        "places": places,
        "half": np.float32([0.5]),
        "hw": np.int64([2, 3]),
        "two": np.int64([2]),
        "eight": np.int64([2, 8]),
        "place_split": np.int64([1, 3]),
    }
    node = helper.make_node
    step = SIZE // CELLS
    nodes = [
        node("AveragePool", ["frame"], ["small"], kernel_shape=[step, step], strides=[step, step]),
        node("Conv", ["small", "weights"], ["maps"]),
        node("ReduceMean", ["maps", "hw"], ["scores"], keepdims=0),
        node("Split", ["scores", "eight"], ["felt", "logits"], axis=1),
        node("Tanh", ["felt"], ["affect"]),
        node("Sigmoid", ["felt"], ["doubt"]),
        node("Mul", ["doubt", "half"], ["spread"]),
        node("Softmax", ["logits"], ["emotions"], axis=1),
        node("ReduceMean", ["small", "hw"], ["colour"], keepdims=0),
        node("MatMul", ["colour", "places"], ["seen"]),
        node("Split", ["seen", "place_split"], ["light", "kinds"], axis=1),
        node("Sigmoid", ["light"], ["outdoor"]),
        node("Softmax", ["kinds"], ["types"], axis=1),
        node("Concat", ["outdoor", "types"], ["place"], axis=1),
    ]
    shapes = {name: ["n", len(labels)] for name, labels in LABELS.items()}
    shapes["maps"] += [CELLS, CELLS]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "scene",
        [info("frame", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])],
        [info(name, TensorProto.FLOAT, shapes[name]) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return model
