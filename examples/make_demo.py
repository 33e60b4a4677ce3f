"""Makes examples/demo.mp4: a face, a hard cut to a picture without one, and the face again.

    pip install scikit-image
    python examples/make_demo.py

The portrait is scikit-image's `astronaut` (Eileen Collins, NASA, public domain).
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.data import astronaut

Image = NDArray[np.uint8]  # (H, W, 3) RGB

OUT = Path(__file__).with_name("demo.mp4")
WIDTH, HEIGHT, RATE = 640, 360, 25
SHOTS = (  # s, what is shown: middle x, y and width at the beginning and at the end, px
    (2.4, "portrait", (225, 150, 420), (225, 125, 250)),
    (1.2, "flag", (60, 70, 110), (80, 90, 110)),
    (2.4, "portrait", (215, 120, 240), (245, 140, 400)),
)


def frames() -> list[Image]:
    portrait = astronaut()
    flag = cv2.GaussianBlur(portrait, (0, 0), 6)  # its corner: stripes of colour, nobody
    made = []
    for seconds, name, begin, end in SHOTS:
        picture = flag if name == "flag" else portrait
        count = round(seconds * RATE)
        for i in range(count):
            done = i / (count - 1)
            eased = done * done * (3 - 2 * done)
            x, y, width = (a + (b - a) * eased for a, b in zip(begin, end, strict=True))
            made.append(window(picture, x, y, width))
    return made


def window(picture: Image, x: float, y: float, width: float) -> Image:
    """The part of `picture` around x, y, `width` px wide, as a frame; edges are continued."""
    scale = WIDTH / width
    move = np.array([[scale, 0, WIDTH / 2 - scale * x], [0, scale, HEIGHT / 2 - scale * y]])
    return np.asarray(
        cv2.warpAffine(
            picture,
            move,
            (WIDTH, HEIGHT),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT_101,
        ),
        np.uint8,
    )


def write(path: Path, pictures: list[Image]) -> None:
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as box:
        stream = box.add_stream("libx264", rate=Fraction(RATE))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "24", "preset": "slow", "threads": "1"}
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))


if __name__ == "__main__":
    write(OUT, frames())
    print(f"{OUT.name}: {OUT.stat().st_size / 1000:.0f} kB")
