"""What several test files need: clips written on the spot, and the data beside the checkout."""

import csv
import os
import shutil
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


def write_film(
    path,
    times,
    *,
    size_wh=(64, 48),
    codec="libx264",
    picture=None,
    start=0.0,
    pixel_aspect=None,
    pixels="yuv420p",
):
    """A clip whose frame i is shown at `times[i]` seconds; `picture(i)` draws it in RGB."""
    picture = picture or (lambda i: stamped(i, size_wh))
    with av.open(str(path), "w") as box:
        stream = box.add_stream(codec, rate=Fraction(25))
        stream.width, stream.height = size_wh
        stream.pix_fmt = pixels
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
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


def write_film_with_sound(
    path,
    events,
    *,
    video=("libx264", 0.0),
    audio=("aac", 0.0),
    seconds=4.0,
    rate=48_000,
    layout="stereo",
    silent=(),
):
    """A clip in which the picture is white and a click begins at each of `events` (s; on the grid
    of 25 frames/s from the video's start). Codecs come with the start of their stream, in s.

    silent: (begin, end), s: no packet of sound there.
    """
    (codec, video_start), (sound_codec, audio_start) = video, audio
    with av.open(str(path), "w") as box:
        pictures = box.add_stream(codec, rate=Fraction(25))
        full = "j" if codec == "mjpeg" else ""  # of the range 0..255
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, f"yuv{full}420p"
        pictures.time_base = pictures.codec_context.time_base = Fraction(1, TICKS)
        sound = box.add_stream(sound_codec, rate=rate)
        sound.layout = layout
        packets = []
        for i in range(round((seconds - video_start) * 25)):
            pts = video_start + i / 25
            white = any(abs(pts - event) < 1e-6 for event in events)
            image = np.full((48, 64, 3), 255 * white, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = round(pts * TICKS), Fraction(1, TICKS)
            packets += pictures.encode(frame)
        packets += pictures.encode(None)
        samples = clicks([event - audio_start for event in events], seconds - audio_start, rate)
        packets += _encoded(sound, samples, round(audio_start * rate), rate, layout, silent)
        box.mux(sorted(packets, key=lambda packet: packet.dts * packet.time_base))
    return path


def spoil_sound(path, begin, end):
    """Overwrite the packets of sound between two times, in s."""
    with av.open(str(path)) as box:
        spoilt = [
            (packet.pos, packet.size)
            for packet in box.demux(box.streams.audio[0])
            if packet.pts is not None and begin <= packet.pts * packet.time_base < end
        ]
    data = bytearray(path.read_bytes())
    for place, size in spoilt:
        data[place : place + size] = b"\xff" * size
    path.write_bytes(data)


def clicks(events, seconds, rate):
    """(n,) float32: a burst of 2 ms at each of `events`, in faint noise."""
    rng = np.random.default_rng(0)
    samples = 0.001 * rng.standard_normal(round(seconds * rate)).astype(np.float32)
    burst = 0.8 * np.sin(np.arange(round(0.002 * rate)) * 2 * np.pi * 2000 / rate)
    for event in events:
        first = round(event * rate)
        samples[first : first + len(burst)] += burst[: max(0, len(samples) - first)]
    return samples


def _encoded(stream, samples, first, rate, layout, silent):
    context = stream.codec_context
    size = context.frame_size or 1024
    shape = av.AudioResampler(context.format.name, layout, rate)
    channels = context.layout.nb_channels
    for i in range(0, len(samples), size):
        if silent and silent[0] <= (first + i) / rate < silent[1]:
            continue
        block = np.tile(samples[i : i + size], (channels, 1))
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        for made in shape.resample(frame):
            made.pts, made.time_base = first + i, Fraction(1, rate)
            yield from stream.encode(made)
    yield from stream.encode(None)


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


def virtual_display():
    """What to put before a command so that it has a screen that nobody sees."""
    if shutil.which("xvfb-run") is None:
        pytest.skip("needs xvfb-run (Debian: xvfb, xauth)")
    return ["xvfb-run", "-a", "-s", "-screen 0 1400x900x24"]


def skip_without_libraries(platform, ran):
    """Qt's own word about libraries of the system that one of its platforms needs."""
    if ran.returncode and "no Qt platform plugin could be initialized" in ran.stderr:
        pytest.skip(f"needs the libraries of Qt's {platform} platform: {ran.stderr.strip()}")


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
