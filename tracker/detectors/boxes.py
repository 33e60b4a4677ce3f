"""Between a picture and a detector's network: fit, decode, suppress, and back to pixels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.picture import Picture
from tracker.resize import glanced
from tracker.values import Box, Detection, Image

Rows = NDArray[np.float32]  # (n, 15): x0 y0 x1 y1, five points (x, y), score; px
STRIDES = (8, 16, 32)  # px of the input per cell of the three maps
NMS = 0.3  # IoU above which two boxes are one face; the teacher's own value


def fitted(picture: Picture, long_side: int) -> tuple[Image, tuple[float, float]]:
    """The picture with its long side at `long_side`, black on the right and below to full cells.

    Also gives what its pixels must be multiplied by, x and y, to be pixels of `picture` again. They
    differ for pictures so narrow that a side would round to nothing.
    """
    height, width = picture.shape[:2]
    scale = long_side / max(width, height)
    small_wh = max(1, round(width * scale)), max(1, round(height * scale))
    small = glanced(picture, small_wh)
    columns, rows = (-(-side // STRIDES[-1]) * STRIDES[-1] for side in small_wh)
    padded = np.zeros((rows, columns, 3), np.uint8)
    padded[: small_wh[1], : small_wh[0]] = small
    return padded, (width / small_wh[0], height / small_wh[1])


def decode(
    score: NDArray[np.float32],
    geometry: NDArray[np.float32],
    size_wh: tuple[int, int],
    min_score: float,
) -> Rows:
    """The cells at or above `min_score` as rows, best first, in pixels of the network's input.

    score: (A,), geometry: (14, A); cells of stride 8, then 16, then 32, row-major in each.
    geometry: offset of the box centre and log of its size, then five offsets of points; offsets
    from the centre of the cell, everything in strides.
    """
    chosen = np.flatnonzero(score >= min_score)
    chosen = chosen[np.argsort(-score[chosen], kind="stable")]
    cell, values = _cells(*size_wh)[chosen], geometry[:, chosen].T
    middle, stride = cell[:, :2], cell[:, 2:]
    centre = (middle + values[:, :2]) * stride
    half = np.exp(np.minimum(values[:, 2:4], 8)) * stride / 2
    points = (middle[:, None] + values[:, 4:].reshape(-1, 5, 2)) * stride[:, None]
    corners = np.concatenate([centre - half, centre + half], 1)
    rows = np.concatenate([corners, points.reshape(-1, 10), score[chosen, None]], 1)
    return rows.astype(np.float32, copy=False)


@lru_cache(maxsize=8)
def _cells(width: int, height: int) -> NDArray[np.float32]:
    """(A, 3) of an input of this size: the centre of each cell in strides, x and y; its stride."""
    maps = []
    for stride in STRIDES:
        y, x = np.indices((height // stride, width // stride)).reshape(2, -1) + 0.5
        maps.append(np.stack([x, y, np.full_like(x, stride)], 1))
    return np.concatenate(maps).astype(np.float32)


def suppress(rows: Rows, max_iou: float = NMS) -> Rows:
    """The best row of every heap (greedy non-maximum suppression). `rows`: best first."""
    sized = np.concatenate([rows[:, :2], rows[:, 2:4] - rows[:, :2]], 1)
    kept = cv2.dnn.NMSBoxes(sized.tolist(), rows[:, 14].tolist(), 0.0, max_iou)
    return rows[np.asarray(kept, np.intp)]


def as_detections(rows: Rows, size_wh: Sequence[int]) -> list[Detection]:
    """Rows as values, boxes clipped to the picture; what lies outside it altogether is dropped.

    Points are left where the detector put them: the mouth of a cut face may lie outside.
    """
    width, height = size_wh
    found = []
    for row in rows.tolist():
        x0, y0 = max(0.0, row[0]), max(0.0, row[1])
        x1, y1 = min(float(width), row[2]), min(float(height), row[3])
        if x1 <= x0 or y1 <= y0:
            continue
        points = tuple(zip(row[4:14:2], row[5:14:2], strict=True))
        found.append(Detection(Box(x0, y0, x1, y1), min(1.0, max(0.0, row[14])), points))
    return found
