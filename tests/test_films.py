"""MediaEval 2018: a tiny set in the real layout, the three networks, and ours on the films."""

import math
from dataclasses import replace

import numpy as np
import pytest

import tracker
from conftest import DEMO, SHARED, write_film, write_film_with_sound
from tiny_scene import PLACES, write_scene

torch = pytest.importorskip("torch")

from calibration.films import train as teaching  # noqa: E402
from calibration.films.descriptors import (  # noqa: E402
    VISUAL,
    WIDTH,
    Film,
    missing,
    read_film,
    read_labels,
)
from calibration.films.fit import Recipe, answers, fit  # noqa: E402
from calibration.films.heard import heard  # noqa: E402
from calibration.films.layout import SETS, FilmError, find_films  # noqa: E402
from calibration.films.networks import (  # noqa: E402
    Convolutional,
    FullyConnected,
    Recurrent,
    Scaled,
)
from calibration.films.ours import seconds_of, watch_film  # noqa: E402
from calibration.films.scores import Answers, constant, score  # noqa: E402
from calibration.traces.tables import TraceError  # noqa: E402
from tracker.sources import open_source  # noqa: E402

SECONDS = 24
THREE = (FullyConnected, Recurrent, Convolutional)
QUICK = Recipe(epochs=3, batches=20, windows=3, seconds=12, learning_rate=3e-3)
ARFF = "@relation SMILEfeatures\n\n@attribute name string\n{}@attribute class numeric\n\n@data\n\n"
CLIPS = (  # where the data folder is; else the demo stands for every film
    "asl_book.mkv",
    "asl_thanks.mkv",
    "chaplin.mp4",
    "no_face.mp4",
    "single_face.mp4",
    "asl_hungry.mkv",
)


def part_of(number):
    return next(part for part, numbers in SETS.items() if number in numbers)


def write_labels(root, number, affect, first=0):
    folder = root / f"MEDIAEVAL18-{part_of(number)}-Valence_Arousal-annotations" / "annotations"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [f"{first + i}\t{v:.6f}\t{a:.6f}\n" for i, (v, a) in enumerate(affect)]
    path = folder / f"MEDIAEVAL18_{number:02}_Valence-Arousal.txt"
    path.write_text("Time\tValence\tArousal\n" + "".join(rows), "utf-8")
    return path


def write_second(root, number, second, mood, rng):
    """Eleven pictures' descriptors and the sound's, which know the mood (2,) and little else."""
    name, part = f"MEDIAEVAL18_{number:02}", part_of(number)
    for kind, width in VISUAL.items():
        folder = root / f"MEDIAEVAL18-{part}-Visual_features" / "visual_features" / name / kind
        folder.mkdir(parents=True, exist_ok=True)
        values = 10 + 5 * np.resize(mood, width) + rng.normal(0, 1, width)
        text = ",".join(f"{v:.2f}" for v in values)
        (folder / f"{name}-{second:05}_{kind}.txt").write_text(text + "\n", "utf-8")
    folder = root / f"MEDIAEVAL18-{part}-Audio_features" / "audio_features" / name
    folder.mkdir(parents=True, exist_ok=True)
    numbers = ",".join(f"{v:.2f}" for v in [second, *rng.normal(0, 1, 1581)])
    head = ARFF.format("@attribute pcm_loudness_sma_maxPos numeric\n" * 1582)
    (folder / f"{name}_{second:05}.csv").write_text(f"{head}'noname',{numbers},?\n", "utf-8")


