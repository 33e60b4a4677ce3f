"""What several test files need: clips written on the spot, and the data beside the checkout."""

import csv
import os
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before anything imports Qt

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("EMOTRACK_SHARED", ROOT.parent / "shared"))
DEMO = ROOT / "examples" / "demo.mp4"
TICKS = 90_000  # per second, of the clips written here


def manifest():
    """The rows of the clips' manifest; none without the data folder."""
    path = SHARED / "clips" / "manifest.csv"
    return list(csv.DictReader(path.read_text("utf-8").splitlines())) if path.exists() else []


@pytest.fixture(scope="session")
def shared() -> Path:
    """Data for training and tests, which the repository does not carry."""
    if not (SHARED / "clips").is_dir():
        pytest.skip(f"needs the data folder {SHARED.name}/ beside the checkout")
    return SHARED


@pytest.fixture(autouse=True)
def _only_shipped_models(monkeypatch):
    """Whoever runs the tests may have models of their own; tests name what they need."""
    monkeypatch.delenv("EMOTRACK_MODELS", raising=False)


@pytest.fixture
def fetched(shared, monkeypatch):
    """The third-party model files, as if they had been fetched."""
    monkeypatch.setenv("EMOTRACK_MODELS", str(shared / "models"))


def write_film(path, times, *, size_wh=(64, 48), codec="libx264", picture=None, start=0.0):
    """A clip whose frame i is shown at `times[i]` seconds; `picture(i)` draws it in RGB."""
    picture = picture or (lambda i: stamped(i, size_wh))
    with av.open(str(path), "w") as box:
        stream = box.add_stream(codec, rate=Fraction(25))
        stream.width, stream.height = size_wh
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
        if codec == "libx264":
            stream.options = {"crf": "10", "bf": "2"}
        for i, pts in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(i), format="rgb24")
            frame.pts = round((pts + start) * TICKS)
            frame.time_base = Fraction(1, TICKS)
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    return path


def stamped(i, size_wh=(64, 48)):
    """A picture that carries the number i in eight black or white columns."""
    width, height = size_wh
    bits = [(i >> bit) & 1 for bit in range(8)]
    row = np.repeat(np.array(bits, np.uint8) * 255, width // 8)
    return np.repeat(np.tile(row, (height, 1))[:, :, None], 3, axis=2)


def stamp_of(image):
    """The number that `stamped` wrote, read from the picture's middle line."""
    height, width = image.shape[:2]
    step = width // 8
    return sum(int(image[height // 2, b * step + step // 2, 0] > 127) << b for b in range(8))


def timm_or_skip():
    """timm needs the torchvision made for the very torch that is here; not every machine has it."""
    try:
        import timm  # noqa: F401
    except (ImportError, RuntimeError) as wrong:
        pytest.skip(f"needs timm and a torchvision for this torch: {wrong}")


@pytest.fixture(scope="session")
def app():
    """Qt's application; a test without Qt's packages or libraries skips, naming them."""
    try:
        from tracker.gui.application import open_application
    except ImportError as missing:
        pytest.skip(f"{missing}")
    return open_application()


@pytest.fixture
def bench(app, monkeypatch):
    """Makes windows, and closes them. Qt prints what a slot raises and goes on: here it fails."""
    from watching import Bench

    made, raised = [], []
    monkeypatch.setattr(sys, "excepthook", lambda kind, wrong, trace: raised.append(wrong))

    def make(**options):
        made.append(Bench(app, **options))
        return made[-1]

    yield make
    for one in made:
        one.window.close()
    assert raised == []
