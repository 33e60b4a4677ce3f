"""What drawing costs: CPU time of the window's thread, on a real clip.

    python benchmarks/window.py --shared ../shared --size 1280x800

Needs the extra `gui`. Nothing is read while it is measured: the readings were made before.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tracker.api import build
from tracker.gui import window as gui
from tracker.gui.application import open_application
from tracker.handoff import Handoff
from tracker.options import Options
from tracker.remote import Remote
from tracker.run import follow
from tracker.sources import open_source
from tracker.values import FrameResult, Step

CLIP = "mpiigaze_video00.mp4"  # 720p, two people
RATE = 30  # pictures a second
READ = 100  # frames, shown over and over
FULL = 60 * RATE  # pictures after which a minute of curves is there


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--size", default="1280x800", metavar="WxH")
    parser.add_argument("--pictures", type=int, default=600)
    given = parser.parse_args()
    app = open_application()
    with build(Options(scene="scene-s", maps=True)) as reader:
        steps = list(islice(follow(open_source(given.shared / "clips" / CLIP), reader), READ))
    results: Handoff[FrameResult] = Handoff(2 * FULL, drop_oldest=True)
    pictures: Handoff[Step] = Handoff(1, drop_oldest=True)
    every, gui.CURVES = gui.CURVES, math.inf  # drawn apart, not by the clock of a busy machine
    window = gui.Window(Remote(recording=False), pictures, results)
    window.resize(*map(int, given.size.split("x")))
    window.show()

    def show(i: int) -> None:
        step = steps[i % READ]
        result = replace(step.result, pts=i / RATE, index=i)
        results.put(result)
        if i >= FULL:
            pictures.put(Step(step.frame, result))
            window.tick()

    for i in range(FULL):
        show(i)
    spent = {"a picture": [], "the curves": []}
    for i in range(FULL, FULL + given.pictures):
        for what, draw in (("a picture", lambda i=i: show(i)), ("the curves", window.plot.refresh)):
            began = time.thread_time()
            draw()
            app.processEvents()
            spent[what].append(time.thread_time() - began)
    window.close()
    picture, curves = (statistics.median(times) for times in spent.values())
    for what, seconds in (("a picture", picture), ("the curves", curves)):
        print(f"{f'CPU time to draw {what}, median, ms':<44} {1e3 * seconds:9.3f}")
    share = RATE * picture + curves / every
    print(f"{'of a core, at 30 pictures/s':<44} {share:9.3f}")


if __name__ == "__main__":
    main()
