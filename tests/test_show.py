"""`--show`: a run with its window, from the command line to the table that it leaves."""

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from typing import ClassVar

import cv2
import numpy as np
import pytest

from conftest import (
    DEMO,
    ROOT,
    skip_without_libraries,
    virtual_display,
    write_film,
    write_film_with_sound,
)
from tracker.cli import main
from tracker.models import open_shipped
from tracker.profile_file import load_profile
from tracker.sinks.once import Once
from tracker.sources import SourceError, open_source
from tracker.sources.camera import Camera, Lost

EMOTRACK = [sys.executable, "-m", "tracker"]
POLL = 30  # ms


def table(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def meta(path):
    return json.loads(path.with_suffix(".meta.json").read_text("utf-8"))


def free_port():
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def open_files():
    return {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
            if os.path.exists(f"/proc/self/fd/{fd}")}  # fmt: skip


@pytest.fixture
def emotrack(app):
    """Runs a command whose window does what a script says: it yields while it waits."""
    from PySide6.QtCore import QTimer

    from tracker.gui.window import Window

    def run(script, *words):
        acting = None

        def act():
            nonlocal acting
            shown = (w for w in app.topLevelWidgets() if isinstance(w, Window) and w.isVisible())
            window = next(shown, None)
            if window is None:
                return
            acting = acting or script(window)
            if next(acting, "done") == "done":
                timer.stop()
                window.close()

        timer = QTimer()
        timer.timeout.connect(act)
        timer.start(POLL)
        return main([str(word) for word in words])

    return run


def press(window, key):
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    QTest.keyClick(window, getattr(Qt.Key, f"Key_{key}"))


def until(condition):
    while not condition():
        yield "waiting"


def at(window, pts):
    """The picture of a time, or a later one, is drawn."""
    return lambda: window.shown is not None and window.shown.result.pts >= pts - 1e-3


def to_the_end(window):
    yield from until(lambda: window._remote.at_end)


def leave(window):
    yield from until(at(window, 0.4))


def test_a_watched_film_gives_the_table_that_an_unwatched_one_gives(emotrack, tmp_path):
    for name, words in (("seen", ["--show"]), ("unseen", [])):
        out = tmp_path / f"{name}.csv"
        command = emotrack if words else lambda script, *words: main([*map(str, words)])
        assert command(to_the_end, DEMO, "--csv", out, *words) == 0
    seen, unseen = table(tmp_path / "seen.csv"), table(tmp_path / "unseen.csv")
    assert [{k: v for k, v in row.items() if "note" not in k} for row in seen] == unseen
    assert meta(tmp_path / "seen.csv")["run"]["finished"]


def test_a_watched_film_is_heard_as_an_unwatched_one_is(emotrack, tmp_path):
    film = write_film_with_sound(tmp_path / "a.mp4", [0.6, 1.0], seconds=1.6)
    for name, words in (("seen", ["--show"]), ("unseen", [])):
        command = emotrack if words else lambda script, *words: main([*map(str, words)])
        out = tmp_path / f"{name}.csv"
        assert command(to_the_end, film, "--sound", "--csv", out, *words) == 0
    seen, unseen = table(tmp_path / "seen.csv"), table(tmp_path / "unseen.csv")
    assert [{k: v for k, v in row.items() if "note" not in k} for row in seen] == unseen
    assert max(float(row["audio_level"] or -99) for row in seen) > -35


def test_closing_the_window_finishes_the_table_and_leaves_nothing_behind(emotrack, tmp_path):
    before = open_files()
    assert emotrack(leave, DEMO, "--show", "--csv", tmp_path / "out.csv") == 0
    rows = table(tmp_path / "out.csv")
    run = meta(tmp_path / "out.csv")["run"]
    assert 0.4 <= float(rows[-1]["timestamp"]) < 5.5
    assert (run["rows"], run["finished"]) == (len(rows), False)
    assert [t for t in threading.enumerate() if t.name == "source"] == []
    assert {
        name for name in open_files() - before if str(tmp_path) in name or "demo" in name
    } == set()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "out.meta.json"]  # no picture


