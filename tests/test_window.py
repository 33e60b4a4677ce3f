"""The window: what it shows, and what its keys do."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from watching import HEARD, a_step, evoked, has, person, pixels, two_people

from conftest import DEMO, ROOT, SHARED, skip_without_libraries, virtual_display
from tracker.handoff import background
from tracker.shading import LOWERS, RAISES

from PySide6.QtCore import QPoint, Qt  # isort: skip
from PySide6.QtGui import QColor, QPalette  # isort: skip
from PySide6.QtTest import QTest  # isort: skip
from PySide6.QtWidgets import QFileDialog, QScrollArea  # isort: skip
from tracker.gui.colours import AROUSAL, LEVEL, PEOPLE, PLEASANT, UNPLEASANT  # isort: skip

ARTIFACTS = ROOT / "artifacts"
REAL = SHARED / "clips" / "crying_woman_pexels.mp4"


def kept(window, name):
    """A picture of the window, where CI finds it; git does not."""
    ARTIFACTS.mkdir(exist_ok=True)
    assert window.grab().save(str(ARTIFACTS / name))


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["offscreen", "xcb"])
def test_1500_pictures_of_a_looped_clip_are_read_and_drawn(app, platform):
    """With the shipped networks; and no reference to None is lost in any of the calls."""
    ARTIFACTS.mkdir(exist_ok=True)
    picture = ARTIFACTS / f"window-real-{platform}.png"
    clip = REAL if REAL.exists() else DEMO
    command = [sys.executable, str(ROOT / "tests" / "looped.py"), str(clip), "1500", str(picture)]
    if platform == "xcb":
        command = [*virtual_display(), *command]
    ran = subprocess.run(
        command,
        env={**os.environ, "QT_QPA_PLATFORM": platform, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    skip_without_libraries(platform, ran)
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert (said["platform"], said["drawn"], said["failure"]) == (platform, 1500, "None")
    assert said["lost"] < 1000
    for pixels_of_each in said["people"].values():
        assert pixels_of_each
        assert min(pixels_of_each) > 60
    assert min(said["scene"]) > 60
    assert picture.stat().st_size > 10_000
    assert (said["threads"], said["files"]) == (["MainThread"], [])


def test_qt_loses_no_reference_to_none():
    """PySide6 6.12.0 on Python 3.11 does, in every call, and ends the process some time later."""
    code = """if True:
        import sys
        import tracker.gui
        import numpy as np, pyqtgraph as pg
        from tracker.gui.application import open_application
        app = open_application()
        plot = pg.PlotWidget(); curve = plot.plot(); plot.show()
        x = np.arange(100.0)
        for i in range(1050):
            if i == 50:
                before = sys.getrefcount(None)
            curve.setData(x, np.sin(x + i)); app.processEvents()
        print(before - sys.getrefcount(None))
    """
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) < 200


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
@pytest.mark.parametrize("light", [True, False])
def test_every_part_shows_what_it_is_for_in_light_and_in_dark(bench, size, light):
    shown = bench(size=size)
    window = shown.window
    if not light:
        palette = QPalette(QColor(45, 45, 45))
        palette.setColor(QPalette.ColorRole.Base, QColor(30, 30, 30))
        window.setPalette(palette)
    shown.show(*two_people(100, scene=evoked(9.0), audio=HEARD))
    for part in (window.picture, window.plot, window.plane):
        assert has(part, PEOPLE[0]) > 60
        assert has(part, PEOPLE[1]) > 60
    for part, colour in (
        *((window.scene, PLEASANT), (window.scene, UNPLEASANT), (window.scene, AROUSAL)),
        *((window.sound, LEVEL), (window.sound, AROUSAL)),
    ):
        assert has(part, colour) > 60
    for part in (window.plot, window.plane):
        ground = window.palette().color(QPalette.ColorRole.Base)
        assert has(part, ground, near=2) > pixels(part)[..., 0].size / 2
    kept(window, f"window-{size[0]}-{'light' if light else 'dark'}.png")


def test_without_a_scene_and_without_sound_the_panels_say_so(bench):
    shown = bench()
    shown.show(*two_people(3))
    assert "no scene model" in shown.window.scene.heading.text()
    assert "no sound" in shown.window.sound.heading.text()


def test_sound_that_has_gone_is_not_shown_as_if_it_went_on(bench):
    shown = bench()
    panel = shown.window.sound
    shown.show(a_step(0, audio=HEARD))
    height = panel.height()
    assert has(panel, LEVEL) > 50
    shown.show(a_step(1))
    assert has(panel, LEVEL) == 0
    assert panel.height() == height  # nothing jumps


def seen_of(window):
    """How much of somebody, of a scene and of sound there is in the parts that speak of now."""
    parts = (
        *((window.picture, PEOPLE[0]), (window.plane, PEOPLE[0])),
        *((window.scene, PLEASANT), (window.sound, LEVEL)),
    )
    return [has(part, colour) for part, colour in parts]


@pytest.fixture
def soon(monkeypatch):
    """A call that waits until the window has had no picture for long."""
    monkeypatch.setattr("tracker.gui.pace.WINDOW", 0.2)

    def wait(shown):
        time.sleep(0.3)
        shown.show()

    return wait


def test_of_a_lost_camera_the_last_readings_are_not_shown_as_if_they_were_of_now(bench, soon):
    shown = bench()
    window, step = shown.window, two_people(20, scene=evoked(1.0), audio=HEARD)
    shown.remote.live = True
    shown.show(*step)
    assert min(seen_of(window)) > 60
    shown.app.processEvents()  # the panels have found their heights
    heights = [part.height() for part in (window.scene, window.sound)]
    soon(shown)
    assert seen_of(window) == [0, 0, 0, 0]
    assert "waiting for a picture" in window.footer.numbers.text()
    assert "no face in view" in window.plot._legend.text()
    assert has(window.plot, PEOPLE[0]) > 60  # what was read stays in the curves
    assert [part.height() for part in (window.scene, window.sound)] == heights  # nothing jumps
    kept(window, "window-lost.png")
    shown.press(Qt.Key.Key_A)  # the map would draw the picture again
    assert seen_of(window) == [0, 0, 0, 0]
    shown.show(a_step(60, person(0), scene=evoked(6.0), audio=HEARD))
    assert min(seen_of(window)) > 50
    assert "no face in view" not in window.plot._legend.text()


@pytest.mark.parametrize("live", [True, False])
def test_a_picture_that_was_paused_or_belongs_to_a_slow_film_stays(bench, soon, live):
    shown = bench()
    shown.remote.live = live
    shown.remote.paused = live
    shown.show(*two_people(20, scene=evoked(1.0), audio=HEARD))
    soon(shown)
    shown.remote.paused = False
    shown.show()  # whoever goes on waits for the next picture, and sees the last one until then
    assert min(seen_of(shown.window)) > 60


def test_the_picture_is_the_frame_with_a_box_and_words_for_everyone(bench):
    shown = bench()
    shown.show(a_step(0, person(0), person(1)))
    picture = pixels(shown.window.picture)
    height, width = picture.shape[:2]
    scale = min(width / 640, height / 360)
    left, top = (width - 640 * scale) / 2, (height - 360 * scale) / 2
    assert tuple(picture[int(top + 300 * scale), int(left + 500 * scale)]) == (128, 128, 128)
    for track in (0, 1):
        line = picture[int(top + 110 * scale), :, :].astype(int)
        wanted = QColor(PEOPLE[track])
        rgb = (wanted.red(), wanted.green(), wanted.blue())
        found = [x for x in range(width) if abs(line[x] - rgb).max() < 40]
        edges = [left + (40 + 150 * track) * scale, left + (120 + 150 * track) * scale]
        assert [found[0], found[-1]] == pytest.approx(edges, abs=3)


def test_the_key_of_the_map_goes_through_what_there_is_to_explain(bench):
    shown = bench()
    shown.show(a_step(0, scene=evoked(0.0)))
    raises, lowers = (QColor(*rgb) for rgb in (RAISES, LOWERS))
    seen = []
    for _ in range(4):
        shown.press(Qt.Key.Key_A)
        seen.append([has(shown.window.picture, c, near=70) > 200 for c in (raises, lowers)])
    assert seen == [[True, True], [False, False], [True, False], [False, False]]


def test_a_model_without_maps_is_told(bench):
    shown = bench()
    shown.show(a_step(0, person(0)))
    shown.press(Qt.Key.Key_A)
    assert "no map" in shown.says()


def test_raw_curves_go_and_come_on_their_key(bench):
    shown = bench()
    shown.show(*two_people(100))
    both = has(shown.window.plot, PEOPLE[0], near=110)
    shown.press(Qt.Key.Key_C)
    assert has(shown.window.plot, PEOPLE[0], near=110) < both
    shown.press(Qt.Key.Key_C)
    assert has(shown.window.plot, PEOPLE[0], near=110) == both


def test_pause_and_record_are_asked_of_the_run_and_shown(bench):
    shown = bench()
    shown.show(a_step(0))
    for key, name, said in (
        (Qt.Key.Key_Space, "paused", "paused"),
        (Qt.Key.Key_R, "recording", "recording"),
    ):
        assert not getattr(shown.remote, name)
        shown.press(key)
        assert getattr(shown.remote, name)
        shown.show()
        assert (
            said in f"{shown.window.footer.numbers.text()} {shown.window.footer.recording.text()}"
        )
        shown.press(key)
        assert not getattr(shown.remote, name)


@pytest.mark.parametrize("light", [True, False])
def test_a_switch_that_is_on_can_be_told_from_one_that_is_off(bench, light):
    shown = bench()
    if not light:
        shown.window.setPalette(QPalette(QColor(45, 45, 45)))
    button = shown.window.controls.keys.widgetForAction(shown.window.controls.record)
    off = pixels(button).astype(int)
    shown.press(Qt.Key.Key_R)
    on = pixels(button).astype(int)
    assert np.abs(np.median(on - off, axis=(0, 1))).max() > 60
    assert np.ptp(on.max(axis=2)) > 80  # its words can be read
    shown.press(Qt.Key.Key_R)
    assert np.array_equal(pixels(button), off)


def test_the_last_line_says_how_fast_how_late_and_how_much_was_lost(bench, monkeypatch):
    shown, clock = bench(), [100.0]
    monkeypatch.setattr("tracker.gui.window.time.monotonic", lambda: clock[0])
    shown.remote.dropped = 7
    for i in range(31):
        clock[0] = 100 + i / 10
        shown.show(a_step(i))
    assert shown.window.footer.numbers.text() == (
        "10.0 frames/s   latency 20 ms (95 %: 20)   7 dropped"
    )
    clock[0] += 4  # a camera that is waited for
    shown.show()
    assert shown.window.footer.numbers.text() == "waiting for a picture   7 dropped"


def test_a_message_that_is_too_long_shows_that_it_goes_on(bench):
    shown = bench()
    message = shown.window.footer.message
    shown.remote.told.append("camera 0: back after 2.0 s")
    shown.show(a_step(0))
    assert message.seen() == message.text()
    shown.remote.told.append("camera 0: lost (no picture); waiting for it" * 5)
    shown.show(a_step(1))
    assert message.seen().endswith("\N{HORIZONTAL ELLIPSIS}")
    assert message.toolTip() == message.text()


def test_a_recording_that_the_run_could_not_begin_is_shown_as_none(bench):
    shown = bench()
    shown.press(Qt.Key.Key_R)
    shown.remote.recording = False
    shown.remote.told.append("here: no table can be written here")
    shown.show(a_step(0))
    assert not shown.window.controls.record.isChecked()
    assert shown.says() == "here: no table can be written here"


def test_a_note_is_of_the_moment_at_which_its_key_was_pressed(bench):
    shown = bench()
    shown.show(a_step(7))
    shown.press(Qt.Key.Key_M)
    line = shown.window.footer.note
    assert line.hasFocus()
    shown.show(a_step(8), a_step(9))
    QTest.keyClicks(line, "rams a nerve ")  # letters that are keys elsewhere
    assert not shown.remote.paused
    QTest.keyClick(line, Qt.Key.Key_Return)
    note = shown.remote.take_note()
    assert (note.pts, note.text) == (pytest.approx(0.7), "rams a nerve")
    assert shown.remote.take_note() is None
    assert not line.isVisible()


def test_escape_drops_a_note_and_an_empty_one_is_a_marker(bench):
    shown = bench()
    shown.show(a_step(0))
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Return):
        shown.press(Qt.Key.Key_M)
        QTest.keyClick(shown.window.footer.note, key)
    assert shown.remote.take_note().text == "marker"
    assert shown.remote.take_note() is None


def test_a_neutral_is_asked_of_the_run_and_its_countdown_shown(bench):
    shown = bench()
    shown.show(a_step(0))
    shown.press(Qt.Key.Key_N)
    assert shown.remote.neutral_wanted
    shown.remote.neutral_left = 7.2
    shown.show(a_step(1))
    assert "7 s more" in shown.says()


def test_a_neutral_that_has_to_wait_says_so(bench):
    shown = bench()
    shown.show(a_step(0))
    shown.press(Qt.Key.Key_Space)
    shown.press(Qt.Key.Key_N)
    assert "next new picture" in shown.says()


def test_a_snapshot_lies_where_the_run_says_and_is_not_taken_without_its_key(bench, tmp_path):
    shown = bench(place=lambda pts: tmp_path / f"out.{pts:.3f}s.png")
    shown.show(a_step(12))
    assert list(tmp_path.iterdir()) == []
    shown.press(Qt.Key.Key_S)
    (path,) = tmp_path.iterdir()
    assert path.name == "out.1.200s.png"
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_where_nobody_says_where_a_snapshot_goes_its_taker_does(bench, tmp_path):
    shown = bench()
    shown.show(a_step(0))
    shown.press(Qt.Key.Key_S)
    (asking,) = shown.window.findChildren(QFileDialog)
    asking.fileSelected.emit(str(tmp_path / "mine.png"))
    asking.reject()
    assert (tmp_path / "mine.png").stat().st_size > 1000


def test_a_film_can_be_moved_about_in_with_arrows_and_with_the_bar(bench):
    shown = bench()
    shown.remote.extent = (0.0, 60.0)
    shown.show(a_step(200))
    shown.press(Qt.Key.Key_Left)
    assert shown.remote.take_target() == pytest.approx(15.0)
    shown.press(Qt.Key.Key_Right)
    assert shown.remote.take_target() == pytest.approx(20.0)
    bar = shown.window.scrub
    assert bar.isVisible()
    QTest.mouseClick(bar.slider, Qt.MouseButton.LeftButton, pos=QPoint(bar.slider.width() - 3, 9))
    assert shown.remote.take_target() == pytest.approx(60.0, abs=0.5)
    bar.slider.setValue(bar.slider.maximum())
    bar.slider.sliderReleased.emit()
    assert shown.remote.take_target() == pytest.approx(59.9)  # beyond it there may be no frame
    shown.window.controls.move(-1.0)
    assert shown.remote.take_target() == 0.0


def test_jumps_that_follow_each_other_faster_than_pictures_add_up(bench, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("tracker.gui.controls.time.monotonic", lambda: now[0])
    shown = bench()
    shown.remote.extent = (0.0, 60.0)
    shown.show(a_step(300))
    for target in (25.0, 20.0, 15.0):
        shown.press(Qt.Key.Key_Left)
        assert shown.remote.take_target() == pytest.approx(target)
        shown.show(a_step(301))  # a picture that was on its way already
        now[0] += 0.3
    shown.show(a_step(152))
    now[0] += 2.0
    shown.press(Qt.Key.Key_Right)
    assert shown.remote.take_target() == pytest.approx(20.2)
    for _ in range(20):
        shown.press(Qt.Key.Key_Left)
    assert shown.remote.take_target() == 0.0
    shown.press(Qt.Key.Key_Right)
    assert shown.remote.take_target() == pytest.approx(5.0)


def test_a_camera_has_no_bar_and_no_arrows(bench):
    shown = bench()
    shown.show(a_step(200))
    shown.press(Qt.Key.Key_Left)
    assert shown.remote.take_target() is None
    assert not shown.window.scrub.isVisible()


def test_another_film_begins_with_empty_plots(bench):
    shown = bench()
    shown.show(*two_people(100))
    shown.show(a_step(0, source="other.mp4"))
    assert has(shown.window.plot, PEOPLE[1]) == 0
    assert "other.mp4" in shown.window.windowTitle()


def test_an_error_of_the_run_closes_the_window_and_is_kept(bench):
    shown = bench()
    shown.show(a_step(0))
    shown.pictures.finish(OSError("disk full"))
    shown.show()
    shown.show()
    assert str(shown.window.failure) == "disk full"
    assert not shown.window.isVisible()
    assert shown.remote.stopped


def test_the_window_closes_with_the_run(bench):
    shown = bench()
    shown.show(a_step(0))
    shown.pictures.finish()
    assert shown.window.isVisible()
    shown.show()
    assert not shown.window.isVisible()
    assert shown.window.failure is None


def test_the_window_answers_while_a_model_is_slow(bench):
    shown = bench()

    def slow():
        for i in range(100):
            time.sleep(0.3)
            yield a_step(i, person(0))

    with background(slow(), capacity=1, drop_oldest=True) as steps:
        shown.window._pictures = steps
        begin, turns = time.monotonic(), 0
        while time.monotonic() - begin < 1.5:
            shown.show()
            turns += 1
        shown.press(Qt.Key.Key_Space)
        assert shown.remote.paused
    assert turns > 10


def test_on_a_small_screen_the_panels_scroll_and_the_keys_are_the_windows_still(bench):
    shown = bench(size=(640, 440))
    shown.show(*two_people(50, scene=evoked(4.0), audio=HEARD))
    assert (shown.window.width(), shown.window.height()) == (640, 440)
    sound, bar = shown.window.sound, shown.window.findChild(QScrollArea).verticalScrollBar()
    assert sound.visibleRegion().boundingRect().height() < sound.height()
    QTest.mouseClick(shown.window.scene, Qt.MouseButton.LeftButton)
    shown.press(Qt.Key.Key_Space)
    assert shown.remote.paused
    bar.setValue(bar.maximum())
    shown.app.processEvents()
    assert sound.visibleRegion().boundingRect() == sound.rect()
    shown.window.resize(1280, 800)
    shown.app.processEvents()
    assert not bar.isVisible()


@pytest.mark.parametrize("factor", ["1.25", "1.5", "2"])
def test_a_scaled_screen_has_room_for_everything(factor):
    """On 1920 x 1080 at 200 % there are 960 x 540 points."""
    code = """if True:
        import tracker.gui
        from tracker.gui.application import open_application
        app = open_application()
        from watching import Bench, HEARD, evoked, two_people
        shown = Bench(app, size=(960, 540))
        shown.show(*two_people(50, scene=evoked(4.0), audio=HEARD))
        least = shown.window.minimumSizeHint()
        print(app.primaryScreen().devicePixelRatio(), least.width(), least.height())
        shown.window.grab().save(f"{__import__('sys').argv[1]}")
        shown.window.close()
    """
    ARTIFACTS.mkdir(exist_ok=True)
    picture = ARTIFACTS / f"window-scaled-{factor}.png"
    paths = os.pathsep.join([str(ROOT / "tests"), *sys.path])
    ran = subprocess.run(
        [sys.executable, "-c", code, str(picture)],
        env={**os.environ, "QT_SCALE_FACTOR": factor, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    ratio, width, height = map(float, ran.stdout.split())
    assert ratio == float(factor)
    assert (width, height) <= (960, 540)
    assert height <= 540
