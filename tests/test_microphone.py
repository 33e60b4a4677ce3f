"""Microphones: the clock, and what is said where there is none. No real one is heard here."""

import os
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from itertools import islice
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from tracker.api import build
from tracker.cli import main
from tracker.options import Options
from tracker.run import follow
from tracker.sound import RATE
from tracker.sources import SourceError, microphone
from tracker.sources.camera import Camera, Lost
from tracker.values import Frame

BLANK = np.zeros((4, 4, 3), np.uint8)
ABOUT = {"name": "made", "default_samplerate": 48_000.0, "max_input_channels": 1}


class Stream:
    """Stands for PortAudio: the test calls what it would call."""

    active = True

    def __init__(self, callback, **given):
        self.callback, self.given, self.closed = callback, given, False

    def start(self):
        pass

    def close(self):
        self.closed = True


class When:
    """PortAudio's times: the block was recorded 30 ms ago."""

    currentTime, inputBufferAdcTime = 50.0, 49.97
    late = 0.03


class NeverWhen:
    """What some drivers tell instead."""

    currentTime, inputBufferAdcTime = 0.0, 0.0


@pytest.fixture
def sounddevice():
    try:
        import sounddevice
    except (ModuleNotFoundError, OSError) as absent:
        pytest.skip(f"needs sounddevice and PortAudio: {absent}")
    return sounddevice


@pytest.fixture
def opened(sounddevice, monkeypatch):
    streams = []

    def open_stream(**given):
        streams.append(Stream(**given))
        return streams[-1]

    monkeypatch.setattr(sounddevice, "InputStream", open_stream)
    monkeypatch.setattr(sounddevice, "query_devices", lambda *_: ABOUT)
    monkeypatch.setattr(microphone, "AGAIN", 0.02)
    heard = microphone.open_microphone()
    yield heard, streams
    heard.close()
    assert [thread for thread in threading.enumerate() if thread.name == "microphone"] == []


def until(condition):
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def frame_at(pts, arrived):
    return Frame(0, pts, arrived, BLANK)


@pytest.mark.parametrize("when, late", [(When, 0.03), (NeverWhen, 0.1)])  # or: as long as it is
def test_its_sound_is_on_the_clock_of_the_frames(opened, when, late):
    heard, (stream,) = opened
    assert (stream.given["samplerate"], stream.given["channels"]) == (48_000, 1)
    block = np.full((4800, 1), 0.5, np.float32)
    now = time.monotonic()
    stream.callback(block, 4800, when, None)
    block[:] = 0  # PortAudio uses the same memory again
    heard.begin(frame_at(7.0, arrived=now))  # the camera's clock began 7 s ago
    pieces = heard.upto(8.0)
    assert pieces[0].first / RATE == pytest.approx(7.0 - late, abs=0.015)
    assert sum(len(piece.samples) for piece in pieces) == pytest.approx(1600, abs=20)
    assert max(np.abs(piece.samples).max() for piece in pieces) > 0.4
    heard.close()
    assert stream.closed


def test_blocks_that_follow_each_other_leave_no_hole_though_their_times_waver(opened):
    heard, _ = opened
    began = time.monotonic()
    rng = np.random.default_rng(0)
    heard.begin(frame_at(0.0, arrived=began))
    for i in range(50):
        heard._heard.push(np.ones(480, np.float32), began + 0.01 * i + rng.uniform(0, 0.02))
    pieces = heard.upto(1.0)
    ends = [piece.first + len(piece.samples) for piece in pieces]
    assert [piece.first for piece in pieces[1:]] == ends[:-1]
    assert ends[-1] / RATE == pytest.approx(0.5, abs=0.025)


