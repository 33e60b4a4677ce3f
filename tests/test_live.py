"""The live path: films played as if by a camera, cameras that fail, addresses of the network."""

import csv
import functools
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from itertools import islice

import cv2
import numpy as np
import pytest

from conftest import DEMO, stamp_of, write_film
from tracker.cli import main
from tracker.handoff import background
from tracker.latency import Latencies, in_words
from tracker.profile import Origin
from tracker.profile_file import load_profile
from tracker.run import follow
from tracker.sources import SourceError, Wish, open_camera, open_live, open_source
from tracker.sources.base import without_secrets
from tracker.sources.camera import Camera, Lost
from tracker.sources.camera_opencv import OpenCvDevice, unmet

EMOTRACK = [sys.executable, "-m", "tracker"]
PICTURE = np.zeros((4, 4, 3), np.uint8)


def table(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def sources_running():
    return [thread for thread in threading.enumerate() if thread.name == "source"]


def open_files():
    return sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                  if os.path.exists(f"/proc/self/fd/{fd}"))  # fmt: skip


class Tracker:
    """Looks for `look` seconds, reads for `take` seconds, and says what it was given."""

    hears = False

    def __init__(self, look=0.0, take=0.0):
        self.looking, self.taking = look, take

    def look(self, frame):
        time.sleep(self.looking)
        return []

    def take(self, frame, seen):
        time.sleep(self.taking)
        return frame


# A film as a camera.


def test_a_film_played_live_keeps_to_its_own_clock(tmp_path):
    times = [0.0, 0.02, 0.3, 0.32, 0.5]  # a variable rate
    film = write_film(tmp_path / "a.mp4", times, start=1.0)
    frames = list(open_live(film))
    assert [f.pts for f in frames] == pytest.approx([1 + t for t in times], abs=1e-4)
    assert [stamp_of(f.image) for f in frames] == [0, 1, 2, 3, 4]
    for frame in frames:
        due = frames[0].arrived + frame.pts - frames[0].pts
        assert frame.arrived >= due - 0.01  # never early; late is the machine's affair


@pytest.mark.parametrize("slow", [{"look": 0.05}, {"take": 0.05}])
def test_whoever_is_slow_gets_the_newest_frame_and_the_rest_is_counted_as_dropped(tmp_path, slow):
    film = write_film(tmp_path / "a.mp4", [i / 100 for i in range(100)])
    source = open_live(film)
    steps = list(follow(source, Tracker(**slow)))
    taken = [step.frame.index for step in steps]
    assert taken[-1] == 99
    assert len(taken) < 60
    assert source.report.dropped == 100 - len(taken)
    assert sources_running() == []


def test_leaving_a_live_film_does_not_wait_for_its_next_frame(tmp_path):
    film = write_film(tmp_path / "a.mp4", [0.0, 60.0])
    begin = time.monotonic()
    with background(open_live(film), capacity=1, drop_oldest=True) as frames:
        assert next(iter(frames)).pts == 0.0
    assert time.monotonic() - begin < 10
    assert sources_running() == []


def test_photos_cannot_be_played_live(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), PICTURE)
    with pytest.raises(SourceError, match="photos have no clock"):
        open_live(tmp_path / "a.png")


# A camera.


class FailingDevice:
    """A camera that gives so many pictures and is then pulled out."""

    def __init__(self, pictures, closed):
        self.left, self.closed = pictures, closed
        self.about = {"kind": "camera"}

    def read(self):
        if not self.left:
            raise Lost("no picture")
        self.left -= 1
        return PICTURE

    def close(self):
        self.closed.append(self)


class Plugs:
    """Opens one device after the other; None: nothing is plugged in at that attempt."""

    def __init__(self, *pictures):
        self.pictures, self.closed, self.tried = list(pictures), [], 0

    def __call__(self):
        self.tried += 1
        pictures = self.pictures.pop(0) if self.pictures else None
        if pictures is None:
            raise SourceError("camera 0: not there")
        return FailingDevice(pictures, self.closed)


