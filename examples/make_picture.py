"""Draws docs/demo.png: what emotrack says of demo.mp4. Needs `pip install '.[report]'`.

python examples/make_picture.py
"""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import tracker
from tracker.run import follow
from tracker.sources import open_source

HERE = Path(__file__).parent
SHOWN = (0.0, 2.0, 3.0, 5.5)  # s, the frames that are drawn


def main() -> None:
    with tracker.build() as reader:
        steps = list(follow(open_source(HERE / "demo.mp4"), reader))
    figure = Figure(figsize=(10, 5), layout="constrained")
    grid = figure.add_gridspec(2, len(SHOWN))
    for column, when in enumerate(SHOWN):
        axes = figure.add_subplot(grid[0, column])
        step = min(steps, key=lambda s: abs(s.result.pts - when))
        axes.imshow(step.frame.image)
        axes.set_title(f"{step.result.pts:.2f} s", fontsize=10)
        axes.axis("off")
        for person in step.result.people:
            box = person.face.box
            width, height = box.x1 - box.x0, box.y1 - box.y0
            edge = Rectangle((box.x0, box.y0), width, height, fill=False, color="#0072B2")
            axes.add_patch(edge)
            label = {"boxstyle": "square,pad=0.1", "facecolor": "#0072B2", "edgecolor": "none"}
            name = f"face {person.face.track}"
            axes.text(box.x0, box.y0 - 8, name, color="white", fontsize=8, bbox=label)
    axes = figure.add_subplot(grid[1, :])
    for name, colour in (("valence", "#0072B2"), ("arousal", "#D55E00")):
        draw(axes, steps, name, colour)
    axes.set(xlabel="seconds of the film", ylabel="-1..1", ylim=(-1, 1))
    axes.axhline(0, color="grey", linewidth=0.5)
    axes.legend(loc="lower left", ncols=2)
    figure.savefig(HERE.parent / "docs" / "demo.png", dpi=100)


def draw(axes, steps, name, colour):
    """One curve per track: smooth thick, raw thin; a gap where nobody is seen."""
    tracks = sorted({p.face.track for s in steps for p in s.result.people})
    for track in tracks:
        seen = [
            (s.result.pts, p.affect)
            for s in steps
            for p in s.result.people
            if p.face.track == track
        ]
        times = [pts for pts, _ in seen]
        label = name if track == tracks[0] else None
        axes.plot(times, [getattr(a.smooth, name) for _, a in seen], color=colour, label=label)
        axes.plot(times, [getattr(a.raw, name) for _, a in seen], color=colour, linewidth=0.5)


if __name__ == "__main__":
    main()
