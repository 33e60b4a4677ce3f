"""Training views: a piece of a canvas, turned, scaled and spoilt, with what to find in it.

The faces were labelled while the canvas was clean, so the network learns to see through the rest.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from calibration.detector.pictures import Canvases
from tracker.detectors.boxes import STRIDES, Rows
from tracker.values import Image

Random = np.random.Generator
SIZE_WH = (320, 256)  # px of a view
SMALL_WH = (256, 192)  # px of a view in the first epochs, which take 0.6 of the time
MOSAICS = 0.25  # share of views made of four small ones; half was tried, and was no better
SMALLEST = 9.0  # px; smaller faces are neither asked for nor punished
CERTAIN = 0.45  # teacher's score below which a cell is left alone
SPANS = ((0.0, 36.0), (28.0, 92.0), (72.0, 1e9))  # px of face side for each stride; they overlap
GRAIN = np.random.default_rng(0).normal(0, 14, (400, 400, 3)).clip(0, 60).astype(np.uint8)
COLUMNS = 16  # of a target: score, weight, box (4), points (10)


class Views(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """One view of every canvas for each epoch; the same one whenever it is asked for.

    Gives uint8 (3, H, W) and the targets (A, COLUMNS).
    """

    def __init__(
        self, canvases: Canvases, seed: int, epoch: int, size_wh: tuple[int, int] = SIZE_WH
    ) -> None:
        self._canvases = canvases
        self._seed = seed
        self._epoch = epoch
        self._size_wh = size_wh

    def __len__(self) -> int:
        return len(self._canvases)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng((self._seed, self._epoch, index))
        if rng.random() < MOSAICS:
            picture, faces = self._mosaic(rng, index)
        else:
            picture, faces = piece(rng, *self._canvases[index], self._size_wh)
        picture = spoilt(rng, picture)
        values = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))
        return values, torch.from_numpy(targets(faces, self._size_wh))

    def _mosaic(self, rng: Random, index: int) -> tuple[Image, Rows]:
        """Four small views in one: small faces, several lights."""
        width, height = self._size_wh
        picture = np.zeros((height, width, 3), np.uint8)
        x, y = (int(n * rng.uniform(0.35, 0.65)) // 2 * 2 for n in self._size_wh)
        found = []
        corners = ((0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height))
        for x0, y0, x1, y1 in corners:
            part, rows = piece(rng, *self._canvases[index], (x1 - x0, y1 - y0))
            picture[y0:y1, x0:x1] = part
            rows[:, [0, 2, *range(4, 14, 2)]] += x0
            rows[:, [1, 3, *range(5, 14, 2)]] += y0
            found.append(rows)
            index = int(rng.integers(len(self._canvases)))
        return picture, np.concatenate(found)


def piece(rng: Random, canvas: Image, faces: Rows, size_wh: tuple[int, int]) -> tuple[Image, Rows]:
    """A random part of `canvas` at `size_wh`. Cut faces keep the box of what is left of them."""
    width, height = size_wh
    fit = min(width / canvas.shape[1], height / canvas.shape[0])
    scale = fit * float(np.exp(rng.uniform(np.log(0.8), np.log(2.4))))
    angle = float(rng.normal(0, 5) if rng.random() < 0.6 else rng.uniform(-32, 32))
    focus = np.array([canvas.shape[1], canvas.shape[0]]) * rng.uniform(0.25, 0.75, 2)
    if len(faces) and rng.random() < 0.6:
        chosen = faces[rng.integers(len(faces))]
        focus = (chosen[:2] + chosen[2:4]) / 2
        side = float(np.sqrt((chosen[2:4] - chosen[:2]).prod()))
        if rng.random() < 0.35:  # every size as often, from a dot to more than the picture
            wanted = np.exp(rng.uniform(np.log(11), np.log(1.1 * min(size_wh))))
            scale = float(np.clip(wanted / side, 0.6 * fit, 4 * fit))
    centre = np.array(size_wh) * rng.uniform(0.2, 0.8, 2)
    turn = cv2.getRotationMatrix2D((float(focus[0]), float(focus[1])), angle, scale)
    matrix = np.asarray(turn, np.float64)
    matrix[:, 2] = matrix[:, 2] + centre - focus
    if rng.random() < 0.5:  # mirrored
        matrix[0] *= -1
        matrix[0, 2] += width
    source = canvas
    if scale < 0.6:  # averaged first: linear sampling skips pixels
        shrink = max(scale * 1.4, 0.2)
        source = np.asarray(
            cv2.resize(canvas, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8
        )
        matrix = matrix @ np.diag(
            [canvas.shape[1] / source.shape[1], canvas.shape[0] / source.shape[0], 1.0]
        )
        faces = faces.copy()
        faces[:, :14] *= source.shape[1] / canvas.shape[1]
    edge = [int(v) for v in rng.integers(0, 256, 3)] if rng.random() < 0.5 else [0, 0, 0]
    made = cv2.warpAffine(source, matrix, size_wh, flags=cv2.INTER_LINEAR, borderValue=edge)
    return np.asarray(made, np.uint8), moved(faces, matrix, size_wh)


def moved(faces: Rows, matrix: NDArray[np.float64], size_wh: tuple[int, int]) -> Rows:
    """Faces under an affine map, clipped to the view; a score of 0 marks those cut too much."""
    if not len(faces):
        return faces.copy()
    rows = faces.copy()
    points = faces[:, 4:14].reshape(-1, 5, 2) @ matrix[:, :2].T + matrix[:, 2]
    if np.linalg.det(matrix[:, :2]) < 0:
        points = points[:, [1, 0, 2, 4, 3]]  # image-left stays first in a mirror
    rows[:, 4:14] = points.reshape(-1, 10)
    centre = (faces[:, :2] + faces[:, 2:4]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    half = (faces[:, 2:4] - faces[:, :2]) / 2
    half = np.sqrt(half**2 @ (matrix[:, :2].T ** 2))  # bounds of the turned ellipse
    rows[:, :2] = np.clip(centre - half, 0, size_wh)
    rows[:, 2:4] = np.clip(centre + half, 0, size_wh)
    left = (rows[:, 2:4] - rows[:, :2]).prod(1) / np.maximum((4 * half.prod(1)), 1e-6)
    rows[left < 0.5, 14] = 0
    return np.asarray(rows[left > 0.1], np.float32)


def spoilt(rng: Random, picture: Image) -> Image:
    """What films, cameras and codecs do to a picture: light, sharpness, grain, compression."""
    made: NDArray[Any] = cv2.LUT(picture, lights(rng))
    if rng.random() < 0.25:  # black and white, now and then on tinted stock
        grey = cv2.cvtColor(made, cv2.COLOR_RGB2GRAY)
        stock = rng.uniform(0.8, 1.0, 3) if rng.random() < 0.3 else np.ones(3)
        made = np.stack([cv2.convertScaleAbs(grey, alpha=float(v)) for v in stock], 2)
    if rng.random() < 0.2:
        small = float(rng.uniform(0.4, 0.85))
        less = cv2.resize(made, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
        made = cv2.resize(less, made.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.12:
        length = int(rng.integers(3, 8))
        across = rng.random() < 0.7
        made = cv2.blur(made, (length, 1) if across else (1, length))
    if rng.random() < 0.25:
        y, x = rng.integers(0, 64, 2)
        grain = GRAIN[y : y + made.shape[0], x : x + made.shape[1]]
        dust: NDArray[Any] = cv2.convertScaleAbs(grain, alpha=float(rng.uniform(0.1, 1.2)))
        sign = cv2.add if rng.random() < 0.5 else cv2.subtract
        made = np.asarray(sign(made, dust if rng.random() < 0.5 else dust[..., :1].repeat(3, 2)))
    if rng.random() < 0.4:
        quality = int(rng.uniform(18, 90))
        _, coded = cv2.imencode(".jpg", made, [cv2.IMWRITE_JPEG_QUALITY, quality])
        made = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    if rng.random() < 0.12:  # something in front
        w, h = rng.integers(8, 70, 2)
        x, y = rng.integers(0, made.shape[1] - w), rng.integers(0, made.shape[0] - h)
        made[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return np.asarray(made, np.uint8)


def lights(rng: Random) -> NDArray[np.uint8]:
    """Exposure, contrast, darkness and colour of the light as one table, (1, 256, 3)."""
    tone = np.linspace(0, 255, 256)
    if rng.random() < 0.6:
        tone = 255 * (tone / 255) ** np.exp(rng.normal(0, 0.35))
    if rng.random() < 0.4:
        tone = (tone - 128) * rng.uniform(0.5, 1.4) + 128 + rng.uniform(-35, 35)
    if rng.random() < 0.2:  # a dark film
        tone = tone * rng.uniform(0.12, 0.6)
    colour = rng.uniform(0.7, 1.3, 3) if rng.random() < 0.3 else np.ones(3)
    return (tone[:, None] * colour).clip(0, 255).astype(np.uint8)[None]


def targets(faces: Rows, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """What each cell should say, (A, COLUMNS); large faces first, so that small ones win a cell."""
    width, height = size_wh
    side = np.sqrt((faces[:, 2:4] - faces[:, :2]).clip(0).prod(1))
    levels = []
    for stride, (low, high) in zip(STRIDES, SPANS, strict=True):
        columns, rows = width // stride, height // stride
        level = np.zeros((rows, columns, COLUMNS), np.float32)
        level[..., 1] = 1
        x = (np.arange(columns, dtype=np.float32) + 0.5) * stride
        y = (np.arange(rows, dtype=np.float32) + 0.5) * stride
        for at in np.argsort(-side, kind="stable"):
            if low / 1.4 <= side[at] < high * 1.4:
                fits = bool(low <= side[at] < high)
                _mark(level, faces[at], float(side[at]), stride, fits, x, y)
        levels.append(level.reshape(-1, COLUMNS))
    return np.concatenate(levels)


def _mark(
    level: NDArray[np.float32],
    face: NDArray[np.float32],
    side: float,
    stride: int,
    fits: bool,
    x: NDArray[np.float32],
    y: NDArray[np.float32],
) -> None:
    """Writes one face into one map: its middle asks, a ring around it is left alone.

    A face nearly of this map's size (not `fits`) is left alone as a whole.
    """
    centre = (face[:2] + face[2:4]) / 2
    # In units of half a face: 1 is the border of the box.
    dx = np.abs(x - centre[0]) / max(face[2] - face[0], 1) * 2
    dy = np.abs(y - centre[1]) / max(face[3] - face[1], 1) * 2
    away = np.maximum(dx[None, :], dy[:, None])
    near = (np.abs(x - centre[0])[None, :] < 0.8 * stride) & (
        np.abs(y - centre[1])[:, None] < 0.8 * stride
    )
    level[near | (away < 0.6), 1] = 0
    if not fits or side < SMALLEST or face[14] < CERTAIN:
        return
    middle = near | (away < 0.25)
    cells = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), 2)[middle]
    values = np.empty((len(cells), COLUMNS), np.float32)
    values[:, 0] = face[14]
    values[:, 1] = 1
    values[:, 2:4] = (centre - cells) / stride
    values[:, 4:6] = np.log(np.maximum(face[2:4] - face[:2], 2) / stride)
    values[:, 6:] = ((face[4:14].reshape(5, 2)[None] - cells[:, None]) / stride).reshape(-1, 10)
    level[middle] = values