@pytest.fixture
def _impatient(monkeypatch):
    monkeypatch.setattr("tracker.sources.camera.AGAIN", 0.05)


@pytest.mark.usefixtures("_impatient")
def test_a_camera_pulled_out_is_waited_for_and_taken_up_again_after_a_gap_in_time():
    plugs = Plugs(3, None, None, 2)
    camera = Camera("camera 0", plugs)
    with background(camera, capacity=100, drop_oldest=True) as handed:
        frames = list(islice(handed, 5))
    assert [f.index for f in frames] == [0, 1, 2, 3, 4]
    assert [f.taken_up for f in frames] == [0, 0, 0, 1, 1]
    gap = frames[3].pts - frames[2].pts
    assert gap >= 3 * 0.05
    assert frames[3].pts == pytest.approx(frames[3].arrived - camera.opened)
    ((lost, back),) = camera.report.about[0]["gaps"]
    assert lost == pytest.approx(frames[2].pts, abs=0.001)
    assert back - lost >= 3 * 0.05 - 0.001  # both are kept in whole milliseconds
    assert back <= frames[3].pts + 0.001
    assert len(plugs.closed) == 2
    assert sources_running() == []


@pytest.mark.usefixtures("_impatient")
def test_leaving_while_a_camera_is_waited_for_ends_the_wait():
    plugs = Plugs(1)
    with background(Camera("camera 0", plugs), capacity=1, drop_oldest=True) as handed:
        next(iter(handed))
        while plugs.tried < 3:
            time.sleep(0.01)
    assert sources_running() == []


def test_a_camera_that_is_not_there_at_first_is_an_error():
    with pytest.raises(SourceError, match="camera 0: not there"):
        next(iter(Camera("camera 0", Plugs())))


def test_nobody_keeps_a_number_over_the_time_that_the_camera_was_away():
    import tracker

    still = next(iter(open_source(DEMO)))

    class Still(FailingDevice):
        def read(self):
            super().read()
            return still.image

    devices = [Still(3, []), Still(3, [])]
    camera = Camera("camera 0", lambda: devices.pop(0))
    with tracker.build() as reader:
        results = [reader.take(frame) for frame in islice(camera, 6)]
    assert [[p.face.track for p in r.people] for r in results] == [[0]] * 3 + [[1]] * 3


def test_opencv_gives_upright_rgb_and_its_end_is_a_loss(tmp_path):
    reds = np.zeros((48, 64, 3), np.uint8)
    reds[..., 0] = 200
    film = write_film(tmp_path / "a.mp4", [0.0, 0.04], picture=lambda i: reds)
    device = OpenCvDevice("camera 0", cv2.VideoCapture(str(film)))
    assert device.about == {
        "kind": "camera", "name": "camera 0", "width": 64, "height": 48, "rate": 25.0,
    }  # fmt: skip
    for _ in range(2):
        assert device.read().mean(axis=(0, 1)) == pytest.approx([200, 0, 0], abs=12)
    with pytest.raises(Lost, match="no picture"):
        device.read()
    device.close()


def test_a_camera_that_does_not_do_what_was_asked_says_so():
    about = {"width": 640, "height": 480, "rate": 15.0}
    assert list(unmet(Wish((1280, 720), 30.0), about)) == [
        "asked for 1280x720, gives 640x480",
        "asked for 30 frames/s, gives 15",
    ]
    assert list(unmet(Wish(), about)) == []
    assert list(unmet(Wish(rate=30.0), about | {"rate": 0.0})) == []  # the driver does not say


