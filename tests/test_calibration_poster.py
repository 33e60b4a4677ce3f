"""The poster's two steps: four classes of FER2013, then the raters of RECOLA on a set made here."""

import csv
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

import engines  # noqa: E402
from calibration.face.network import FaceNetwork, Shape  # noqa: E402
from calibration.face.pictures import SEVEN, UNKNOWN, Votes  # noqa: E402
from calibration.poster import four_classes, raters, recola  # noqa: E402
from calibration.poster.faces import Seen, Watched, examples_of, look  # noqa: E402
from calibration.poster.fit import Examples, Recipe, fit  # noqa: E402
from calibration.poster.network import (  # noqa: E402
    FOUR,
    OursNetwork,
    PosterNetwork,
    QuadrantPool,
    with_raters,
)
from calibration.poster.rater_files import predict, write_onnx, write_predictions  # noqa: E402
from calibration.poster.rater_scores import as_text, scores  # noqa: E402
from calibration.poster.recola import RATERS, RecolaError  # noqa: E402
from calibration.poster.train import as_text as four_as_text  # noqa: E402
from calibration.poster.train import table, train_ours, train_poster  # noqa: E402
from calibration.poster.views import ALONE, MIRRORED, TEN, View, answers, seen  # noqa: E402
from calibration.samples import run  # noqa: E402
from conftest import DEMO, write_film  # noqa: E402
from tracker.crops import Template  # noqa: E402
from tracker.detectors import open_detector  # noqa: E402
from tracker.models import SHIPPED, open_shipped  # noqa: E402
from tracker.values import Box, Detection  # noqa: E402

TINY = Recipe(epochs=3, rate=1e-3, patience=3, batch=8)
STEP = 0.04  # s, of the ratings
GIVEN = {  # section `input` of a card
    "size": [48, 48],
    "colour": "grey",
    "range": [0, 255],
    "crop": {"points": [[16, 19], [32, 19], [24, 27], [18, 35], [30, 35]], "box_scale": 1.2},
}


# --- what the tests are made of ---