def test_one_that_stops_is_waited_for_and_heard_again_on_the_same_clock(
    opened, sounddevice, monkeypatch, caplog
):
    heard, (first,) = opened
    began = time.monotonic()
    heard.begin(frame_at(0.0, arrived=began))
    first.callback(np.full((480, 1), 0.5, np.float32), 480, When, None)
    before = heard.upto(100.0)
    tried, listed = [], []
    plugged_in = sounddevice.InputStream

    def open_stream(**given):
        tried.append(len(listed))
        if len(tried) < 3:
            raise sounddevice.PortAudioError("no such device")
        return plugged_in(**given)

    monkeypatch.setattr(sounddevice, "InputStream", open_stream)
    monkeypatch.setattr(sounddevice, "_terminate", lambda: None)
    monkeypatch.setattr(sounddevice, "_initialize", lambda: listed.append("anew"))
    first.active = False
    until(lambda: len(opened[1]) == 2)
    until(lambda: "heard again after" in caplog.text)
    came = time.monotonic()
    opened[1][1].callback(np.full((4800, 1), 0.5, np.float32), 4800, When, None)
    *_, piece = heard.upto(100.0)  # before it, what the resampler still held of the first block
    assert first.closed
    assert tried == [1, 2, 3]  # each time with a new list of devices
    assert piece.first / RATE == pytest.approx(came - began - When.late, abs=0.01)
    assert piece.first > before[-1].first + len(before[-1].samples) + 0.02 * RATE  # a hole
    assert len(piece.samples) == pytest.approx(1600, abs=20)
    assert caplog.text.count("made: the microphone stopped; waiting for it") == 1


class Stage:
    """A camera that sees a clap, and beside it a microphone whose driver tells of it later."""

    about: ClassVar = {"kind": "camera"}

    def __init__(self, stream, pictures):
        self.stream, self.pictures, self.clapped = stream, pictures, None

    def read(self):
        time.sleep(0.02)
        self.pictures -= 1
        now = time.monotonic()
        if self.pictures == 5:
            self.clapped = now
            return np.full((4, 4, 3), 255, np.uint8)
        if self.pictures == 3:
            block = np.zeros((4800, 1), np.float32)
            block[:96] = 0.9  # the clap is its beginning
            self.stream.callback(block, 4800, at(50.0, 50.0 - (now - self.clapped)), None)
        if not self.pictures:
            raise Lost("the end")
        return BLANK

    def close(self):
        pass


def at(current, recorded):
    return SimpleNamespace(currentTime=current, inputBufferAdcTime=recorded)


def test_a_clap_is_seen_and_heard_at_one_time(opened):
    heard, (stream,) = opened
    camera = Camera("camera 0", lambda: Stage(stream, 25), lambda: heard)
    seen, pieces = [], []
    sound = camera.sound()
    for i, frame in enumerate(islice(camera, 24)):
        if i == 0:
            sound.begin(frame)
        if frame.image.mean() > 127:
            seen.append(frame.pts)
        pieces += sound.upto(frame.pts)
    pieces += sound.upto(100.0)
    clicks = [
        (piece.first + k) / RATE for piece in pieces for k in np.flatnonzero(piece.samples > 0.3)
    ]
    assert len(seen) == 1
    assert clicks[0] == pytest.approx(seen[0], abs=0.02)


