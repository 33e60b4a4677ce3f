"""Making the face network: labels, splits, framing, damage and a tiny training."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from calibration.face import augment, fit, pictures, train  # noqa: E402  # torch first, or skip
from calibration.face.blend import blended, mean  # noqa: E402
from calibration.face.circumplex import PLACES, affect_of  # noqa: E402
from calibration.face.corruptions import CORRUPTIONS, corrupted  # noqa: E402
from calibration.face.framing import template_of, views_of  # noqa: E402
from calibration.face.material import Material, batch_of  # noqa: E402
from calibration.face.network import Shape, Shipped  # noqa: E402
from calibration.face.publish import fitted_temperature, write_onnx  # noqa: E402
from calibration.samples import RecipeError  # noqa: E402
from conftest import ROOT  # noqa: E402
from tracker.crops import Template  # noqa: E402
from tracker.values import EXPRESSIONS  # noqa: E402

POINTS = ((15.0, 18.0), (33.0, 18.0), (24.0, 28.0), (17.0, 36.0), (31.0, 36.0))
NEUTRAL, SURPRISE = 0, 2
TINY = fit.Recipe(Shape((8, 16), (1, 1), 0.0), epochs=6, batch=(16, 4, 2), seven=0.0)


def votes(*rows):
    """Ten columns from short rows of pairs (column, count)."""
    table = np.zeros((len(rows), 10), np.int64)
    for row, pairs in zip(table, rows, strict=True):
        for column, count in pairs:
            row[column] = count
    return table


def drawn_faces(n, chance):
    """Faces with a closed mouth (neutral) or a wide open one (surprise)."""
    y, x = np.mgrid[:48, :48] / 48
    images, kinds = [], chance.integers(0, 2, n)
    for kind in kinds:
        face = np.where((x - 0.5) ** 2 / 0.16 + (y - 0.5) ** 2 / 0.22 < 1, 180.0, 80.0)
        for ex in (0.31, 0.69):
            face[np.hypot(x - ex, y - 0.38) < 0.06] = 30
        high = 0.14 if kind else 0.02
        face[((x - 0.5) / 0.15) ** 2 + ((y - 0.74) / high) ** 2 < 1] = 20
        images.append(face + chance.normal(0, 6, face.shape))
    shares = np.zeros((n, 8), np.float32)
    shares[np.arange(n), np.where(kinds, SURPRISE, NEUTRAL)] = 1
    return pictures.Faces(
        np.stack(images).clip(0, 255).astype(np.uint8),
        shares,
        np.where(kinds, 5, 6),
        affect_of(shares),
        np.ones(n, np.float32),
    )


@pytest.fixture
def material():
    chance = np.random.default_rng(0)
    return Material(
        Template(48, 1, POINTS, 1.1),
        batch_of(drawn_faces(160, chance)),
        batch_of(drawn_faces(12, chance), rated=True),
        batch_of(replace(drawn_faces(12, chance), seven=np.full(12, pictures.UNKNOWN))),
        drawn_faces(60, chance),
    )


def test_votes_become_shares_and_a_lone_vote_is_noise():
    shares = pictures.shares_of(votes([(0, 6), (1, 3), (4, 1)], [(3, 5), (8, 5)]))
    np.testing.assert_allclose(shares[0], [2 / 3, 1 / 3, 0, 0, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(shares[1], [0, 0, 0, 1, 0, 0, 0, 0])


def test_three_ways_to_ask_whether_the_votes_agree():
    table = votes(
        [(0, 6), (1, 4)],  # more than half of all
        [(0, 5), (1, 3), (2, 1), (3, 1)],  # more than half once lone votes are gone
        [(0, 4), (1, 3), (2, 3)],  # one most voted
        [(0, 5), (1, 5)],  # a tie
        [(8, 7), (0, 3)],  # most say "unknown"
    )
    assert pictures.clear(table).tolist() == [True, False, False, False, False]
    assert pictures.majority(table).tolist() == [True, True, False, False, False]
    assert pictures.single(table).tolist() == [True, True, True, False, False]


def test_rare_expressions_weigh_more_and_the_mean_stays_one():
    shares = np.eye(8, dtype=np.float32)[[0] * 90 + [5] * 10]
    weight = pictures.rarity(shares, 0.5)
    assert weight.mean() == pytest.approx(1)
    assert weight[-1] / weight[0] == pytest.approx(3, rel=1e-3)
    np.testing.assert_allclose(pictures.rarity(shares, 0), 1, atol=1e-6)


def test_each_word_has_its_place_in_the_circumplex():
    assert tuple(PLACES) == EXPRESSIONS
    assert PLACES["neutral"] == (0, 0)
    assert PLACES["anger"][0] < 0 < PLACES["anger"][1]
    assert PLACES["sadness"][1] < 0
    assert affect_of(np.eye(8, dtype=np.float32)[:2]).tolist() == [
        [0, 0],
        pytest.approx((0.81, 0.51)),
    ]


def test_two_words_that_share_the_votes_meet_half_way():
    half = np.zeros((1, 8), np.float32)
    half[0, [1, 3]] = 0.5
    happy, sad = np.array(PLACES["happiness"]), np.array(PLACES["sadness"])
    np.testing.assert_allclose(affect_of(half)[0], (happy + sad) / 2, atol=1e-6)


def write_votes(folder: Path, name: str, groups, leaks):
    n = len(groups)
    table = votes(*[[(0, 10)]] * n)
    table[0, :] = 0
    table[0, 9] = 10  # the first picture of each file is no face
    np.savez(
        folder / f"{name}.npz",
        images=np.zeros((n, 48, 48), np.uint8),
        votes=table.astype(np.uint8),
        emotions=np.array([*EXPRESSIONS, "unknown", "NF"]),
        fer2013_label=np.zeros(n, np.int8),
        fer2013_names=np.array(["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]),
        dup_group=np.array(groups, np.int32),
        leaks_from_train=np.array(leaks, bool),
    )


def test_twins_never_stand_on_both_sides(tmp_path):
    write_votes(tmp_path, "ferplus_train_1", [-1, 1, 2, -1], [False] * 4)
    write_votes(tmp_path, "ferplus_train_2", [-1, 3, -1], [False] * 3)
    write_votes(tmp_path, "ferplus_valid", [-1, 1, 3, 9], [False, True, False, False])
    train, valid = pictures.training_votes(tmp_path), pictures.validation_votes(tmp_path)
    shared = set(train.groups[train.groups >= 0]) & set(valid.groups[valid.groups >= 0])
    assert shared == set()
    assert train.groups.tolist() == [1, 2, -1, -1]  # without twin 3 and what is no face
    assert valid.groups.tolist() == [-1, 3, 9]


def test_the_held_out_fold_and_the_others_share_no_picture(tmp_path):
    (tmp_path / "diffusionfer").mkdir()
    names = [f"face_{i}.jpg" for i in range(50)]
    for name in names:
        (tmp_path / "diffusionfer" / name).touch()
    rows = "".join(f"{name},0.5,-0.25,happy\n" for name in names)
    (tmp_path / "diffusionfer" / "labels.csv").write_text(
        "file,valence,arousal,expression\n" + rows
    )
    held = {row.path for row in pictures.diffusionfer(tmp_path, held_out=True)}
    others = pictures.diffusionfer(tmp_path, held_out=False)
    assert held
    assert held.isdisjoint(row.path for row in others)
    assert len(held) + len(others) == 50
    assert (others[0].expression, others[0].affect) == ("happiness", (0.5, -0.25))


@pytest.mark.parametrize(
    "row, why",
    [
        ("a.jpg,0.5,-0.25,hungry", "line 2: expression is 'hungry'"),
        ("a.jpg,0.5,-1.25,happy", "line 2: arousal is '-1.25'"),
        ("a.jpg,0.5,,happy", "line 2: a label is missing"),
        ("b.jpg,0.5,0,happy", "line 2: no picture 'b.jpg'"),
    ],
)
def test_a_label_that_nobody_can_learn_is_named_with_its_line(tmp_path, row, why):
    (tmp_path / "diffusionfer").mkdir()
    (tmp_path / "diffusionfer" / "a.jpg").touch()
    table = tmp_path / "diffusionfer" / "labels.csv"
    table.write_text(f"file,valence,arousal,expression\n{row}\n")
    with pytest.raises(RecipeError, match=f"{re.escape(str(table))}, {why}"):
        pictures.diffusionfer(tmp_path, held_out=False)


def test_votes_in_another_order_are_refused_by_the_files_name(tmp_path):
    write_votes(tmp_path, "ferplus_valid", [-1], [False])
    with np.load(tmp_path / "ferplus_valid.npz") as file:
        fields = dict(file)
    np.savez(tmp_path / "ferplus_valid.npz", **fields | {"emotions": fields["emotions"][::-1]})
    with pytest.raises(RecipeError, match=r"valid\.npz: votes in another order"):
        pictures.validation_votes(tmp_path)


@pytest.mark.parametrize("recipe", ["face.train", "face.evaluate", "poster.train"])
def test_a_recipe_without_its_data_says_so_in_one_line(tmp_path, recipe):
    ran = subprocess.run(
        [sys.executable, "-m", f"calibration.{recipe}", "--shared", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert ran.returncode == 2
    missing = r"\S*none/data/faces/ferplus_\w+\.npz: No such file or directory"
    assert re.fullmatch(f"emotrack: {missing}\n", ran.stderr)


def test_the_template_is_the_symmetric_median():
    chance = np.random.default_rng(0)
    points = chance.normal(0, 0.01, (101, 5, 2)) + POINTS
    points[..., 0] += 2
    points[0] = np.nan  # where nothing was found
    boxes = np.tile([4.0, 4.0, 44.0, 44.0], (101, 1))
    template = template_of(points, boxes)
    np.testing.assert_allclose(template.points, POINTS, atol=0.02)
    assert template.box_scale == 1.2


def test_a_view_brings_landmarks_to_the_template_and_doubt_leaves_the_crop():
    template = Template(48, 1, POINTS, 1.1)
    points = np.stack(
        [
            np.array(POINTS) * 0.8 + 3,
            np.full((5, 2), np.nan),
            np.array(POINTS)[::-1] * 0.1,  # upside down and tiny: found wrong
        ]
    )
    views = views_of(points, template)
    moved = points[0] @ views[0, :, :2].T + views[0, :, 2]
    np.testing.assert_allclose(moved, POINTS, atol=1e-4)
    for view in views[1:]:
        assert view.tolist() == [[1, 0, 0], [0, 1, 0]]


def test_a_warp_follows_the_view_when_nothing_else_moves():
    still = augment.Strength(0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    crops = torch.zeros(20, 1, 48, 48)
    crops[..., 10:14, 20:24] = 255
    views = torch.tensor([[1.0, 0, 4], [0, 1, 6]]).expand(20, 2, 3)
    middles = {
        tuple((crop[0].nonzero().float().mean(0) + 0.5).tolist())
        for crop in augment.warped(crops, views, still)
    }
    assert middles == {(18.0, 26.0), (18.0, 22.0)}  # moved, and its mirror image


def test_damage_keeps_shape_and_range():
    crops = torch.rand(64, 1, 48, 48) * 255
    views = torch.tensor([[1.0, 0, 0], [0, 1, 0]]).expand(64, 2, 3)
    torch.manual_seed(0)
    out = augment.augmented(crops, views, augment.STRONG)
    assert out.shape == crops.shape
    assert 0 <= float(out.min()) <= float(out.max()) <= 255


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_is_the_same_at_each_call_and_grows(name):
    faces = drawn_faces(6, np.random.default_rng(1)).images
    strengths = CORRUPTIONS[name][1]
    changes = []
    for strength in strengths:
        damaged = corrupted(faces, name, strength)
        np.testing.assert_array_equal(damaged, corrupted(faces, name, strength))
        assert damaged.shape == faces.shape
        changes.append(np.abs(damaged.astype(float) - faces).mean())
    assert 0 < changes[0] < changes[-1]


def test_a_tiny_training_tells_an_open_mouth_from_a_closed_one(tmp_path, material):
    network = fit.fit(TINY, material, tmp_path)
    row = fit.validate(network, material.valid)
    assert row["accuracy"] > 0.9
    assert row["affect_rmse"] < 0.3


def test_a_killed_training_ends_with_the_same_weights(tmp_path, material, monkeypatch):
    recipe = replace(TINY, epochs=3)
    whole = fit.fit(recipe, material, tmp_path / "whole").state_dict()
    kept, calls = fit.validate, []

    def killed_in_the_second_epoch(*given):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return kept(*given)

    monkeypatch.setattr(fit, "validate", killed_in_the_second_epoch)
    with pytest.raises(KeyboardInterrupt):
        fit.fit(recipe, material, tmp_path / "killed")
    monkeypatch.setattr(fit, "validate", kept)
    resumed = fit.fit(recipe, material, tmp_path / "killed").state_dict()
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def test_a_training_that_gains_no_more_ends_early(tmp_path, material, monkeypatch):
    worse = iter([0.9, 0.8, 0.7, 0.6])
    row = {"entropy": 1.0, "affect_rmse": 1.0}
    monkeypatch.setattr(fit, "validate", lambda *_: {"accuracy": next(worse), **row})
    monkeypatch.setattr(fit, "PATIENCE", 2)
    fit.fit(replace(TINY, epochs=6), material, tmp_path)
    assert (tmp_path / "log.csv").read_text("utf-8").count("\n") == 1 + 3


def test_a_second_training_goes_on_from_the_first(tmp_path, material):
    first = fit.fit(replace(TINY, epochs=1), material, tmp_path / "first")
    still = replace(TINY, epochs=1, rate=0.0, decay=0.0)
    second = fit.fit(still, material, tmp_path / "second", first)
    np.testing.assert_array_equal(
        first.expression.weight.detach().numpy(), second.expression.weight.detach().numpy()
    )


def test_what_ships_lies_between_two_trainings_and_leans_to_the_one_that_knows_more(
    tmp_path, material
):
    knows = fit.fit(TINY, material, tmp_path)
    ignorant = fit.FaceNetwork(TINY.shape).eval()
    best, share = blended(ignorant, knows, material.valid)
    assert share > 0.5
    scores = [fit.validate(n, material.valid)["entropy"] for n in (best, ignorant, knows)]
    assert scores[0] == min(scores)
    half = mean(ignorant, knows, 0.25).state_dict()["affect.weight"]
    expected = 0.75 * ignorant.affect.weight + 0.25 * knows.affect.weight
    torch.testing.assert_close(half, expected.detach())


def test_the_exercise_in_jpeg_is_what_a_codec_does():
    faces = drawn_faces(40, np.random.default_rng(2)).images
    torch.manual_seed(3)
    crops = torch.from_numpy(faces)[:, None].float()
    ours = augment.jpeg(crops)[:, 0].numpy()
    torch.manual_seed(3)
    quality = torch.randint(8, 61, (40, 1, 1, 1, 1)).flatten().tolist()
    for before, crop, q in zip(faces, ours, quality, strict=True):
        _, data = cv2.imencode(".jpg", before, [cv2.IMWRITE_JPEG_QUALITY, q])
        codec = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).astype(float)
        assert np.abs(crop - codec).mean() < 0.3 * np.abs(before - codec).mean()


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of the exporter about itself
def test_the_exported_network_says_what_the_trained_one_says(tmp_path, material):
    network = fit.FaceNetwork(TINY.shape).eval()
    worst = write_onnx(
        Shipped(network, 0.7), np.repeat(material.valid.images, 2, 0), tmp_path / "f.onnx"
    )
    assert worst < 1e-4


def test_the_card_tells_every_training_and_what_it_used():
    told = json.loads(json.dumps(train.described(train.STAGES, 0.5)))
    assert list(told["stages"]) == ["first", "second", "third", "warm"]
    assert told["stages"]["first"]["epochs"] == train.FIRST.epochs
    assert told["stages"]["warm"]["strength"]["turn"] == augment.MILD.turn
    assert (told["share_of_last"], "bfloat16" in told["used"]) == (0.5, True)


def test_the_temperature_makes_a_timid_network_bolder(material, monkeypatch):
    network = fit.FaceNetwork(TINY.shape).eval()
    table = votes(*[[(int(share.argmax()), 10)] for share in material.valid.shares])
    n = len(table)
    given = pictures.Votes(
        material.valid.images, table, np.zeros(n, int), np.zeros(n, bool), np.full(n, -1)
    )
    timid = torch.from_numpy(material.valid.shares[::2]) * 0.5  # right, but never sure
    answers = fit.Readings(timid[:, :2], timid, timid, timid)
    monkeypatch.setattr("calibration.face.publish.predict", lambda *_, **__: answers)
    assert fitted_temperature(network, given) < 0.3