@pytest.fixture(autouse=True)
def _one_thread():
    """Sums in another order differ in their last digit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def drawn(smile):
    """A face of 60 px in a picture of 96; smile: -1..1."""
    picture = np.full((96, 96, 3), 60, np.uint8)
    cv2.circle(picture, (48, 48), 30, (220, 180, 150), -1)
    for x in (38, 58):
        cv2.circle(picture, (x, 40), 4, (20, 20, 20), -1)
    depth = max(1, round(abs(smile) * 9))
    start, stop = (0, 180) if smile > 0 else (180, 360)
    cv2.ellipse(picture, (48, 60), (12, depth), 0, start, stop, (90, 10, 10), 3)
    return picture


def find(image):
    """A detector for `drawn`: the face is always in the middle, and a black picture has none."""
    return [Detection(Box(18, 18, 78, 78), 0.9)] if image.mean() > 20 else []


def smile_at(time):
    return np.sin(2 * np.pi * np.asarray(time) / 1.6)


def write_ratings(path, times, values, separator=";"):
    """The layout of the data: a column of seconds and six raters."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [separator.join(["time", *(f"{name} " for name in RATERS)])]  # blanks as in the data
    lines += [
        separator.join([f"{t:.2f}", *(f"{v:.6f}" for v in row)])
        for t, row in zip(times, values, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def write_recola(root, delay=0.4, seconds=1.6):
    """Five recordings; each rater sees the smile `delay` s late, in a way of their own."""
    times = np.arange(round((seconds + delay) / STEP) + 1) * STEP
    own = 0.3 + 0.1 * np.arange(len(RATERS))
    values = smile_at(times - delay)[:, None] * own - 0.05
    shown = np.arange(round(seconds / STEP)) * STEP
    (root / "recordings_video").mkdir(parents=True)
    for name in ("train_1", "train_2", "train_10", "dev_1", "test_1"):
        film = root / "recordings_video" / f"{name}.mp4"
        write_film(film, shown, size_wh=(96, 96), picture=lambda i: _shown(i, shown))
        if name != "test_1":
            write_ratings(root / "ratings_individual" / "valence" / f"{name}.csv", times, values)
    return root


def _shown(i, shown):
    return np.zeros((96, 96, 3), np.uint8) if i == 5 else drawn(smile_at(shown[i]))


def some_votes(labels, seed=0):
    """Pictures that differ by label, without a vote of their own."""
    rng = np.random.default_rng(seed)
    n = len(labels)
    images = rng.integers(90, 110, (n, 48, 48)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[6 * label : 6 * label + 6] = 200
    none = np.zeros(n, np.bool_)
    return Votes(images, np.zeros((n, 10), np.int64), np.array(labels), none, np.full(n, -1))


def some_classes():
    words = [SEVEN.index(word) for word in FOUR]
    training = four_classes.examples_of(some_votes(words * 8), four_classes.SMOOTHED)
    valid = four_classes.examples_of(some_votes([*words * 2, words[1]], seed=1), 1.0)
    return four_classes.FourClasses(training, valid)


# --- the network ---


def test_quadrant_pooling_keeps_the_largest_value_of_each_quarter():
    maps = torch.zeros(1, 2, 12, 12)
    maps[0, 0, 2, 3], maps[0, 0, 5, 6], maps[0, 0, 6, 5], maps[0, 0, 11, 11] = 1, 2, 3, 4
    maps[0, 1] = -1
    assert QuadrantPool()(maps).tolist() == [[[[1, 2], [3, 4]], [[-1, -1], [-1, -1]]]]


def test_the_posters_network_has_its_layers_and_no_others():
    network = PosterNetwork()
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters() if "weight" in name}
    assert list(shapes.values()) == [
        (64, 1, 5, 5),
        (128, 64, 5, 5),
        (256, 128, 5, 5),
        (200, 4 * 256),
        (4, 200),
    ]
    assert sum(p.numel() for p in network.parameters()) == 1_231_852
    crops = torch.rand(3, 1, 48, 48) * 255
    assert network.look(crops).shape == (3, 1024)
    assert network(crops).shape == (3, 4)


def test_crops_that_have_no_four_quarters_are_refused():
    with pytest.raises(ValueError, match="50 px"):
        PosterNetwork(size=50)


def test_a_new_linear_head_starts_near_the_mean_of_each_rater():
    network = PosterNetwork().eval()
    means = [0.1, -0.2, 0.3, 0.0, 0.05, -0.5]
    changed = with_raters(network, means).eval()
    crops = torch.rand(4, 1, 48, 48) * 255
    assert changed(crops).detach().numpy() == pytest.approx(np.tile(means, (4, 1)), abs=0.1)
    assert torch.equal(changed.look(crops), network.look(crops))
    assert torch.equal(changed.hidden.weight, network.hidden.weight)


def test_our_network_starts_with_its_own_opinion_of_the_four():
    face = FaceNetwork(Shape((8, 16), (1, 1))).eval()
    crops = torch.rand(2, 1, 48, 48) * 255
    rows = [SEVEN.index(word) for word in FOUR]
    ours = OursNetwork(face).eval()(crops)
    assert torch.allclose(ours, face(crops).seven[:, rows], atol=1e-6)


# --- four classes ---


def test_only_the_four_labels_are_kept_in_the_order_of_the_poster():
    labels = np.array([SEVEN.index(word) for word in SEVEN] + [UNKNOWN])
    assert four_classes.places_of(labels).tolist() == [0, -1, -1, 1, 2, -1, 3, -1]
    kept = four_classes.examples_of(some_votes(list(range(7))), 1.0)
    assert kept.targets.argmax(1).tolist() == [0, 1, 2, 3]
    assert kept.crops.shape == (4, 1, 48, 48)


def test_a_smoothed_label_leaves_a_tenth_to_all_four():
    kept = four_classes.examples_of(some_votes([SEVEN.index("happiness")]), 0.9)
    assert kept.targets[0].tolist() == pytest.approx([0.025, 0.925, 0.025, 0.025])


def test_the_table_shows_both_networks_and_the_constant_answer(tmp_path, monkeypatch):
    monkeypatch.setattr("calibration.poster.train.SHIPPED", Shape((8, 16), (1, 1)))
    data, recipe = some_classes(), replace(TINY, epochs=1)
    networks = {
        "poster": train_poster(data, tmp_path / "poster", recipe),
        "ours": train_ours(data, tmp_path / "ours", recipe, None),
    }
    rows = table(data, networks)
    ways = ["picture alone", "mirrored too", "ten views"]
    named = [f"{name}, {way}" for name in ("poster", "ours") for way in ways]
    assert [row.name for row in rows] == [*named, "always anger"]
    assert rows[-1].accuracy == pytest.approx(2 / 9)
    text = four_as_text(rows, data).splitlines()
    assert "all 9" in text[1]
    assert "unseen 4" in text[1]
    assert text[-2].split() == ["always", "anger", "0.2222", "0.0000"]


def test_our_training_can_start_from_the_face_networks_weights(tmp_path, monkeypatch):
    monkeypatch.setattr("calibration.poster.train.SHIPPED", Shape((8, 16), (1, 1)))
    data, face = some_classes(), FaceNetwork(Shape((8, 16), (1, 1)))
    (tmp_path / "face").mkdir()
    torch.save({"parts": {"best": {"weights": face.state_dict()}}}, tmp_path / "face" / "state.pt")
    recipe = replace(TINY, epochs=0)
    with pytest.raises(ValueError, match=r"state\.pt is missing"):
        train_ours(data, tmp_path / "ours", recipe, tmp_path / "nothing")
    trained = train_ours(
        data, tmp_path / "ours", replace(TINY, epochs=1, rate=1e-9), tmp_path / "face"
    )
    assert trained.face.affect.weight.tolist() == face.affect.weight.tolist()


# --- training ---


def test_a_crop_is_seen_moved_and_mirrored():
    crops = torch.arange(16.0).view(1, 1, 4, 4)
    moved = seen(crops, View(x=1, y=-1))[0, 0]
    assert moved.tolist()[0] == [4, 4, 5, 6]  # the row below, from the left edge
    assert moved.tolist()[3] == [12, 12, 13, 14]
    assert seen(crops, View(mirror=True))[0, 0].tolist()[0] == [3, 2, 1, 0]
    assert len(set(TEN)) == 10


def test_the_mean_over_views_is_what_counts():
    network = PosterNetwork().eval()
    crops = torch.randint(0, 255, (2, 1, 48, 48), dtype=torch.uint8)
    one = answers(network, crops, ALONE)
    other = answers(network, crops.flip(3), ALONE)
    assert torch.allclose(answers(network, crops, MIRRORED), (one + other) / 2, atol=1e-6)


def mean_light(outputs, targets):
    return (outputs - targets).square().mean()


def small_fit(folder, epochs, rows=32):
    """A regression on light, judged by its own error; `epochs` of a schedule for three."""
    light = torch.linspace(0, 1, rows)
    crops = (light * 200)[:, None, None, None].expand(rows, 1, 48, 48) + torch.arange(48.0)
    examples = Examples(crops.to(torch.uint8), light[:, None])

    def judge(network):
        if len(seen) == epochs:
            raise KeyboardInterrupt  # the computer is switched off
        seen.append(1)
        return {"score": float(len(seen))}

    seen = []
    return fit(lambda: PosterNetwork(1), TINY, examples, mean_light, judge, folder, {})


def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path):
    whole = small_fit(tmp_path / "whole", 3)
    with pytest.raises(KeyboardInterrupt):
        small_fit(tmp_path / "halves", 1)
    resumed = small_fit(tmp_path / "halves", 3)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    logs = [(tmp_path / f / "log.csv").read_text().splitlines() for f in ("whole", "halves")]
    assert len(logs[0]) == len(logs[1]) == 1 + TINY.epochs
    losses = [[row["loss"] for row in csv.DictReader(log)] for log in logs]
    assert losses[0] == losses[1]


def test_training_stops_when_the_last_epochs_brought_nothing(tmp_path):
    marks = [0.1, 0.5, 0.4, 0.3, 0.9]
    examples = Examples(torch.zeros(8, 1, 48, 48, dtype=torch.uint8), torch.zeros(8, 1))
    recipe = replace(TINY, epochs=5, patience=2)
    said = iter(marks)

    def judge(network):
        return {"score": next(said)}

    fit(lambda: PosterNetwork(1), recipe, examples, mean_light, judge, tmp_path, {})
    rows = list(csv.DictReader((tmp_path / "log.csv").read_text().splitlines()))
    assert [float(row["score"]) for row in rows] == marks[:4]


def test_fewer_pictures_than_a_batch_are_refused(tmp_path):
    with pytest.raises(ValueError, match="4 pictures do not fill a batch of 8"):
        small_fit(tmp_path, 1, rows=4)


# --- RECOLA ---


@pytest.mark.parametrize("separator", [";", ","])
def test_ratings_are_read_with_either_separator(tmp_path, separator):
    values = np.arange(12).reshape(2, 6) / 20
    write_ratings(tmp_path / "dev_3.csv", [0, 0.04], values, separator)
    ratings = recola.read_ratings(tmp_path / "dev_3.csv")
    assert ratings.times.tolist() == [0, 0.04]
    assert ratings.values == pytest.approx(values)


def test_columns_are_found_by_name(tmp_path):
    (tmp_path / "dev_1.csv").write_text(
        "FF3;time;FF2;FF1;FM3;FM2;FM1;note\n0.6;0.04;0.5;0.4;0.3;0.2;0.1;calm\n", "utf-8"
    )
    ratings = recola.read_ratings(tmp_path / "dev_1.csv")
    assert ratings.values.tolist() == [[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]]


def ramp(times):
    """Every rater says the time, in tenths."""
    times = np.asarray(times)
    return recola.Ratings(times, np.repeat(times[:, None] / 10, 6, 1))


def test_ratings_meet_frames_by_time_whatever_their_rates():
    ratings = ramp(np.arange(0, 8, 0.04))
    pts = np.array([0, 0.033, 1.001, 2.5])  # a film of another rate, with dropped frames
    assert ratings.of_frames(pts, 0)[:, 3] == pytest.approx(pts / 10)


def test_a_frame_gets_the_rating_given_some_seconds_later():
    ratings = ramp(np.arange(0, 8, 0.04))
    joined = ratings.of_frames(np.array([0.0, 3.0, 7.0]), 2.0)
    assert joined[:2, 0].tolist() == pytest.approx([0.2, 0.5])
    assert np.isnan(joined[2]).all()  # nobody rated after the end


def test_no_rating_is_invented_in_a_pause():
    ratings = ramp([0, 0.04, 0.08, 1.0, 1.04])
    known = np.isfinite(ratings.of_frames(np.array([0.06, 0.15, 0.5, 0.95, 1.0]), 0)).all(1)
    assert known.tolist() == [True, True, False, True, True]


def test_recordings_come_by_split_and_number(tmp_path):
    recordings = recola.read_recordings(write_recola(tmp_path), "valence")
    assert [(r.name, r.split) for r in recordings] == [
        ("train_1", "train"),
        ("train_2", "train"),
        ("train_10", "train"),
        ("dev_1", "dev"),
        ("test_1", "test"),
    ]
    assert [len(r.ratings.times) for r in recordings] == [51, 51, 51, 51, 0]


HEADER = "time;FM1;FM2;FM3;FF1;FF2;FF3\n"
ROW = ";0.1;0.1;0.1;0.1;0.1;0.1\n"


@pytest.mark.parametrize(
    "text, message",
    [
        ("time;FM1;FM2;FM3;FF1;FF2\n0;0;0;0;0;0\n", r"dev_1\.csv, line 1: no column 'FF3'"),
        (f"{HEADER}0{ROW}0.04{ROW}0.02{ROW}", r"dev_1\.csv, line 4: time 0\.02 s after 0\.04 s"),
        (f"{HEADER}0{ROW}0{ROW}", r"dev_1\.csv, line 3: time 0 s after 0 s does not rise"),
        (f"{HEADER}0;0;0;high;0;0;0\n", r"dev_1\.csv, line 2: FM3 is 'high', not a number"),
        (f"{HEADER}0;0;0;nan;0;0;0\n", r"dev_1\.csv, line 2: FM3 is 'nan', not a number"),
        (f"{HEADER}0;0;0;0;0;0;1.5\n", r"dev_1\.csv, line 2: FF3 is 1\.5, outside -1\.\.1"),
        (f"{HEADER}0{ROW}\n0.04;0.1\n", r"dev_1\.csv, line 4: 2 cells, the header has 7"),
        (HEADER, r"dev_1\.csv: no ratings below the header"),
    ],
)
def test_a_table_that_cannot_be_used_is_named_with_its_line(tmp_path, text, message):
    (tmp_path / "dev_1.csv").write_text(text, "utf-8")
    with pytest.raises(RecolaError, match=message):
        recola.read_ratings(tmp_path / "dev_1.csv")


def test_a_missing_folder_video_or_rating_file_is_named(tmp_path):
    with pytest.raises(RecolaError, match="valence: no such folder"):
        recola.read_recordings(tmp_path, "valence")
    write_recola(tmp_path)
    with pytest.raises(RecolaError, match="arousal: no such folder"):
        recola.read_recordings(tmp_path, "arousal")
    tables, videos = tmp_path / "ratings_individual" / "valence", tmp_path / "recordings_video"
    (videos / "dev_1.mp4").rename(tmp_path / "kept.mp4")
    with pytest.raises(RecolaError, match=r"dev_1\.csv: its video dev_1\.mp4 is missing"):
        recola.read_recordings(tmp_path, "valence")
    (tmp_path / "kept.mp4").rename(videos / "dev_1.mp4")
    (tables / "train_2.csv").unlink()
    with pytest.raises(RecolaError, match=r"train_2\.mp4: its valence ratings train_2\.csv"):
        recola.read_recordings(tmp_path, "valence")
    shutil.copy(tables / "dev_1.csv", tables / "copy of dev_1.csv")
    with pytest.raises(RecolaError, match=r"copy of dev_1\.csv: not named split_N"):
        recola.read_recordings(tmp_path, "valence")


# --- raters ---


def test_frames_without_a_face_or_a_rating_teach_nothing():
    rated = np.tile(np.arange(4.0)[:, None] / 10, (1, 6))
    rated[3] = np.nan
    crops = np.arange(3, dtype=np.uint8)[:, None, None, None].repeat(48, 2).repeat(48, 3)
    seen = Seen(np.arange(4.0), np.array([True, False, True, True]), crops)
    examples = examples_of([Watched("dev_1", "dev", seen, rated)], "dev")
    assert examples.targets[:, 0].tolist() == pytest.approx([0, 0.2])
    assert examples.crops[:, 0, 0, 0].tolist() == [0, 1]
    with pytest.raises(RecolaError, match="train split"):
        examples_of([Watched("dev_1", "dev", seen, rated)], "train")


def test_the_table_has_a_row_for_each_rater_with_the_constant_answer_beside():
    rated = np.linspace(-0.5, 0.5, 11)[:, None] * np.arange(1, 7) / 6
    said = rated + 0.1
    said[4] = np.nan
    rows = scores("dev", said, rated, [0.0] * 6)
    assert [(row.split, row.rater, row.n) for row in rows] == [("dev", r, 10) for r in RATERS]
    assert rows[0].ours["RMSE"] == pytest.approx(0.1)
    assert rows[0].ours["Pearson"] == pytest.approx(1)
    spread = np.delete(rated[:, 5], 4)
    assert rows[5].constant["RMSE"] == pytest.approx(np.sqrt((spread**2).mean()))
    lines = as_text(rows).splitlines()
    assert len(lines) == 2 + 6
    assert lines[2].split()[:3] == ["dev", "FM1", "10"]
    assert lines[2].split()[-2:] == ["n/a", "0.0000"]


def test_a_split_without_ratings_has_no_row():
    assert scores("test", np.zeros((3, 6)), np.full((3, 6), np.nan), [0.0] * 6) == []


def test_predictions_leave_cells_empty_where_no_face_was_found(tmp_path):
    said = np.array([[0.5] * 6, [np.nan] * 6])
    write_predictions(tmp_path / "new" / "dev_1.csv", np.array([0, 0.04]), said)
    lines = (tmp_path / "new" / "dev_1.csv").read_text().splitlines()
    assert lines == ["time,FM1,FM2,FM3,FF1,FF2,FF3", "0.000000" + ",0.500000" * 6, "0.040000,,,,,,"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")  # of the exporter about itself
def test_the_whole_second_step_runs_on_a_set_in_the_layout_of_recola(tmp_path, capsys):
    root, out = write_recola(tmp_path / "recola"), tmp_path / "out"
    torch.manual_seed(0)
    how = raters.Options(delay=0.4, recipe=replace(TINY, epochs=5, patience=5))
    rows = raters.build(root, PosterNetwork(), find, GIVEN, out, how)
    assert [row.split for row in rows] == ["train"] * 6 + ["dev"] * 6
    assert {row.n for row in rows if row.split == "dev"} == {39}  # one of 40 frames is black
    dev = next(row for row in rows if row.split == "dev" and row.rater == "FF3")
    assert dev.ours["RMSE"] < dev.constant["RMSE"]
    assert dev.ours["CCC"] > 0.3
    assert "test_1: 39 of 40 frames show a face" in capsys.readouterr().out
    with (out / "predictions" / "test_1.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 40
    assert table[5] == {"time": "0.200000"} | dict.fromkeys(RATERS, "")
    card = (out / "raters.json").read_text()
    assert '"delay": 0.4' in card
    assert "CCC FF3 of the constant answer" in card
    engine = engines.load(out / "raters.onnx", "onnx", max_batch=64)
    assert [(o.name, o.shape) for o in engine.outputs] == [("ratings", (6,))]
    again = predict(engine, look(root / "recordings_video" / "test_1.mp4", find, template()))
    engine.close()
    assert float(table[0]["FF3"]) == pytest.approx(again[0, 5], abs=1e-5)
    before = (out / "training" / "state.pt").read_bytes()
    again = raters.build(root, PosterNetwork(), find, GIVEN, out, how)  # nothing left to train
    assert as_text(again) == as_text(rows)
    assert (out / "training" / "state.pt").read_bytes() == before


def template():
    return Template.from_card(GIVEN)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")  # of the exporter about itself
def test_raters_are_predicted_for_a_real_face_through_our_detector(tmp_path):
    if not DEMO.is_file() or not (SHIPPED / "detector-s.onnx").is_file():
        pytest.skip("needs examples/demo.mp4 and the detector that ships")
    given = open_shipped("face-s").card["input"]
    detector = open_detector("builtin")
    seen = look(DEMO, detector, Template.from_card(given), every=0.2)
    detector.close()
    assert 15 <= seen.found.sum() < len(seen.pts)  # the second of three shots shows nobody
    network = with_raters(PosterNetwork(), [0.1] * 6).eval()
    write_onnx(network, torch.from_numpy(seen.crops), tmp_path / "raters.onnx")
    engine = engines.load(tmp_path / "raters.onnx", "onnx", max_batch=64)
    said = predict(engine, seen)
    engine.close()
    assert np.isfinite(said).all(1).tolist() == seen.found.tolist()
    with torch.no_grad():
        ours = network(torch.from_numpy(seen.crops).float()).numpy()
    assert said[seen.found] == pytest.approx(ours, abs=1e-3)


def test_the_command_names_what_is_wrong_in_one_line(tmp_path, monkeypatch, capsys):
    arguments = [str(tmp_path), "--network", str(tmp_path / "none"), "--out", str(tmp_path / "o")]
    monkeypatch.setattr("sys.argv", ["raters", *arguments])
    monkeypatch.setattr(raters, "open_detector", lambda name: find)
    threads = cv2.getNumThreads()
    with pytest.raises(SystemExit) as left:
        run(raters.main)
    cv2.setNumThreads(threads)
    assert left.value.code == 2
    assert "none: no training here" in capsys.readouterr().err
