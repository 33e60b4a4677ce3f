"""The scene beside the faces, as programs and the command line get it."""

import csv
import json

import cv2
import numpy as np
import pytest

import tracker
from conftest import DEMO, write_film
from tiny_scene import write_scene
from tracker.cli import main
from tracker.models import ModelError
from tracker.sinks.rows import columns, rows, text
from tracker.sources import open_source

HEADER = columns(scene=True)
OPTIONS = tracker.Options(scene="scene-tiny")


@pytest.fixture(autouse=True)
def tiny(tmp_path, monkeypatch):
    """The tiny network, as if somebody had trained their own."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("EMOTRACK_MODELS", str(folder))
    write_scene(folder)
    return folder


def lines(results):
    return [",".join(text(cells, HEADER)) for r in results for cells in rows(r, HEADER)]


def table(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def meta(path):
    return json.loads(path.with_suffix(".meta.json").read_text("utf-8"))


@pytest.fixture
def demo(tmp_path):
    out = tmp_path / "demo.csv"
    assert main([str(DEMO), "--scene", "scene-tiny", "--csv", str(out)]) == 0
    return out


def test_every_row_carries_the_latest_look_and_its_age(demo):
    seen = table(demo)
    for row in seen:
        now, look = float(row["timestamp"]), float(row["scene_timestamp"])
        assert float(row["scene_age"]) == pytest.approx(now - look, abs=2e-6)
        assert 0 <= now - look < 0.25
        if row["scene_cut"] == "1":
            assert now == look
    assert sum(row["scene_cut"] == "1" for row in seen) == 3
    readings = {(row["scene_timestamp"], row["scene_valence"]) for row in seen}
    assert len(readings) == len({row["scene_timestamp"] for row in seen})
    shown = [sum(float(row[f"scene_{name}"]) for name in tracker.EMOTIONS) for row in seen]
    assert shown == pytest.approx([1.0] * len(seen), abs=5e-4)


def test_the_command_the_loop_and_the_pushed_frames_give_equal_numbers(demo):
    written = demo.read_text("utf-8").splitlines()[1:]
    assert lines(tracker.watch(DEMO, OPTIONS)) == written
    with tracker.build(OPTIONS) as reader:
        pushed = [reader.push(frame.picture, frame.pts) for frame in open_source(DEMO)]
    assert lines(pushed) == written


def test_no_future_frame_changes_a_past_look():
    frames = list(open_source(DEMO))[:60]
    noise = np.random.default_rng(1).integers(0, 256, frames[0].image.shape, np.uint8)
    with tracker.build(OPTIONS) as reader:
        past = [reader.push(f.picture, f.pts) for f in frames[:40]]
        for f in frames[40:]:
            reader.push(noise, f.pts)
    with tracker.build(OPTIONS) as reader:
        assert lines(past) == lines([reader.push(f.picture, f.pts) for f in frames])[: len(past)]


def test_another_film_has_another_viewer(tmp_path):
    out = tmp_path / "out.csv"
    film = str(write_film(tmp_path / "a.mp4", [i / 10 for i in range(12)]))
    other = str(write_film(tmp_path / "b.mp4", [i / 10 for i in range(12)]))
    assert main([film, other, "--scene", "scene-tiny", "--csv", str(out)]) == 0
    seen = [{k: v for k, v in row.items() if k != "source"} for row in table(out)]
    assert seen[:12] == seen[12:]


def test_photos_are_each_looked_at_once(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name, colour in (("blue", (255, 0, 0)), ("red", (0, 0, 255))):
        cv2.imwrite(str(photos / f"{name}.png"), np.full((30, 40, 3), colour, np.uint8))
    out = tmp_path / "out.csv"
    assert main([str(photos), "--scene", "scene-tiny", "--csv", str(out)]) == 0
    blue, red = table(out)
    assert float(blue["scene_valence"]) < 0 < float(red["scene_valence"])
    for row in (blue, red):
        assert float(row["scene_valence"]) == pytest.approx(
            float(row["scene_valence_raw"]), abs=1e-4
        )
        assert (row["scene_age"], row["success"]) == ("0.000000", "0")


def test_the_sidecar_says_which_columns_stay_empty_and_why(demo, tiny, tmp_path):
    described = {column["name"]: column for column in meta(demo)["columns"]}
    assert "empty" not in described["scene_valence"]
    assert "raters are fitted to readings of faces" in described["scene_valence_cal"]["empty"]
    assert "neither a profile nor a baseline" in described["valence_cal"]["empty"]
    write_scene(tiny, "mute", outputs=["affect", "place"])
    out = tmp_path / "mute.csv"
    assert main([str(DEMO), "--scene", "mute", "--end", "0.5", "--csv", str(out)]) == 0
    empty = {c["name"]: c["empty"] for c in meta(out)["columns"] if "empty" in c}
    assert empty["scene_awe"] == empty["scene_positive"] == "mute does not say 'emotions'"
    assert empty["scene_valence_spread"] == "mute does not say 'spread'"
    first = table(out)[0]
    assert all((cell == "") >= (name in empty) for name, cell in first.items())
    assert first["scene_valence"] != ""
    assert {m["role"] for m in meta(out)["models"]} == {"detector", "face", "memory", "scene"}


def test_without_a_scene_there_are_no_scene_columns(tmp_path):
    out = tmp_path / "out.csv"
    assert main([str(DEMO), "--scene", "none", "--end", "0.2", "--csv", str(out)]) == 0
    assert not [name for name in table(out)[0] if name.startswith("scene_")]


def test_a_face_crop_is_no_scene(tmp_path, capsys):
    faces = tmp_path / "faces"
    faces.mkdir()
    cv2.imwrite(str(faces / "a.png"), np.full((48, 48), 90, np.uint8))
    with tracker.build(tracker.Options(scene="scene-tiny", faces="whole")) as reader:
        assert not reader.reads_scene
    with pytest.raises(SystemExit):
        main([str(faces), "--faces", "whole", "--scene", "scene-tiny"])
    assert "there is no scene to read" in capsys.readouterr().err


@pytest.mark.parametrize("role, other", [("scene", "face"), ("face", "scene"), ("memory", "face")])
def test_a_network_of_another_role_is_refused(role, other):
    why = rf"{other}-s\.onnx: its role is '{other}', expected '{role}'"
    with pytest.raises(ModelError, match=why):
        tracker.build(tracker.Options(**{role: f"{other}-s"}))


@pytest.mark.parametrize("name", ["/a/path", "*", "../face-s", ""])
def test_a_name_that_is_no_models_is_refused_whatever_it_holds(name):
    with pytest.raises(ModelError, match="no model is named"):
        tracker.build(tracker.Options(face=name))


def test_an_interval_below_0_is_refused():
    with pytest.raises(ValueError, match=r"scene_interval is -1\.0 s"):
        tracker.Options(scene_interval=-1.0)


def test_a_longer_interval_means_fewer_looks(tmp_path):
    out = tmp_path / "out.csv"
    words = [str(DEMO), "--scene", "scene-tiny", "--scene-interval", "1", "--end", "2.3"]
    assert main([*words, "--csv", str(out)]) == 0
    assert len({row["scene_timestamp"] for row in table(out)}) == 3


def test_maps_reach_a_program_that_asks_for_them():
    options = tracker.Options(scene="scene-tiny", maps=True)
    result = next(iter(tracker.watch(DEMO, options)))
    assert result.scene.maps.shape == (10, 4, 4)


def test_photos_of_any_shape_are_read_and_a_broken_one_does_not_stop_them(tmp_path, capsys):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name, size in (("dot", (1, 1)), ("wide", (120, 20_000)), ("tall", (3000, 7))):
        cv2.imwrite(str(photos / f"{name}.png"), np.full((*size, 3), 90, np.uint8))
    (photos / "cut.png").write_bytes((photos / "tall.png").read_bytes()[:-20])
    out = tmp_path / "out.csv"
    assert main([str(photos), "--scene", "scene-tiny", "--csv", str(out)]) == 3
    assert capsys.readouterr().err == (
        "emotrack: cut.png: not a readable picture: the file is cut off\n"
    )
    seen = table(out)
    assert [row["source"] for row in seen] == ["dot.png", "tall.png", "wide.png"]
    assert len({row["scene_valence"] for row in seen}) == 1
    assert meta(out)["run"]["errors"] == 1


def test_the_shipped_network_runs_unless_it_is_left_out(tmp_path):
    with tracker.build() as reader:
        (scene,) = [model for model in reader.models if model.role == "scene"]
    assert (scene.name, scene.lacks) == ("scene-s", ())
    assert tracker.Options().scene == "scene-s"


def test_the_shipped_maps_add_up_to_the_shipped_readings():
    result = next(iter(tracker.watch(DEMO, tracker.Options(maps=True))))
    scene = result.scene
    summed = scene.maps.mean((1, 2))
    assert summed[:2] == pytest.approx(
        [scene.affect.raw.valence, scene.affect.raw.arousal], abs=1e-3
    )
    felt = np.exp(summed[2:]) / np.exp(summed[2:]).sum()
    assert felt == pytest.approx(scene.emotions.values, abs=1e-3)
