"""The contact sheet: one page that holds everything it shows."""

import base64
import re
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import DEMO
from tiny_scene import PLACES, write_scene
from tracker.cli import main
from tracker.sinks.plane import REACH, SIDE, spread_out
from tracker.sinks.report import APART, MOST, Report
from tracker.values import Affect, Frame, FrameResult, Reading, SceneReading, Step


@pytest.fixture
def scenes(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("EMOTRACK_MODELS", str(folder))
    write_scene(folder)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, bgr in (("blue", (255, 0, 0)), ("red", (0, 0, 255)), ("<b>&.", (90, 90, 90))):
        cv2.imwrite(str(folder / f"{name}.png"), np.full((60, 90, 3), bgr, np.uint8))
    return folder


@pytest.fixture
def page(scenes, photos, tmp_path):
    out = tmp_path / "out.html"
    assert main([str(photos), "--scene", "scene-tiny", "--report", str(out)]) == 0
    return out.read_text("utf-8")


def test_every_photo_is_in_the_table_from_pleasant_to_unpleasant(page):
    rows = re.findall(r"<tr id=r\d+>.*?</tr>", page)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    assert [c[1] for c in cells] == ["red.png", "&lt;b&gt;&amp;..png", "blue.png"]
    valences = [float(c[2]) for c in cells]
    assert valences == sorted(valences, reverse=True)
    assert valences[0] > 0 > valences[-1]
    for label, score in (c[9].split() for c in cells):  # a weak guess must look like one
        assert label in PLACES
        assert 1 / len(PLACES) <= float(score) <= 1


def test_a_photo_stands_where_its_reading_lies(page):
    dots = [(float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', page)]
    told = re.findall(r"<title>([^<]*): valence ([+-][\d.]+), arousal ([+-][\d.]+)</title>", page)
    assert len(dots) == len(told) == 3
    byname = {name: (dot, float(v), float(a)) for dot, (name, v, a) in zip(dots, told, strict=True)}
    (x, y), valence, arousal = byname["red.png"]
    limit = valence / (2 * x / SIDE - 1)
    assert limit == pytest.approx(round(limit * 4) / 4, rel=0.02)
    assert arousal == pytest.approx((1 - 2 * y / SIDE) * limit, abs=0.01)
    assert byname["blue.png"][0][0] < SIDE / 2 < x


def test_no_picture_hides_a_dot_and_a_line_leads_from_each_to_its_picture(scenes, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(6):  # all alike: their dots are one, their pictures stand around it
        cv2.imwrite(str(folder / f"{i}.png"), np.full((60, 90, 3), (0, 0, 200), np.uint8))
    out = tmp_path / "out.html"
    assert main([str(folder), "--scene", "scene-tiny", "--report", str(out)]) == 0
    page = out.read_text("utf-8")
    over = page[page.index("class=over") :]
    assert over.count("<circle") == 6  # drawn last, so above
    assert "style=" not in over[: over.index("</svg>")]
    boxes = np.array(
        re.findall(r"left:([\d.]+)px;top:([\d.]+)px;width:([\d.]+)px;height:([\d.]+)", page)
    )
    left, top, width, height = boxes.astype(float).T
    lines = re.findall(r'<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)"/>', over)
    dots = set(re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', over))
    assert len(dots) == 1
    assert 0 < len(lines) < len(boxes) <= 6
    for x1, y1, x2, y2 in lines:
        assert (x1, y1) in dots
        x, y = np.abs(float(x2) - left - width / 2), np.abs(float(y2) - top - height / 2)
        outside = np.maximum(2 * x / width, 2 * y / height)
        assert outside.min() == pytest.approx(1, abs=0.01)  # on the edge of one, in none


def test_the_page_holds_its_pictures_and_asks_nobody_for_anything(page):
    thumbnails = re.findall(r"url\(data:image/jpeg;base64,([^)]+)\)", page)
    sizes = [
        cv2.imdecode(np.frombuffer(base64.b64decode(t), np.uint8), cv2.IMREAD_COLOR).shape
        for t in thumbnails
    ]
    assert sizes == [(60, 90, 3)] * 3
    assert not re.findall(r"https?:|src=|@import", page)
    assert "<b>" not in page


def test_a_film_is_shown_in_moments_with_their_times(scenes, tmp_path):
    out = tmp_path / "out.html"
    assert main([str(DEMO), "--scene", "scene-tiny", "--report", str(out)]) == 0
    times = sorted(float(t) for t in re.findall(r"<td class=n>(\d+\.\d{3})</td>", out.read_text()))
    assert times == pytest.approx([0.0, 2.0, 4.12], abs=0.3)
    assert "3 moments of demo.mp4" in out.read_text()
    assert str(DEMO.parent) not in out.read_text()


def step(pts, source="film.mp4", *, held=False):
    felt = Reading(Affect(0.1, pts % 1), Affect(0, 0))
    scene = SceneReading(pts - 0.1 if held else pts, felt, None, None, None)
    image = np.zeros((18, 32, 3), np.uint8)
    result = FrameResult(0, pts, 0.0, False, (), source, scene)
    return Step(Frame(0, pts, 0.0, image, source), result)


def times_of(path):
    return sorted(float(t) for t in re.findall(r"<td class=n>(\d+\.\d{3})</td>", path.read_text()))


def test_however_long_a_film_is_its_moments_are_few_and_even(tmp_path):
    for seconds in (100, 1000, 7200):
        path = tmp_path / f"{seconds}.html"
        with Report(str(path)) as report:
            for i in range(4 * seconds):
                report.write(step(i / 4))
        times = times_of(path)
        assert min(MOST, seconds / APART) / 2 <= len(times) <= MOST
        assert len({round(b - a, 3) for a, b in pairwise(times)}) == 1
        assert times[-1] > 0.9 * seconds


def test_a_held_look_is_no_new_moment(tmp_path):
    with Report(str(tmp_path / "a.html")) as report:
        report.write(step(0.0))
        report.write(step(5.0, held=True))
        report.write(step(9.0))
    assert times_of(tmp_path / "a.html") == [0.0, 9.0]


def test_a_page_of_a_stopped_run_has_what_was_read(tmp_path):
    report = Report(str(tmp_path / "a.html"))
    report.__enter__()
    report.write(step(0.0))
    report.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert "film.mp4" in (tmp_path / "a.html").read_text()


def test_a_folder_that_is_not_there_is_named_before_the_work(scenes, tmp_path, capsys):
    out = tmp_path / "nowhere" / "a.html"
    assert main([str(DEMO), "--scene", "scene-tiny", "--report", str(out)]) == 2
    assert f"{out}: cannot write" in capsys.readouterr().err


inside = st.floats(0, SIDE)


@given(st.lists(st.tuples(inside, inside), min_size=1, max_size=200), st.floats(36, 130))
def test_no_picture_covers_another_and_none_is_far_from_its_dot(points, cell):
    centres = spread_out(points, cell)
    placed = [c for c in centres if c is not None]
    assert len(set(placed)) == len(placed)
    for i, a in enumerate(placed):
        for b in placed[:i]:
            assert max(abs(a[0] - b[0]), abs(a[1] - b[1])) >= cell - 1e-6
    for point, centre in zip(points, centres, strict=True):
        if centre is not None:
            assert np.hypot(point[0] - centre[0], point[1] - centre[1]) <= REACH * cell
    assert centres[0] is not None