# Addresses of the network.


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class _Pictures(_Quiet):
    """A network camera: motion JPEG, 20 pictures and then the connection breaks."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        _, jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 128, np.uint8))
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        try:
            for _ in range(20):
                self.wfile.write(head.encode() + jpeg.tobytes() + b"\r\n")
                time.sleep(0.02)
        except ConnectionError:
            pass  # whoever watched has left


@pytest.fixture
def serve(tmp_path):
    """Starts a server on a free port of this machine; gives its address."""
    servers = []

    def start(handler):
        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(handler, directory=str(tmp_path))
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_film_at_an_address_is_played_live_with_its_own_times(tmp_path, serve):
    film = write_film(tmp_path / "a.mkv", [0.0, 0.1, 0.15, 0.4])
    source = open_camera(f"{serve(_Quiet)}/a.mkv")
    assert source.live
    frames = list(source)
    assert [f.pts for f in frames] == pytest.approx([f.pts for f in open_source(film)])
    assert [stamp_of(f.image) for f in frames] == [0, 1, 2, 3]


@pytest.mark.usefixtures("_impatient")
def test_a_network_camera_whose_connection_breaks_is_taken_up_again(serve):
    address = serve(_Pictures)
    camera = open_camera(f"{address}/video")
    with background(camera, capacity=100, drop_oldest=True) as handed:
        frames = list(islice(handed, 30))
    assert [f.index for f in frames] == list(range(30))
    assert {f.taken_up for f in frames} == {0, 1}
    assert all(f.image.shape == (48, 64, 3) and abs(f.image.mean() - 128) < 3 for f in frames)
    assert camera.report.about[0]["name"] == f"{address}/video"
    assert sources_running() == []


@pytest.mark.usefixtures("_impatient")
def test_that_the_sound_of_a_network_camera_is_not_read_is_said_once_and_only_if_asked(
    serve, caplog
):
    import tracker

    address = f"{serve(_Pictures)}/video"
    for sound in (None, "sound-s"):
        with tracker.build(tracker.Options(sound=sound, scene=None)) as reader:
            (step,) = islice(follow(open_camera(address), reader), 1)
        assert step.result.audio is None
    assert caplog.messages == [f"{address}: the sound of a network camera is not read"]


def test_an_address_where_nobody_says_anything_is_given_up(monkeypatch):
    monkeypatch.setattr("tracker.sources.opened.PATIENCE", 0.2)
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        port = mute.getsockname()[1]
        with pytest.raises(SourceError, match=r"no answer for 0\.2 s"):
            open_camera(f"http://127.0.0.1:{port}/video")


def test_an_address_where_nobody_answers_is_one_error_without_its_password(serve):
    place = serve(_Quiet).removeprefix("http://")
    with pytest.raises(SourceError, match=r"^http://127\.0\.0\.1:\d+/none: not a readable film or"):
        open_camera(f"http://ana:secret@{place}/none?key=secret")


def test_only_addresses_of_cameras_are_opened():
    with pytest.raises(SourceError, match=r"file:// is none of http, https, rtsp, rtsps"):
        open_camera("file:///etc/hostname")


@pytest.mark.parametrize(
    "place, told",
    [
        ("rtsp://ana:secret@cam.example:554/a?key=1", "rtsp://cam.example:554/a"),
        ("http://cam.example/a.mp4", "http://cam.example/a.mp4"),
        ("films/a.mp4", "films/a.mp4"),
        ("--csv", "--csv"),
    ],
)
def test_an_address_is_told_on_without_user_password_and_query(place, told):
    assert without_secrets(place) == told


# The command.


def test_the_command_plays_a_film_live_into_a_table_and_says_how_fast_it_was(tmp_path):
    out = tmp_path / "out.csv"
    ran = subprocess.run(
        [*EMOTRACK, str(DEMO), "--live", "--csv", str(out), "--end", "2"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    (line,) = ran.stderr.splitlines()
    run = json.loads(out.with_suffix(".meta.json").read_text("utf-8"))["run"]
    assert line.startswith(f"emotrack: {run['frames']} frames read, {run['dropped']} dropped (")
    assert f"latency p50 {1e3 * run['latency_median']:.1f} ms" in line
    assert f"p95 {1e3 * run['latency_p95']:.1f} ms" in line
    assert 0 < run["latency_median"] <= run["latency_p95"] <= run["latency_max"]
    assert run["frames"] + run["dropped"] == 50
    assert run["seconds"] >= 1.9  # two seconds of film, from the first frame on
    rows = table(out)
    assert len({row["frame"] for row in rows}) == run["frames"]
    exact = {f"{frame.pts:.6f}" for frame in open_source(DEMO)}
    assert {row["timestamp"] for row in rows} <= exact


def test_a_live_run_leaves_its_table_and_sidecar_and_no_other_file_anywhere(tmp_path):
    places = {name: tmp_path / name for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "out")}
    for place in places.values():
        place.mkdir()
    silent = {"CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS"}  # so ONNX Runtime may report
    env = {name: value for name, value in os.environ.items() if name not in silent}
    env |= {name: str(path) for name, path in places.items()}
    ran = subprocess.run(
        [*EMOTRACK, str(DEMO), "--live", "--csv", "out.csv", "--end", "1"],
        cwd=places["out"], env=env, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0
    files = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(map(str, files)) == ["out/out.csv", "out/out.meta.json"]


def test_ctrl_c_in_a_live_run_leaves_whole_rows_the_latency_line_and_exit_130(tmp_path):
    film = write_film(tmp_path / "long.mp4", [0.0, 0.1, 0.2, 600.0])  # then nothing for long
    out = tmp_path / "out.csv"
    running = subprocess.Popen(
        [*EMOTRACK, str(film), "--live", "--csv", str(out)], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (out.exists() and out.read_text().count("\n") == 4) and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert said.startswith("emotrack: 3 frames read, 0 dropped (0.0%); latency p50 ")
    assert said.endswith("emotrack: stopped\n")
    assert out.read_text().count("\n") == 4
    assert not json.loads(out.with_suffix(".meta.json").read_text())["run"]["finished"]


def test_a_neutral_is_measured_from_a_camera(tmp_path, serve, capsys):
    still = next(iter(open_source(DEMO))).image  # a smile, at rest
    size_wh = still.shape[1], still.shape[0]
    times = [i / 10 for i in range(60)]
    write_film(tmp_path / "a.mkv", times, size_wh=size_wh, picture=lambda i: still)
    place = serve(_Quiet).removeprefix("http://")
    out = tmp_path / "me.json"
    words = ["--webcam", f"http://ana:secret@{place}/a.mkv", "--seconds", "4", "--person", "ana"]
    assert main(["calibrate", "neutral", *words, "--out", str(out)]) == 0
    assert capsys.readouterr().err == "emotrack: look into the camera for 4 s, and do nothing\n"
    ana = load_profile(out).people["ana"]
    assert 2.5 < ana.seconds <= 4
    assert ana.neutral.valence > 0.5
    assert ana.made_from == (Origin(f"http://{place}/a.mkv", None),)
    assert "secret" not in out.read_text("utf-8")


@pytest.mark.parametrize(
    "words, why",
    [
        ([], "name an INPUT, or --webcam"),
        (["a.mp4", "--webcam"], "name an INPUT, or --webcam, not both"),
        (["a.mp4", "--seconds", "5"], "--seconds is for --webcam"),
        (["--webcam", "--start", "1"], "--start and --end are for films"),
        (["--webcam", "--seconds", "1"], "--seconds 1: a neutral needs 3 or more"),
    ],
)
def test_words_of_a_neutral_that_do_not_go_together_are_named(words, why, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["calibrate", "neutral", *words, "--out", str(tmp_path / "me.json")])
    assert ended.value.code == 2
    assert why in capsys.readouterr().err


def test_no_camera_is_one_line_and_no_file(tmp_path, capsys):
    out = tmp_path / "me.json"
    assert main(["calibrate", "neutral", "--webcam", "99", "--out", str(out)]) == 2
    assert "camera 99: there is no camera 99" in capsys.readouterr().err
    assert not out.exists()


def test_a_password_in_an_address_is_not_written_down(tmp_path, serve):
    write_film(tmp_path / "a.mkv", [0.0, 0.1, 0.2])
    place = serve(_Quiet).removeprefix("http://")
    out = tmp_path / "out.csv"
    ran = subprocess.run(
        [*EMOTRACK, "--no-window",
         "--webcam", f"http://ana:secret@{place}/a.mkv", "--csv", str(out)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert table(out)[-1]["timestamp"] == "0.200000"  # a busy machine drops earlier ones
    about = out.with_suffix(".meta.json").read_text("utf-8")
    assert "secret" not in about + ran.stderr
    (source,) = json.loads(about)["inputs"]
    assert (source["kind"], source["name"]) == ("url", f"http://{place}/a.mkv")


@pytest.mark.parametrize(
    "words, why",
    [
        ([], "name an INPUT, or --webcam"),
        (["a.mp4", "--webcam"], "--webcam and a.mp4 exclude each other"),
        (["--webcam", "--live"], "--live is for films"),
        (["--webcam", "--every", "1"], "--every is for films"),
        (["a.mp4", "--size", "640x480"], "--size is asked of a camera"),
        (["--webcam", "--size", "big"], "'big' is no size"),
        (["--webcam", "--rate", "0"], "'0' is no rate"),
        (["--no-window", "--webcam", "99"], "camera 99: there is no camera 99"),
        (["--no-window", "--webcam", "gopher://x/"], "gopher:// is none of"),
        (
            ["--no-window", "--webcam", "rtsp://127.0.0.1:9/x"],
            "or camera (Connection refused)",
        ),
    ],
)
def test_a_live_command_that_cannot_work_says_why(words, why):
    ran = subprocess.run([*EMOTRACK, *words], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 2
    assert why in ran.stderr
    assert "Traceback" not in ran.stderr


def test_after_a_live_run_no_thread_and_no_file_is_left(tmp_path, serve):
    import tracker

    write_film(tmp_path / "a.mkv", [0.0, 0.05, 0.1])
    address = f"{serve(_Quiet)}/a.mkv"

    def a_run(source):
        with tracker.build() as reader:
            return [step.result.index for step in follow(source, reader)]

    a_run(open_live(DEMO, tracker.sources.Span(end=0.2)))  # whatever is loaded once, is now
    before = open_files(), threading.active_count()
    assert a_run(open_live(DEMO, tracker.sources.Span(end=0.2)))[-1] == 4
    assert a_run(open_camera(address))[-1] == 2
    deadline = time.monotonic() + 10
    while (open_files(), threading.active_count()) != before and time.monotonic() < deadline:
        time.sleep(0.05)  # the server's side of the connection
    assert (open_files(), threading.active_count()) == before


# Latency.


def test_latencies_are_summed_up_by_rank():
    latencies = Latencies()
    for i in range(1, 101):
        latencies.add(i / 1000)
    assert (latencies.n, latencies.largest) == (100, 0.1)
    assert (latencies.below(0.5), latencies.below(0.95)) == (0.05, 0.095)
    assert in_words(latencies, 4) == (
        "100 frames read, 4 dropped (3.8%); "
        "latency p50 50.0 ms, p95 95.0 ms, max 100.0 ms"
    )  # fmt: skip


def test_nothing_has_no_latency():
    assert Latencies().below(0.5) is None
    assert in_words(Latencies(), 0) == "0 frames read, 0 dropped (0.0%)"


def test_the_memory_of_latencies_does_not_grow_with_the_run():
    latencies = Latencies()
    for i in range(100_000):
        latencies.add((i % 300) / 10_000)
    assert len(latencies._counts) == 300
