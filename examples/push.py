"""You own the loop: an OpenCV program of yours, and what it has to add.

python examples/push.py                     # the first camera, until Ctrl-C
python examples/push.py examples/demo.mp4   # or a film, for those without a camera
"""

import argparse
import time
from contextlib import suppress

import cv2

import tracker


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("film", nargs="?", help="instead of the camera")
    film = parser.parse_args().film
    capture = cv2.VideoCapture(0 if film is None else film)
    if not capture.isOpened():
        raise SystemExit(f"cannot open {film or 'the first camera'}")
    began = time.monotonic()
    with tracker.build() as reader, suppress(KeyboardInterrupt):  # 1. once: it opens the networks
        while True:
            there, bgr = capture.read()
            if not there:
                break
            if film is None:
                seconds = time.monotonic() - began
            else:
                seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            result = reader.push(rgb, seconds)  # 2. for each picture, with its time
            for person in result.people:  # 3. whatever your program does with it
                valence, arousal = person.affect.smooth.valence, person.affect.smooth.arousal
                box = person.face.box
                print(
                    f"{seconds:8.3f} s  face {person.face.track} at {box.x0:.0f}, {box.y0:.0f}  "
                    f"valence {valence:+.2f}  arousal {arousal:+.2f}"
                )
    capture.release()


if __name__ == "__main__":
    main()
