"""Where in the picture a scene reading comes from, as a picture."""

import csv

import cv2
import numpy as np
import pytest

import tracker
from conftest import DEMO, write_film
from tiny_scene import write_scene
from tracker.cli import main
from tracker.shading import LOWERS, RAISES, against_each_other, shaded
from tracker.sinks.sheet import GAP, LINE, LONGEST, Moment, _fitted, _width, drawn
from tracker.values import EMOTIONS, Affect, Reading, SceneReading, Scores

HEAD = 2 * LINE  # px above a panel's picture


@pytest.fixture(autouse=True)
def tiny(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("EMOTRACK_MODELS", str(folder))
    write_scene(folder)
    return folder


def emotrack(*words):
    return main([*map(str, words), "--scene", "scene-tiny"])


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)


def panel(sheet, column, row, size_wh):
    """The picture of one panel."""
    width, height = size_wh
    x, y = column * (LONGEST + GAP) + GAP, row * (height + HEAD + GAP) + HEAD
    return sheet[y : y + height, x : x + width]


def test_the_sheet_shows_the_photo_and_what_raises_and_lowers_each_reading(tmp_path):
    photo = np.zeros((240, 480, 3), np.uint8)
    photo[:, :240], photo[:, 240:] = (255, 0, 0), (0, 0, 255)  # red pleases, blue does not
    cv2.imwrite(str(tmp_path / "a.png"), photo[:, :, ::-1])
    assert emotrack(tmp_path / "a.png", "--explain", tmp_path / "out.png") == 0
    sheet = read(tmp_path / "out.png")
    assert sheet.shape[1] == 3 * (LONGEST + GAP) + GAP
    assert np.array_equal(panel(sheet, 0, 0, (480, 240)), photo)
    valence = panel(sheet, 1, 0, (480, 240)).astype(int)
    left, right = valence[:, :100].mean((0, 1)), valence[:, -100:].mean((0, 1))
    assert left[0] > left[2] + 100
    assert right[2] > right[0] + 100


def test_of_a_film_the_strongest_look_is_drawn(tmp_path):
    reds = [40, 90, 255, 120]

    def picture(i):
        image = np.zeros((48, 64, 3), np.uint8)
        image[:, :, 0] = reds[i]
        return image

    film = write_film(tmp_path / "a.mp4", [0.0, 1.0, 2.0, 3.0], picture=picture)
    assert emotrack(film, "--explain", tmp_path / "out.png") == 0
    shown = panel(read(tmp_path / "out.png"), 0, 0, (480, 360))
    assert shown[:, :, 0].mean() > 220


def test_of_a_film_the_first_look_from_the_given_time_on_is_drawn(tmp_path):
    film = write_film(
        tmp_path / "a.mp4",
        [i / 10 for i in range(30)],
        picture=lambda i: np.full((48, 64, 3), 8 * i, np.uint8),
    )
    assert emotrack(film, "--explain", tmp_path / "out.png", "--explain-at", 1.55) == 0
    shown = panel(read(tmp_path / "out.png"), 0, 0, (480, 360))
    assert shown.mean() == pytest.approx(16 * 8, abs=4)


def test_a_table_beside_an_explained_time_is_whole(tmp_path):
    words = ["--explain", tmp_path / "out.png", "--explain-at", 0.5, "--csv", tmp_path / "out.csv"]
    assert emotrack(DEMO, *words) == 0
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text("utf-8").splitlines()))
    assert len({row["frame"] for row in rows}) == 150
    assert (tmp_path / "out.png").exists()


def test_explaining_changes_no_value(tmp_path):
    assert emotrack(DEMO, "--csv", tmp_path / "a.csv") == 0
    assert emotrack(DEMO, "--csv", tmp_path / "b.csv", "--explain", tmp_path / "b.png") == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize("size", [(1, 1), (5, 900), (900, 5)])
def test_pictures_of_any_shape_are_drawn(tmp_path, size):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((*size, 3), 120, np.uint8))
    assert emotrack(tmp_path / "a.png", "--explain", tmp_path / "out.jpg") == 0
    assert read(tmp_path / "out.jpg").shape[1] >= LONGEST