def test_no_thread_and_no_file_is_left_after_a_window_with_all_its_outputs(emotrack, tmp_path):
    for package in ("pythonosc", "websockets"):
        pytest.importorskip(package)
    film = write_film_with_sound(tmp_path / "a.mp4", [0.6, 1.0], seconds=8.0)

    def run(name):
        outputs = ["--csv", tmp_path / f"{name}.csv", "--osc", "127.0.0.1:9", "--ws", free_port()]
        assert emotrack(leave, film, "--live", "--show", "--sound", *outputs) == 0
        left = threading.enumerate()
        names = (f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd"))
        return left, sorted(os.readlink(name) for name in names if os.path.exists(name))

    assert run("first") == run("second")  # the first loads what is loaded once


def test_a_live_run_that_its_viewer_ends_is_finished(emotrack, tmp_path, capsys):
    assert emotrack(leave, DEMO, "--live", "--show", "--csv", tmp_path / "out.csv") == 0
    assert meta(tmp_path / "out.csv")["run"]["finished"]
    assert "latency p50" in capsys.readouterr().err


class Pulled:
    """A camera that shows one picture so often, and is then pulled out."""

    about: ClassVar = {"kind": "camera", "name": "Brio"}

    def __init__(self, image, pictures):
        self.image, self.left = image, pictures

    def read(self):
        time.sleep(0.03)
        if not self.left:
            raise Lost("no picture")
        self.left -= 1
        return self.image

    def close(self):
        pass


def test_a_camera_that_is_pulled_out_is_told_in_the_window_and_taken_up_again(
    emotrack, tmp_path, monkeypatch
):
    still = next(iter(open_source(DEMO))).image
    devices = [Pulled(still, 20), None, Pulled(still, 100_000)]

    def open_device():
        device = devices.pop(0)
        if device is None:
            raise SourceError("Brio: not there")
        return device

    def script(window):
        for said in ("Brio: lost (no picture); waiting for it", "Brio: back after"):
            yield from until(lambda said=said: said in window.footer.message.text())
        yield from until(lambda: [p.face.track for p in window.shown.result.people] == [1])

    out = tmp_path / "out.csv"
    monkeypatch.setattr("tracker.sources.camera.AGAIN", 0.3)
    monkeypatch.setattr(
        "tracker.commands.inputs.open_camera", lambda *_: Camera("Brio", open_device)
    )
    assert emotrack(script, "--webcam", "--csv", out) == 0
    assert [row["face_id"] for row in table(out)] == sorted(row["face_id"] for row in table(out))
    assert {row["face_id"] for row in table(out)} == {"0", "1"}
    (about,) = meta(out)["inputs"]
    ((lost, back),) = about["gaps"]
    times = [float(row["timestamp"]) for row in table(out)]
    assert back - lost >= 2 * 0.3
    assert not any(lost + 0.001 < pts < back for pts in times)
    assert meta(out)["run"]["finished"]


def test_a_camera_is_finished_if_its_window_is_closed_in_the_middle_of_a_row(
    emotrack, tmp_path, monkeypatch
):
    still, seen = next(iter(open_source(DEMO))).image, []

    class Slow(Once):
        def write(self, step):
            seen.append(step.result.index)
            time.sleep(0.1)
            super().write(step)

    def script(window):
        yield from until(lambda: len(seen) > 2)

    out = tmp_path / "out.csv"
    monkeypatch.setattr("tracker.commands.view.Once", Slow)
    camera = Camera("Brio", lambda: Pulled(still, 9999))
    monkeypatch.setattr("tracker.commands.inputs.open_camera", lambda *_: camera)
    assert emotrack(script, "--webcam", "--csv", out) == 0
    assert meta(out)["run"]["finished"]
    assert len(table(out)) == len(seen)


def test_a_note_and_a_snapshot_lie_in_and_beside_the_table(emotrack, tmp_path):
    def script(window):
        from PySide6.QtTest import QTest

        yield from until(at(window, 0.2))
        press(window, "M")
        QTest.keyClicks(window.footer.note, 'she said: "so, there"')
        marked.append(window.shown.result.pts)
        press(window.footer.note, "Return")
        press(window, "S")
        yield from until(at(window, marked[0] + 0.5))

    marked = []
    assert emotrack(script, DEMO, "--show", "--csv", tmp_path / "out.csv") == 0
    (noted,) = [row for row in table(tmp_path / "out.csv") if row["note"]]
    assert noted["note"] == 'she said: "so, there"'
    assert float(noted["note_timestamp"]) == pytest.approx(marked[0], abs=1e-6)
    assert float(noted["timestamp"]) >= marked[0]
    (picture,) = tmp_path.glob("*.png")
    assert picture.name.startswith("out.")


def test_recording_begins_and_stops_on_its_key_in_a_file_of_its_own(
    emotrack, tmp_path, monkeypatch
):
    def script(window):
        yield from until(at(window, 0.2))
        press(window, "R")
        yield from until(at(window, 1.0))
        press(window, "R")
        yield from until(at(window, 1.6))

    monkeypatch.chdir(tmp_path)
    assert emotrack(script, DEMO, "--show") == 0
    (out,) = tmp_path.glob("emotrack_*.csv")
    times = [float(row["timestamp"]) for row in table(out)]
    assert 0.2 <= times[0] < 0.9
    assert 0.9 < times[-1] < 1.55
    assert times == sorted(times)


def test_a_neutral_of_the_faces_in_view_calibrates_what_follows_and_is_saved(emotrack, tmp_path):
    face = cv2.ellipse(np.full((48, 64, 3), 120, np.uint8), (32, 24), (15, 20), 0, 0, 360, 200, -1)
    film = write_film(tmp_path / "still.mp4", [i / 10 for i in range(400)], picture=lambda i: face)

    def script(window):
        yield from until(at(window, 0.1))
        pressed.append(window.shown.result.pts)
        press(window, "N")
        yield from until(at(window, pressed[0] + 11.0))

    pressed = []

    out = tmp_path / "out.csv"
    assert emotrack(script, film, "--faces", "whole", "--show", "--csv", out) == 0
    rows = table(out)
    calibrated = [row for row in rows if row["valence_cal"]]
    assert 10.0 < float(calibrated[0]["timestamp"]) - pressed[0] < 11.0
    assert len(calibrated) > 1
    profile = load_profile(tmp_path / "out.profile.json")
    assert profile.networks.face == open_shipped("face-s").sha256
    rest = profile.people["me"].neutral
    for row in calibrated:
        assert float(row["valence_cal"]) == pytest.approx(
            float(row["valence"]) - rest.valence, abs=2e-4
        )
    assert "calibrated from" in " ".join(meta(out)["run"]["notes"])


def test_two_films_are_watched_one_after_the_other(emotrack, tmp_path):
    films = [write_film(tmp_path / f"{n}.mp4", [i / 25 for i in range(10)]) for n in "ab"]

    def script(window):
        yield from until(lambda: window.windowTitle().startswith("b.mp4"))
        yield from to_the_end(window)

    assert emotrack(script, *films, "--show", "--csv", tmp_path / "out.csv") == 0
    rows = table(tmp_path / "out.csv")
    assert [row["source"][-5:] for row in rows] == ["a.mp4"] * 10 + ["b.mp4"] * 10


def test_a_table_that_cannot_be_written_is_one_line_and_exit_2(emotrack, tmp_path, capsys):
    def wait(window):
        yield from until(lambda: False)

    assert emotrack(wait, DEMO, "--show", "--csv", tmp_path / "none" / "out.csv") == 2
    assert "cannot write" in capsys.readouterr().err


def test_a_sidecar_that_cannot_be_finished_once_the_window_is_closed_is_one_line_and_exit_3(
    emotrack, tmp_path, capsys
):
    def script(window):
        yield from leave(window)
        (tmp_path / "out.meta.json").unlink()
        (tmp_path / "out.meta.json").mkdir()

    assert emotrack(script, DEMO, "--show", "--csv", tmp_path / "out.csv") == 3
    assert "out.meta.json: cannot write" in capsys.readouterr().err  # and the table keeps its rows


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed there")
def test_a_folder_that_is_removed_meanwhile_ends_the_run_with_the_table_named(
    emotrack, tmp_path, capsys
):
    def script(window):
        yield from leave(window)
        shutil.rmtree(tmp_path / "out")
        yield from until(lambda: False)

    (tmp_path / "out").mkdir()
    assert emotrack(script, DEMO, "--show", "--csv", tmp_path / "out" / "out.csv") == 2
    assert "out.csv: was removed" in capsys.readouterr().err


def test_a_film_that_cannot_be_read_closes_the_window(emotrack, tmp_path, capsys):
    (tmp_path / "a.mp4").write_bytes(b"nothing")

    def wait(window):
        yield from until(lambda: False)

    assert emotrack(wait, tmp_path / "a.mp4", "--show") == 2
    assert "a.mp4" in capsys.readouterr().err


# What is missing.


def said(words, **environment):
    """Exit code and standard error of the command in an environment; None takes a name out."""
    named = {**os.environ, **environment}
    ran = subprocess.run(
        [*EMOTRACK, *map(str, words)],
        env={k: v for k, v in named.items() if v is not None},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return ran.returncode, ran.stderr


def test_without_the_extra_one_line_says_what_to_install():
    code = (
        "import sys; sys.modules['PySide6'] = None\n"
        "from tracker.cli import main\n"
        f"sys.exit(main([{str(DEMO)!r}, '--show']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "pip install 'emotrack[gui]'" in ran.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is a screen")
@pytest.mark.parametrize(
    "screen",
    [{}, {"DISPLAY": ":77"}, {"QT_QPA_PLATFORM": "nonsense"}],
)
def test_without_a_screen_one_line_says_so(app, screen):
    nowhere = {"DISPLAY": None, "WAYLAND_DISPLAY": None, "QT_QPA_PLATFORM": None}
    code, line = said([DEMO, "--show"], **{**nowhere, **screen})
    assert code == 2
    assert line.startswith("emotrack: no window can be opened: ")
    assert line.count("\n") == 1


def test_a_camera_is_read_without_a_window_where_there_is_no_screen():
    nowhere = {"DISPLAY": None, "WAYLAND_DISPLAY": None, "QT_QPA_PLATFORM": None}
    code, lines = said(["--webcam", "99"], **nowhere)
    assert code == 2
    first, second = lines.splitlines()
    assert first.endswith("; going on without")
    assert "camera 99" in second


@pytest.mark.parametrize(
    "words, line",
    [
        (["a.png", "--show"], "a.png is no film"),
        ([str(ROOT / "docs"), "--show"], "docs is no film"),
        (["a.mp4", "--show", "--no-window"], "exclude each other"),
    ],
)
def test_what_cannot_be_watched_is_a_wrong_command(words, line, capsys):
    with pytest.raises(SystemExit) as wrong:
        main(words)
    assert wrong.value.code == 2
    assert line in capsys.readouterr().err


# A screen, if only a virtual one.


def test_under_a_real_window_system_the_window_is_drawn_and_answers_its_keys(app, tmp_path):
    code = """if True:
        import sys
        import tracker.gui
        from tracker.gui.application import open_application
        app = open_application()
        from PySide6.QtCore import Qt
        from watching import Bench, HEARD, evoked, two_people
        shown = Bench(app)
        shown.show(*two_people(100, scene=evoked(9.0), audio=HEARD))
        shown.press(Qt.Key.Key_Space)
        whole = app.primaryScreen().grabWindow(shown.window.winId())
        whole.save(sys.argv[1])
        print(app.platformName(), shown.remote.paused, whole.width(), whole.height())
        shown.window.close()
    """
    artifacts = ROOT / "artifacts"
    artifacts.mkdir(exist_ok=True)
    paths = os.pathsep.join([str(ROOT / "tests"), *sys.path])
    ran = subprocess.run(
        [*virtual_display(), sys.executable, "-c", code, str(artifacts / "window-xvfb.png")],
        env={**os.environ, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": paths},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    skip_without_libraries("xcb", ran)
    assert (ran.returncode, ran.stdout.split()) == (0, ["xcb", "True", "1280", "800"]), ran.stderr


def test_a_program_of_somebody_else_holds_the_plots(app, monkeypatch):
    """examples/embed_qt.py, as it is."""
    from PySide6.QtCore import QTimer

    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    import embed_qt

    def look():
        (diary,) = (w for w in app.topLevelWidgets() if isinstance(w, embed_qt.Diary))
        times, _ = diary.plot._lines[0][0]._smooth.getData()
        if times is not None and len(times) and diary._results.ended:
            seen.append(times[-1])
            diary.grab().save(str(ROOT / "artifacts" / "embed.png"))
            timer.stop()
            diary.close()

    seen = []
    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(POLL)
    assert embed_qt.main(str(DEMO)) == 0
    assert len(seen) == 1
    assert [t for t in threading.enumerate() if t.name == "source"] == []


def test_a_program_that_embeds_our_plots_says_once_what_it_cannot_read(app, monkeypatch):
    from PySide6.QtCore import QTimer

    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    import embed_qt

    def look():
        (diary,) = (w for w in app.topLevelWidgets() if isinstance(w, embed_qt.Diary))
        said.append(diary.notes.toPlainText())
        if (said[-20:] == said[-1:] * 20 and "nowhere" in said[-1]) or len(said) == 1000:
            timer.stop()
            diary.close()

    said = []
    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(POLL)
    assert embed_qt.main("nowhere.mp4") == 0
    assert said[-1] == "my own notes\nnowhere.mp4: no such file or folder"