def test_a_camera_without_a_microphone_is_read_all_the_same(caplog, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    camera = Camera("camera 0", lambda: Stage(None, 1000), microphone.open_microphone)
    with build(Options(sound="sound-s", scene=None)) as reader:
        steps = list(islice(follow(camera, reader), 1))
    assert [step.result.audio for step in steps] == [None]
    assert caplog.messages == [
        "no sound: a microphone needs sounddevice: pip install 'emotrack[audio]'"
    ]


def test_leaving_while_one_is_waited_for_ends_the_wait(opened, sounddevice, monkeypatch, caplog):
    heard, (stream,) = opened

    def unplugged(**_):
        raise sounddevice.PortAudioError("no such device")

    monkeypatch.setattr(sounddevice, "InputStream", unplugged)
    stream.active = False
    until(lambda: "waiting for it" in caplog.text)
    heard.begin(frame_at(0.0, arrived=0.0))
    assert heard.upto(1.0) == []  # pictures go on; the fixture closes, and looks for threads


def test_a_reader_who_is_busy_loses_the_oldest_sound_and_no_memory(opened):
    heard, (stream,) = opened
    for _ in range(microphone.KEPT + 100):
        stream.callback(np.zeros((16, 1), np.float32), 16, When, None)
    assert len(heard._heard._blocks) == microphone.KEPT


SILENT = """
pcm.!default { type null }
"""  # a device of ALSA's own that gives silence, without a pause


def test_portaudio_itself_stops_and_is_taken_up_again(sounddevice, tmp_path):
    """On a device that no hardware is behind: opening, losing, closing are PortAudio's own."""
    code = """if True:
        import logging, threading, time
        import numpy as np
        from tracker.sources import microphone
        from tracker.values import Frame
        logging.basicConfig(format="%(message)s")
        microphone.AGAIN = 0.1
        heard = microphone.open_microphone("default")
        heard.begin(Frame(0, 0.0, time.monotonic(), np.zeros((4, 4, 3), np.uint8)))
        first = heard._stream
        first.abort()
        while heard._stream is first or not heard._stream.active:
            time.sleep(0.05)
        heard.upto(1e9)  # what the first had still given
        deadline, pieces = time.monotonic() + 30, []
        while not pieces and time.monotonic() < deadline:
            time.sleep(0.05)
            pieces = heard.upto(1e9)
        print(bool(pieces))
        heard.close()
        print([thread.name for thread in threading.enumerate()])
    """
    if not any("ALSA" in api["name"] for api in sounddevice.query_hostapis()):
        pytest.skip("needs a PortAudio that knows ALSA")
    (tmp_path / "alsa.conf").write_text(SILENT)
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ALSA_CONFIG_PATH": str(tmp_path / "alsa.conf")},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.stdout.splitlines() == ["True", "['MainThread']"], ran.stderr
    stopped, back = ran.stderr.splitlines()
    assert stopped == "default: the microphone stopped; waiting for it"
    assert back.startswith("default: heard again after ")


def test_a_driver_that_pushes_as_fast_as_we_read_holds_up_nobody(opened):
    heard, (stream,) = opened
    block = np.zeros((480, 1), np.float32)
    heard.begin(frame_at(0.0, arrived=time.monotonic()))
    stream.callback(block, 480, When, None)
    read, mono = [], heard._heard._mono

    def read_and_push(frame, pts):
        read.append(pts)
        assert len(read) < 3
        stream.callback(block, 480, When, None)
        return mono(frame, pts)

    heard._heard._mono = read_and_push
    heard.upto(100.0)
    assert len(read) == 1


@pytest.mark.parametrize("which, told", [("", "no microphone"), ("99", "microphone '99'")])
def test_without_a_device_there_is_one_line(sounddevice, caplog, which, told):
    if any(about["max_input_channels"] for about in sounddevice.query_devices()) and not which:
        pytest.skip("this machine has a microphone")
    assert microphone.open_microphone(which) is None
    (line,) = caplog.messages
    assert line.startswith(f"no sound: {told} (")


def test_without_portaudio_there_is_one_line_that_says_what_to_install(caplog, monkeypatch):
    if find_spec("sounddevice") is None:
        pytest.skip("needs sounddevice")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    if sys.platform != "linux":
        pytest.skip("elsewhere the package brings PortAudio")
    assert microphone.open_microphone() is None
    (line,) = caplog.messages
    assert line.startswith("no sound: ")
    assert "PortAudio" in line
    assert line.endswith("apt install libportaudio2")


def test_without_the_package_there_is_one_line_that_says_what_to_type(caplog, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert microphone.open_microphone() is None
    assert caplog.messages == [
        "no sound: a microphone needs sounddevice: pip install 'emotrack[audio]'"
    ]
    with pytest.raises(SourceError, match="emotrack"):
        microphone.microphones()


def test_the_command_lists_them_and_marks_the_usual_one(sounddevice, monkeypatch, capsys):
    deaf = ABOUT | {"max_input_channels": 0}
    monkeypatch.setattr(sounddevice, "query_devices", lambda *_: [deaf, ABOUT])
    monkeypatch.setattr(sounddevice.default, "device", (1, 0))
    assert main(["microphones"]) == 0
    assert capsys.readouterr().out == "1* made  48000/s\n"
    monkeypatch.setattr(sounddevice, "query_devices", lambda *_: [])
    assert main(["microphones"]) == 2
    assert capsys.readouterr().err == "emotrack: there is no microphone\n"
