"""YuNet as the teacher: what it sees in a picture at several sizes, as one list of faces."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import numpy_helper

from tracker.detectors.boxes import STRIDES, Rows, suppress
from tracker.values import Image

FILE = Path("models") / "yunet" / "face_detection_yunet_2023mar.onnx"  # under ../shared
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
HEADS = ("cls", "obj", "bbox", "kps")


class Teacher:
    """YuNet (Wu et al. 2023) in ONNX Runtime, one thread, for pictures of any size."""

    def __init__(self, shared: Path) -> None:
        data = (shared / FILE).read_bytes()
        if hashlib.sha256(data).hexdigest() != SHA256:
            raise ValueError(f"{FILE.name}: not the file that the recipe was made with")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            relaxed(data), options, providers=["CPUExecutionProvider"]
        )
        self._names = [f"{head}_{k}" for k in STRIDES for head in HEADS]

    def look(self, picture: Image, min_score: float) -> Rows:
        """Faces in pixels of `picture` (RGB) at its own size, best first."""
        height, width = picture.shape[:2]
        padded = np.zeros((1, 3, -(-height // 32) * 32, -(-width // 32) * 32), np.float32)
        padded[0, :, :height, :width] = picture[..., ::-1].transpose(2, 0, 1)  # it reads BGR
        out = self.session.run(self._names, {"input": padded})
        rows = []
        for level, k in enumerate(STRIDES):
            found = _decode(k, padded.shape[3] // k, out[4 * level : 4 * level + 4], min_score)
            rows.append(found)
        whole = np.concatenate(rows)
        return suppress(whole[np.argsort(-whole[:, 14], kind="stable")])

    def label(self, picture: Image) -> Rows:
        """Faces seen at the picture's own, twice and half its size: the best opinion of each.

        Twice the size finds small faces, half of it those that fill the picture.
        """
        seen = [self.look(picture, 0.3)]
        for scale, way in ((2.0, cv2.INTER_CUBIC), (0.5, cv2.INTER_AREA)):
            other = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=way)
            rows = self.look(np.asarray(other, np.uint8), 0.3)
            rows[:, :14] /= scale
            side = np.sqrt((rows[:, 2:4] - rows[:, :2]).prod(1))
            # At half size only what is large there is trusted: the rest it sees worse.
            seen.append(rows[side >= 60] if scale < 1 else rows)
        return merge(seen)


def merge(seen: list[Rows]) -> Rows:
    """One row for each face; the score is the mean of the two best views that looked at it.

    A face that only one size shows keeps half of that score again as much as it lost: seen once
    at .9 and unseen otherwise counts .9 * 0.75, so that a single odd view is not certain.
    """
    rows = np.concatenate(seen)
    source = np.concatenate([np.full(len(part), i) for i, part in enumerate(seen)])
    order = np.argsort(-rows[:, 14], kind="stable")
    rows, source = rows[order], source[order]
    merged = []
    while len(rows):
        same = overlap(rows[:1, :4], rows[:, :4])[0] > 0.35
        others = rows[same & (source != source[0]), 14]
        best = rows[0].copy()
        best[14] *= 1.0 if len(others) and others.max() >= 0.3 else 0.75
        merged.append(best)
        rows, source = rows[~same], source[~same]
    return np.asarray(merged, np.float32).reshape(-1, 15)


def relaxed(data: bytes) -> bytes:
    """The same network for any picture size and batch: the file declares 640 x 640 for nothing."""
    model = onnx.load_from_string(data)
    shape = model.graph.input[0].type.tensor_type.shape.dim
    for axis, name in ((0, "n"), (2, "h"), (3, "w")):
        shape[axis].dim_param = name
    for output in model.graph.output:
        dims = output.type.tensor_type.shape.dim
        dims[0].dim_param, dims[1].dim_param = "n", "a" + output.name.split("_")[1]
    for tensor in model.graph.initializer:  # Reshape to [1, -1, k] fixes the batch: [0, -1, k]
        value = numpy_helper.to_array(tensor)
        if value.dtype == np.int64 and value.shape == (3,) and value[1] == -1:
            tensor.CopyFrom(numpy_helper.from_array(np.array([0, -1, value[2]]), tensor.name))
    del model.graph.value_info[:]
    return bytes(model.SerializeToString())


def _decode(k: int, columns: int, maps: list[np.ndarray], min_score: float) -> Rows:
    """One stride. YuNet's offsets are from the corner of the cell, not from its middle."""
    cls, obj, box, kps = (m[0] for m in maps)
    score = np.sqrt(cls[:, 0].clip(0, 1) * obj[:, 0].clip(0, 1))
    at = np.flatnonzero(score >= min_score)
    cell = np.stack([at % columns, at // columns], 1).astype(np.float32)
    centre, half = (cell + box[at, :2]) * k, np.exp(box[at, 2:]) * k / 2
    points = (kps[at].reshape(-1, 5, 2) + cell[:, None]) * k
    parts = [centre - half, centre + half, points.reshape(-1, 10), score[at, None]]
    return np.concatenate(parts, 1).astype(np.float32)


def overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of every pair; a (n, 4), b (m, 4): x0 y0 x1 y1 -> (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    both = np.clip(high - low, 0, None).prod(2)
    area_a = np.clip(a[:, 2:4] - a[:, :2], 0, None).prod(1)
    area_b = np.clip(b[:, 2:4] - b[:, :2], 0, None).prod(1)
    union = area_a[:, None] + area_b[None] - both
    return np.where(union > 0, both / np.maximum(union, 1e-9), 0).astype(np.float32)