@pytest.mark.parametrize(
    "words, why",
    [
        (["--explain", "out.bmx"], "name a .png, .jpg or .webp file"),
        (["--report", "out.pdf"], "name a .html file"),
        (["--explain-at", "3"], "--explain-at needs --explain"),
        (["--explain", "nowhere/out.png"], "nowhere/out.png: cannot write"),
        (["--explain", "out.png", "--explain-at", "99"], "no frame between 99 s and its end"),
        (["--explain", "out.png", "--faces", "whole"], "with --faces whole there is none"),
        (["--explain", "out.png", "--csv", "out.png"], "out.png is named for two outputs"),
    ],
)
def test_what_cannot_be_explained_is_said_and_leaves_nothing(
    tmp_path, monkeypatch, capsys, words, why
):
    monkeypatch.chdir(tmp_path)
    try:
        code = main([str(DEMO), *words]) if "whole" in words else emotrack(DEMO, *words)
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    assert why in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))


def test_a_time_of_two_films_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        emotrack(DEMO, tmp_path / "b.mp4", "--explain", tmp_path / "out.png", "--explain-at", 1)
    assert "several inputs are given" in capsys.readouterr().err


def test_a_time_after_the_end_beside_a_table_is_said(tmp_path, capsys):
    words = ["--explain", tmp_path / "out.png", "--explain-at", 99, "--csv", tmp_path / "out.csv"]
    assert emotrack(DEMO, *words) == 3  # the table is whole
    assert "out.png: no picture at 99 s or later" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("name", ["explain", "report"])
def test_a_network_that_does_not_say_what_is_drawn_is_named(tmp_path, tiny, capsys, name):
    write_scene(tiny, "mute", outputs=["emotions"])
    out = tmp_path / {"explain": "out.png", "report": "out.html"}[name]
    assert main([str(DEMO), "--scene", "mute", f"--{name}", str(out)]) == 2
    lacking = {"explain": "maps", "report": "affect"}[name]
    assert f"{out}: mute does not say '{lacking}'" in capsys.readouterr().err
    assert main([str(DEMO), "--scene", "none", f"--{name}", str(out)]) == 2
    assert "no scene is read" in capsys.readouterr().err


def test_a_place_that_adds_nothing_stays_grey_and_the_most_is_the_densest():
    image = np.full((40, 40, 3), (200, 40, 90), np.uint8)
    added = np.zeros((4, 4), np.float32)
    added[0, 0], added[3, 3] = 2.0, -1.0
    laid = shaded(image, added).astype(int)
    assert len({*laid[0, -1]}) == 1
    assert np.abs(laid[0, 0] - RAISES).sum() < np.abs(laid[-1, -1] - LOWERS).sum()
    assert np.array_equal(shaded(image, 10 * added), laid)
    assert np.array_equal(shaded(image, 0 * added)[5, 5], laid[0, -1])


def test_what_adds_to_all_emotions_alike_explains_none():
    maps = np.random.default_rng(0).normal(size=(10, 3, 3)).astype(np.float32)
    alike = maps.copy()
    alike[2:] += np.arange(9, dtype=np.float32).reshape(3, 3)
    assert against_each_other(alike) == pytest.approx(against_each_other(maps), abs=1e-5)
    assert np.array_equal(against_each_other(maps)[:2], maps[:2])


@pytest.mark.parametrize("name", ["a" * 300 + ".mp4", "Фильм" * 40 + ".mp4", "caf\udce9.mp4"])
def test_a_name_of_any_length_and_script_leaves_room_for_the_time(name):
    title = _fitted(name, "  12.345 s", LONGEST)
    assert title.endswith(".mp4  12.345 s")
    assert title[:3] == name[:3]
    assert LONGEST - 30 < _width(title) <= LONGEST or title == f"{name}  12.345 s"
    scene = SceneReading(0.0, None, None, None, None, None)
    sheet = drawn(Moment(np.zeros((10, 10, 3), np.uint8), name, 12.345, scene))
    assert (sheet[:LINE, GAP : LONGEST + GAP] < 100).any()


def test_a_sheet_has_only_what_the_network_says():
    maps = np.ones((10, 2, 2), np.float32)
    felt = Reading(Affect(0.5, 0.1), Affect(0.5, 0.1))
    eight = Scores(EMOTIONS, (0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05))
    image = np.zeros((10, 10, 3), np.uint8)
    scenes = [
        SceneReading(0.0, affect, None, emotions, None, maps)
        for affect, emotions in ((felt, eight), (felt, None), (None, eight))
    ]
    heights = [drawn(Moment(image, "a", None, scene)).shape[0] for scene in scenes]
    assert heights[0] == heights[2] > heights[1]


def test_a_map_is_what_its_reading_adds_up_from():
    options = tracker.Options(scene="scene-tiny", maps=True)
    scene = next(iter(tracker.watch(DEMO, options))).scene
    assert np.tanh(scene.maps[0].mean()) == pytest.approx(scene.affect.raw.valence, abs=1e-5)
