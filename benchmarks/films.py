"""Films to measure on: 0, 1, 2 or 6 faces in three sizes, made once from the clips of the data
folder. Grain and bit rate are those of a film, for a clean picture is decoded twice as fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle
from pathlib import Path

import av
import cv2
import numpy as np

SIZES = {"360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080)}
RATES = {"360p": 1_000_000, "720p": 3_000_000, "1080p": 6_000_000}  # bits/s
FACES = {  # faces -> clips with one face each, or none, side by side
    0: (("no_face.mp4",),),
    1: (("crying_woman_pexels.mp4",),),
    2: (("crying_woman_pexels.mp4", "single_face.mp4"),),
    6: (
        ("asl_brother.mkv", "asl_thanks.mkv", "asl_book.mkv"),
        ("asl_hungry.mkv", "single_face.mp4", "crying_woman_pexels.mp4"),
    ),
}
NAMES = tuple(f"{size}-{faces}" for size in SIZES for faces in FACES)
FRAMES = 250
RATE = 25  # frames/s
GRAIN = 4.0  # standard deviation, grey levels


def film(name: str, clips: Path, folder: Path) -> Path:
    """The film of this name, e.g. "720p-2": that size, two faces. Made if it is not there."""
    target = folder / f"{name}.mp4"
    if target.exists():
        return target
    size, faces = name.split("-")
    width, height = SIZES[size]
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}.mp4"
    with av.open(str(partial), "w") as box:
        stream = box.add_stream("libx264", rate=Fraction(RATE))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = RATES[size]
        stream.options = {"preset": "medium"}
        for image in pictures(FACES[int(faces)], clips, width, height):
            box.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        box.mux(stream.encode(None))
    partial.replace(target)
    return target


def pictures(
    rows: tuple[tuple[str, ...], ...], clips: Path, width: int, height: int
) -> Iterator[np.ndarray]:
    """FRAMES pictures: the clips in a grid, with grain."""
    rng = np.random.default_rng(0)
    grain = [rng.normal(0, GRAIN, (height, width, 1)).astype(np.int16) for _ in range(7)]
    panels = [
        [(moving(clips / name, width // len(row), height // len(rows))) for name in row]
        for row in rows
    ]
    whole = np.zeros((height, width, 3), np.uint8)  # a third of the width may leave a pixel over
    for i in range(FRAMES):
        picture = np.vstack([np.hstack([next(panel) for panel in row]) for row in panels])
        whole[: picture.shape[0], : picture.shape[1]] = picture
        shifted = np.roll(grain[i % 7], 31 * i, axis=(0, 1))
        yield np.clip(whole + shifted, 0, 255).astype(np.uint8)


def moving(path: Path, width: int, height: int) -> Iterator[np.ndarray]:
    """The clip over and over, scaled to cover this size, cut around the middle."""
    found = []
    with av.open(str(path)) as box:
        for frame in box.decode(video=0):
            image = frame.to_ndarray(format="rgb24")
            scale = max(width / image.shape[1], height / image.shape[0])
            large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            y, x = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
            found.append(large[y : y + height, x : x + width])
            if len(found) == FRAMES:
                break
    return cycle(found)