def moods(number, seconds=SECONDS):
    t = np.arange(seconds) + 7 * number
    return np.column_stack([np.sin(t / 3), np.cos(t / 4)]) * 0.4 - 0.3


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Five films to learn from (the fifth checks) and one to be tested on, with every file."""
    root = tmp_path_factory.mktemp("mediaeval")
    rng = np.random.default_rng(0)
    for number in (0, 1, 14, 15, 44, 54):
        affect = moods(number)
        write_labels(root, number, affect)
        for second, mood in enumerate(affect, start=1):
            write_second(root, number, second, mood, rng)
    return root


def made(number, seconds=40, width=WIDTH):
    """A film in memory whose first columns know the mood."""
    affect = moods(number, seconds).astype(np.float32)
    x = np.random.default_rng(number).normal(0, 1, (seconds, width)).astype(np.float32)
    x[:, : 2 * (width // 4)] = np.tile(affect * 3, width // 4)
    return Film(f"made {number}", x, affect)


def untouched(width=WIDTH):
    return Scaled(torch.zeros(width), torch.ones(width))


# --- the layout ---


def test_films_are_found_in_their_sets_and_have_their_roles(tiny):
    films = find_films(tiny)
    assert [(film.name[-2:], film.role) for film in films] == [
        *(("00", "train"), ("01", "train"), ("14", "train"), ("15", "train")),
        *(("44", "check"), ("54", "test")),
    ]
    assert all(film.visual and film.audio and film.video is None for film in films)


def test_a_folder_unpacked_into_one_of_its_own_name_is_found(tmp_path):
    name = "MEDIAEVAL18-TestSet-Valence_Arousal-annotations"
    path = write_labels(tmp_path / name, 54, moods(54))
    assert path.parts[-4] == path.parts[-3] == name or path.parts[-4] == name
    for number in range(5):
        write_labels(tmp_path, number, moods(number))
    assert find_films(tmp_path)[-1].labels == path


def test_a_set_without_labels_or_without_test_films_is_refused(tmp_path):
    with pytest.raises(FilmError, match="no labels; the first looked for in the test set is"):
        find_films(tmp_path)
    write_labels(tmp_path, 3, moods(3))
    with pytest.raises(FilmError, match="no film to check with, only MEDIAEVAL18_03"):
        find_films(tmp_path)


def test_a_row_holds_its_picture_and_only_sound_that_is_past(tiny):
    film = read_film(find_films(tiny)[0])
    assert film.x.shape == (SECONDS, 6949)
    assert film.affect == pytest.approx(moods(0), abs=1e-5)
    first = 10 + 5 * film.affect[:, 0]
    assert np.abs(film.x[:, :256:2].mean(1) - first).max() < 1  # acc: no row shifted
    sound = film.x[:, 5367]  # the file's own number: the middle of its five seconds
    assert np.isnan(sound[:3]).all()
    assert sound[3:].tolist() == [float(k - 3) for k in range(4, SECONDS + 1)]


def test_the_known_holes_of_the_set_are_gaps_and_are_counted(tiny, tmp_path):
    film = find_films(tiny)[-1]
    visual = tmp_path / film.name
    for kind in VISUAL:
        (visual / kind).mkdir(parents=True)
        for path in sorted((film.visual / kind).iterdir()):
            (visual / kind / path.name).write_bytes(path.read_bytes())
    (visual / "cl" / f"{film.name}-00006_cl.txt").write_text("", "utf-8")  # as of film 27
    for path in (visual / "jcd").iterdir():  # as of film 18
        path.unlink()
    read = read_film(replace(film, visual=visual, audio=None))
    assert missing(read) == [
        "MEDIAEVAL18_54: cl missing in 1 of 24 s",
        "MEDIAEVAL18_54: jcd missing in 24 of 24 s",
        "MEDIAEVAL18_54: audio missing in 21 of 24 s",
    ]
    said, _ = Recurrent(untouched()).eval()(torch.from_numpy(read.x)[None])
    assert torch.isfinite(said).all()


@pytest.mark.parametrize(
    "kind, name, text, wrong",
    [
        ("cl", "cl/{}-00002_cl.txt", "1,2,3\n", "00002_cl.txt: 3 numbers, expected 33"),
        ("cl", "cl/{}-00002_cl.txt", ",".join(["x"] * 33), "00002_cl.txt: could not convert"),
    ],
)
def test_a_file_that_is_no_descriptor_is_named(tiny, tmp_path, kind, name, text, wrong):
    film = find_films(tiny)[0]
    path = tmp_path / name.format(film.name)
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    with pytest.raises(FilmError, match=wrong):
        read_film(replace(film, visual=tmp_path, audio=None))


def test_a_sound_file_without_its_row_is_named(tiny, tmp_path):
    film = find_films(tiny)[0]
    (tmp_path / f"{film.name}_00001.csv").write_text("@relation x\n@data\n", "utf-8")
    with pytest.raises(FilmError, match=r"00001\.csv: no row below @data"):
        read_film(replace(film, visual=None, audio=tmp_path))


def test_labels_may_begin_at_any_second_and_have_gaps(tmp_path):
    path = write_labels(tmp_path, 0, [(0.1, 0.2), (0.3, 0.4)], first=1)
    assert read_labels(path) == pytest.approx(np.array([[0.1, 0.2], [0.3, 0.4]]))
    path.write_text("Time\tValence\tArousal\n0\t0.1\t0.2\n2\tNaN\t0.4\n", "utf-8")
    found = read_labels(path)
    assert np.isnan(found).tolist() == [[False, False], [True, True], [True, False]]


@pytest.mark.parametrize(
    "text, wrong",
    [
        ("Time\tValence\tArousal\n0\t0.1\t0.2\n0.5\t0.1\t0.2\n", "0.5 s, not whole seconds after"),
        ("Time\tValence\tArousal\n0\t0.1\t0.2\n1\t1.5\t0.2\n", "a label of 1.5, outside"),
        ("Time\tValence\n0\t0.1\n", "no arousal"),
        ("Time\tValence\tArousal\n2\t0.1\t0.2\n1\t0.1\t0.2\n", "line 3: Time is '1', before"),
        ("Time\tValence\tArousal\n0\tlow\t0.2\n", "line 2: Valence is 'low', not a number"),
    ],
)
def test_labels_that_cannot_be_meant_are_refused(tmp_path, text, wrong):
    path = tmp_path / "MEDIAEVAL18_00_Valence-Arousal.txt"
    path.write_text(text, "utf-8")
    with pytest.raises((FilmError, TraceError), match=wrong):
        read_labels(path)


# --- the networks ---


@pytest.mark.parametrize("build", THREE)
def test_nothing_later_changes_an_answer(build):
    torch.manual_seed(0)
    network = build(untouched()).eval()
    x = torch.randn(1, 12, WIDTH)
    other = torch.cat([x[:, :7], torch.randn(1, 5, WIDTH)], dim=1)
    with torch.no_grad():
        one, two = network(x)[0], network(other)[0]
    assert torch.allclose(one[:, :7], two[:, :7], atol=1e-6)
    assert not torch.allclose(one[:, 7:], two[:, 7:], atol=1e-3)


@pytest.mark.parametrize("build", THREE)
def test_a_film_in_two_parts_is_read_as_a_whole_one(build):
    torch.manual_seed(0)
    network = build(untouched()).eval()
    x = torch.randn(1, 10, WIDTH)
    with torch.no_grad():
        whole, _ = network(x)
        first, state = network(x[:, :4])
        second, _ = network(x[:, 4:], state)
    assert torch.allclose(whole, torch.cat([first, second], dim=1), atol=1e-6)


@pytest.mark.parametrize("build", THREE)
def test_negative_labels_can_be_answered_which_a_last_relu_forbids(build, tmp_path):
    width = WIDTH if build is Convolutional else 32  # only that one knows what is where
    films = [made(number, width=width) for number in range(4)]
    network = fit("made", build, films[:2], films[2:3], QUICK, tmp_path)
    (said,) = answers(network, films[3:])
    below = said.truth[:, 0] < -0.3
    assert (said.said[below, 0] < 0).mean() > 0.9
    ours = score([said])[0].mse
    with_relu = score([replace(said, said=np.maximum(said.said, 0))])[0].mse
    assert ours < 0.5 * with_relu


def test_the_convolutions_walk_over_places_and_colours_as_they_lie():
    network = Convolutional(untouched()).eval()
    x = torch.zeros(1, 1, WIDTH)
    seen = {}
    network.along["acc"].register_forward_hook(lambda m, given, out: seen.update(acc=given[0]))
    network.over.register_forward_hook(lambda m, given, out: seen.update(eh=given[0]))
    x[0, 0, 4 * 10 + 3] = 1.0  # acc: colour 10, distance 3
    x[0, 0, 433 + 5 * (4 * 2 + 1) + 4] = 1.0  # eh: place (2, 1), direction 4
    network(x)
    assert seen["acc"].shape == (1, 4, 64)
    assert seen["acc"].nonzero().tolist() == [[0, 3, 10]]
    assert seen["eh"].nonzero().tolist() == [[0, 4, 2, 1]]


# --- training and the table ---


def test_scores_are_means_over_films_and_constants_have_no_r():
    one = Answers("a", np.zeros((3, 2), np.float32), np.full((3, 2), 0.2, np.float32))
    t = np.linspace(-1, 1, 5, dtype=np.float32)[:, None].repeat(2, axis=1)
    two = Answers("b", t, t)
    valence, _ = score([one, two])
    assert (valence.mse, valence.pearson) == pytest.approx((0.02, 1.0))
    assert math.isnan(constant([t], [two])[1].pearson)
    assert constant([t], [two])[1].mse == pytest.approx(float((t**2).mean()))


def test_an_interrupted_training_ends_as_a_whole_one(tmp_path, monkeypatch):
    films = [made(number, width=8) for number in range(3)]
    short = replace(QUICK, epochs=3)
    whole = fit("made", Recurrent, films[:2], films[2:], short, tmp_path / "whole")
    drawn = []

    def pull_the_plug(*given):
        drawn.append(1)
        if len(drawn) == 20:  # in the middle of the second epoch
            raise KeyboardInterrupt
        return windows(*given)

    windows = fit.__globals__["_windows"]
    monkeypatch.setattr("calibration.films.fit._windows", pull_the_plug)
    with pytest.raises(KeyboardInterrupt):
        fit("made", Recurrent, films[:2], films[2:], short, tmp_path / "cut")
    monkeypatch.undo()
    resumed = fit("made", Recurrent, films[:2], films[2:], short, tmp_path / "cut")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


@pytest.mark.slow
def test_the_three_networks_learn_the_tiny_set_and_stand_beside_the_contest(
    tiny, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(teaching, "Recipe", lambda: QUICK)
    monkeypatch.setattr("sys.argv", ["train", "--data", str(tiny), "--runs", str(tmp_path)])
    teaching.main()
    said = capsys.readouterr().out
    assert "no row 'LSTM on our own networks': the films themselves are not there" in said
    rows = {line[:34].strip(): line[34:].split() for line in said.splitlines() if "0." in line}
    assert rows["best entry, each column"] == ["0.0837", "0.3048", "0.1334", "0.3358"]
    assert rows["constant mean"] == ["0.1334", "n/a", "0.1373", "n/a"]
    least = [float(rows["constant mean, training films"][i]) for i in (0, 2)]
    for name in ("LSTM", "CNN and LSTM"):
        valence, r, arousal, _ = map(float, rows[name])
        assert valence < 0.7 * least[0], name
        assert arousal < 0.7 * least[1], name
        assert r > 0.7, name
    assert float(rows["fully connected"][1]) > 0.2  # sixty steps are few for it


# --- our own networks on the films ---


def test_a_second_of_film_holds_what_the_face_network_knows_and_nothing_later():
    faces = tracker.Options(scene=None)
    rows = seconds_of(DEMO, 8, faces)  # 6 s of film, one face, none in it at about 3 s
    assert rows.shape[1] > 200
    assert np.isfinite(rows[0]).all()
    assert rows[0, -2] == 1
    assert np.isnan(rows[6:]).all()  # the film is over
    assert np.array_equal(seconds_of(DEMO, 2, faces), rows[:2])


def test_a_second_of_film_holds_what_the_scene_network_says_of_it(tmp_path):
    card = write_scene(tmp_path)
    rows = seconds_of(DEMO, 2, tracker.Options(scene=str(card)))
    without = seconds_of(DEMO, 2, tracker.Options(scene=None))
    assert np.array_equal(rows[:, : without.shape[1]], without, equal_nan=True)
    scene = rows[:, without.shape[1] :]
    assert scene.shape == (2, 2 + 2 + 8 + len(PLACES))
    assert np.isfinite(scene).all()
    assert scene[:, 4:12].sum(1) == pytest.approx(1, abs=1e-5)


def test_a_second_of_film_holds_its_own_sound_and_no_later_one(tmp_path):
    pcm = ("pcm_s16le", 0.0)
    film = write_film_with_sound(tmp_path / "a.mkv", [2.5], seconds=5.0, audio=pcm)
    first = next(iter(open_source(film)))
    rows = heard(film, first, 6)
    assert rows.shape == (6, 80)
    assert np.nanargmax(rows[:, 40:].mean(1)) == 2  # a click in the third second
    assert np.isnan(rows[5]).all()
    assert np.array_equal(heard(film, first, 3), rows[:3])
    silent = write_film(tmp_path / "b.mp4", [0.0, 0.5, 1.0])
    assert np.isnan(heard(silent, next(iter(open_source(silent))), 2)).all()


def test_what_the_sound_network_says_stands_before_the_sound_itself(tmp_path):
    film = write_film_with_sound(tmp_path / "a.mkv", [1.5], seconds=3.0)
    with_sound = tracker.Options(scene=None, sound="sound-s")
    rows = seconds_of(film, 3, with_sound)
    without = seconds_of(film, 3, tracker.Options(scene=None))
    assert rows.shape[1] == without.shape[1] + 4 + 80
    level, voice = rows[:, without.shape[1]], rows[:, without.shape[1] + 1]
    assert level[1] > level[0]
    assert ((voice >= 0) & (voice <= 1)).all()


def test_a_film_that_is_not_there_is_said(tiny):
    with pytest.raises(FilmError, match="MEDIAEVAL18_00: no film to watch beside its labels"):
        watch_film(find_films(tiny)[0], tracker.Options())


def test_ours_is_taught_on_real_films_in_the_real_layout(tmp_path, films, monkeypatch):
    for number, clip in zip((0, 1, 14, 15, 44, 54), films, strict=True):
        write_labels(tmp_path, number, moods(number, 3))
        folder = tmp_path / f"MEDIAEVAL18-{part_of(number)}-Data" / "data"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"MEDIAEVAL18_{number:02}.mp4").symlink_to(clip)
    row = "LSTM on our own networks"
    monkeypatch.setattr(teaching, "NETWORKS", {row: teaching.NETWORKS[row]})
    short = replace(QUICK, epochs=2, batches=4, seconds=3)
    options = tracker.Options(scene="scene-s", sound="sound-s")
    rows, notes = teaching.table(find_films(tmp_path), short, tmp_path / "runs", options)
    assert list(rows) == [row, "constant mean, training films"]
    assert all(math.isfinite(axis.mse) for axis in rows[row])
    assert notes == []
    kept = np.load(tmp_path / "runs" / "ours-scene-s-sound-s" / "MEDIAEVAL18_54.npy")
    assert np.array_equal(kept, watch_film(find_films(tmp_path)[-1], options).x, equal_nan=True)


@pytest.fixture
def films():
    folder = SHARED / "clips"
    return [folder / name for name in CLIPS] if folder.is_dir() else [DEMO] * len(CLIPS)
