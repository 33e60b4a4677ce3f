"""Pictures of a clip, played over and over, through the shipped networks into the window.

A program of its own, so that it runs under any of Qt's platforms:

    python looped.py CLIP PICTURES SCREENSHOT

Says in JSON what is left at the end, and what of it is to be seen.
"""

import json
import os
import sys
import threading
from dataclasses import replace
from itertools import count

from watching import Bench, has

from tracker.api import build
from tracker.gui.application import open_application
from tracker.handoff import background
from tracker.run import follow
from tracker.sources import Report, open_source

from tracker.gui.colours import PLEASANT, UNPLEASANT  # isort: skip

SETTLED = 100  # pictures after which no reference to None may be lost


class Loop:
    """So many frames of a film that is played over and over, its time going on."""

    live, expected = False, None

    def __init__(self, path, frames):
        self.path, self.frames, self.report = path, frames, Report()

    def __iter__(self):
        begin, number = 0.0, count()
        while True:
            for frame in open_source(self.path):
                index = next(number)
                if index == self.frames:
                    return
                pts = begin + frame.pts
                yield replace(frame, index=index, pts=pts)
            begin = pts + 0.04


def drawn(shown, clip, pictures):
    """How many were, the last step, and how many references to None went missing meanwhile."""
    steps = follow(Loop(clip, pictures), reader := build())
    with reader, background(steps, capacity=1, drop_oldest=False) as coming:
        for n, step in enumerate(coming, 1):
            shown.put(step)
            shown.window.tick()
            shown.app.processEvents()
            if n == SETTLED:
                before = sys.getrefcount(None)
    shown.show()
    return n, step, before - sys.getrefcount(None)


def main(clip, pictures, screenshot):
    app = open_application()
    shown = Bench(app)
    n, step, lost = drawn(shown, clip, int(pictures))
    window = shown.window
    colours = [window.colours.of(p.face.track) for p in step.result.people]
    parts = {"curves": window.plot, "plane": window.plane, "picture": window.picture}
    said = {
        "platform": app.platformName(),
        "drawn": n,
        "lost": lost,
        "failure": repr(window.failure),
        "people": {name: [has(part, c) for c in colours] for name, part in parts.items()},
        "scene": [has(window.scene, colour) for colour in (PLEASANT, UNPLEASANT)],
        "saved": window.grab().save(screenshot),
    }
    window.close()
    said["threads"] = [thread.name for thread in threading.enumerate()]
    names = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    open_files = [os.readlink(name) for name in names if os.path.exists(name)]
    said["files"] = [
        name for name in open_files if name.endswith((os.path.basename(clip), ".onnx"))
    ]
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
