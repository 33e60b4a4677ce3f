"""How far black bars move what the scene network says, and that cutting them off undoes it.

python -m calibration.scene.bars --shared ../shared
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import engines
from calibration.samples import run
from calibration.scene.material import SIZE
from calibration.scene.pictures import load_rated, read_rgb, squashed
from tracker.bars import cropped, within_bars
from tracker.models import open_shipped
from tracker.values import Box, Image

FRAME = 16 / 9
SHAPES = {"2.39:1": 2.39, "4:3": 4 / 3}
EACH = 4  # every fourth picture


def changes(model: Path, shared: Path) -> Iterator[str]:
    """A line for each shape and axis."""
    files = load_rated(shared).files[::EACH]
    engine = engines.load(model, "onnx", max_batch=1)
    position = [spec.name for spec in engine.outputs].index("affect")

    def said(image: Image) -> NDArray[np.float32]:
        frame = squashed(image, (SIZE, SIZE)).transpose(2, 0, 1)[None] / np.float32(127.5) - 1
        affect: NDArray[np.float32] = engine.infer(np.ascontiguousarray(frame))[position][0]
        return affect

    for name, aspect in SHAPES.items():
        rows = []
        for file in files:
            shown = _shaped(read_rgb(file), aspect)
            framed = _framed(shown)
            cut = cropped(framed, within_bars(framed))
            rows.append([said(framed) - said(shown), said(cut) - said(shown)])
        moved = np.array(rows)  # (n, with bars or cut, axis)
        for k, axis in enumerate(("valence", "arousal")):
            bars, left = np.abs(moved[:, :, k]).mean(0)
            yield (
                f"{name} in 16:9, {axis}: bars move it by {bars:.3f} in the mean "
                f"(to {moved[:, 0, k].mean():+.3f}); cut off, by {left:.3f}; {len(files)} pictures"
            )
    engine.close()


def _shaped(image: Image, aspect: float) -> Image:
    """The middle of the picture, as large as fits."""
    height, width = image.shape[:2]
    wide, high = min(width, round(height * aspect)), min(height, round(width / aspect))
    x, y = (width - wide) // 2, (height - high) // 2
    return cropped(image, Box(x, y, x + wide, y + high))


def _framed(image: Image) -> Image:
    height, width = image.shape[:2]
    y = max(0, round((width / FRAME - height) / 2))
    x = max(0, round((height * FRAME - width) / 2))
    return np.pad(image, ((y, y), (x, x), (0, 0)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--model", type=Path, default=None)
    given = parser.parse_args()
    for line in changes(given.model or open_shipped("scene-s").path, given.shared):
        print(line)


if __name__ == "__main__":
    run(main)
