"""Making the scene network: sets, folds, derived labels, heads, and the shipped file."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import engines  # noqa: E402  # torch first, or skip
from calibration.scene import emotions, evaluate, linear, nested, pictures, words  # noqa: E402
from calibration.scene.features import Features  # noqa: E402
from calibration.scene.material import SIZE, UNKNOWN, Material, load  # noqa: E402
from calibration.scene.mobilenet import MobileNetV2  # noqa: E402
from calibration.scene.network import BLOCKS, SPLIT, SceneNetwork, answer  # noqa: E402
from tracker.models import open_shipped  # noqa: E402
from tracker.values import EMOTIONS  # noqa: E402

GROUPS = ["Dog"] * 7 + ["Lake"] * 5 + ["Cat", "Fire"] * 3 + [f"alone {i}" for i in range(12)]


def softmax(logits):
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


@pytest.fixture(scope="module")
def themes():
    with emotions.TABLE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_no_two_folds_share_a_group_and_all_are_of_one_size():
    fold = pictures.folds(GROUPS)
    assert all(len(set(fold[np.array(GROUPS) == g])) == 1 for g in GROUPS)
    assert np.bincount(fold).tolist() == [7, 6, 6, 6, 5]


def test_the_folds_do_not_depend_on_the_order_of_the_pictures():
    there, back = pictures.folds(GROUPS), pictures.folds(GROUPS[::-1])
    assert there.tolist() == back[::-1].tolist()


def test_the_middle_and_the_ends_of_oasis_scale_become_0_and_1(shared):
    rated = pictures.load_rated(shared)
    table = (shared / pictures.SCENES / "oasis/labels.csv").read_text("utf-8")
    rows = list(csv.DictReader(table.splitlines()))
    assert len(rated) == len(rows) == 729
    assert rated.affect[0, 0] == pytest.approx((float(rows[0]["valence_mean"]) - 4) / 3)
    assert rated.spread[0, 1] == pytest.approx(float(rows[0]["arousal_sd"]) / 3)
    assert np.abs(rated.affect).max() < 1


def test_a_place_held_out_is_in_no_training_and_a_fold_leaves_its_themes_out(shared):
    material = load(shared)
    rows = material.training(2)
    assert not material.held_out[rows].any()
    assert 2 not in material.fold[rows]
    assert material.held_out.sum() == 258
    kinds = material.types[material.rated]  # scenery may show any place, the others show none
    assert (kinds == UNKNOWN).sum() == 193
    assert (kinds == pictures.TYPES.index(pictures.ELSEWHERE)).sum() == 729 - 193
    assert (material.types[~material.rated] < len(pictures.PLACES)).all()


def test_every_group_at_hand_has_a_theme_and_the_table_says_what_the_formula_gives(
    shared, themes, tmp_path
):
    rated = pictures.load_rated(shared)
    assert sorted(row["group"] for row in themes) == sorted(set(rated.groups))
    again = tmp_path / "themes.csv"
    again.write_bytes(emotions.TABLE.read_bytes())
    emotions.write_table(rated, again)
    assert again.read_text() == emotions.TABLE.read_text()


def test_the_labels_of_every_theme_sum_to_one(themes):
    sums = [sum(float(row[name]) for name in EMOTIONS) for row in themes]
    assert np.abs(np.array(sums) - 1).max() < 0.005  # three decimals each


def test_a_word_decides_between_emotions_that_feel_alike_and_the_viewers_between_others():
    fearful = emotions.Theme(("fear", "disgust"), None)
    unsaid = emotions.Theme((), None)
    tense, flat, nice = (-0.5, 0.25), (-0.55, -0.05), (0.5, -0.4)
    labels = emotions.derived(np.array([tense, flat, nice, tense]), [fearful] * 3 + [unsaid])
    names = [EMOTIONS[k] for k in labels.argmax(1)]
    assert names == ["fear", "disgust", "contentment", "fear"]
    anger = EMOTIONS.index("anger")
    assert labels[0, anger] < labels[3, anger] / 3


def test_a_theme_with_an_unknown_word_is_refused_by_name(tmp_path):
    table = tmp_path / "themes.csv"
    table.write_text("group,suggests,outdoor\nDog,joy,\n")
    with pytest.raises(ValueError, match=r"themes\.csv: Dog: joy"):
        emotions.load_themes(table)


def test_words_are_in_imagenets_order_and_a_wrong_one_is_refused(tmp_path):
    table = words.norms()
    assert table.shape == (1001, 10)
    assert not table[0].any()
    rows = list(csv.DictReader(words.TABLE.read_text("utf-8").splitlines()))
    assert (rows[76]["word"], rows[850]["word"]) == ("tarantula", "teddy")
    assert table[77, 0] < 0 < table[851, 0]
    wrong = tmp_path / "words.csv"
    wrong.write_text(words.TABLE.read_text().replace("tarantula,-0.6", "tarantula,-6"))
    with pytest.raises(ValueError, match="row 76"):
        words.norms(wrong)


def test_a_ridge_finds_a_line_and_its_stretch_undoes_the_shrinkage():
    chance = np.random.default_rng(0)
    x = chance.normal(size=(300, 40))
    x = x / np.sqrt(40)
    truth = x @ chance.normal(size=(40, 1)) + chance.normal(size=(300, 1))
    fold = np.arange(300) % 5
    plain, stretched = (linear.fitted_ridge(x, truth, fold, d) for d in (None, 0.9))
    assert np.corrcoef(plain(x)[:, 0], truth[:, 0])[0, 1] > 0.6
    assert stretched(x).std() > 1.1 * plain(x).std()
    assert stretched(x).mean() == pytest.approx(truth.mean(), abs=0.05)


def test_a_scale_undone_gives_the_same_answers_from_raw_features():
    chance = np.random.default_rng(1)
    x = chance.normal(3, 5, (50, 6))
    scale = linear.Scale.of(x, (4, 2), (1.0, 0.5))
    head = linear.Linear(chance.normal(size=(6, 3)), chance.normal(size=3))
    assert np.allclose(scale.undone(head)(x), head(scale(x)))


def test_the_outputs_are_the_averages_of_the_maps_squashed():
    cells = torch.from_numpy(np.random.default_rng(2).normal(0, 0.5, (3, sum(SPLIT), 4, 5)))
    said = answer(cells)
    felt = said.maps.mean((2, 3))
    assert torch.allclose(said.affect, felt[:, :2].clamp(-1, 1))
    assert torch.allclose(said.emotions, felt[:, 2:].softmax(1))
    assert (said.spread > 0).all()
    assert torch.allclose(said.place[:, 1:].sum(1), torch.ones(3, dtype=torch.float64))


def test_the_shipped_file_is_the_one_its_card_describes_and_its_maps_add_up():
    model = open_shipped("scene-s")
    assert model.role == "scene"
    engine = engines.load(model.path, "onnx", max_batch=4)
    frame = np.random.default_rng(3).uniform(-1, 1, (2, 3, SIZE, SIZE)).astype(np.float32)
    said = dict(zip([spec.name for spec in engine.outputs], engine.infer(frame), strict=True))
    for entry in model.card["outputs"]:
        assert said[entry["name"]].shape[:2] == (2, len(entry["labels"])), entry["name"]
    felt = said["maps"].mean((2, 3))
    assert np.allclose(said["affect"], felt[:, :2].clip(-1, 1), atol=1e-5)
    assert np.allclose(said["emotions"], softmax(felt[:, 2:]), atol=1e-5)
    assert np.allclose(said["place"][:, 1:].sum(1), 1, atol=1e-5)


def test_the_card_states_agreement_beside_the_constant_answer():
    scores = {score["metric"]: score for score in open_shipped("scene-s").card["scores"]}
    for name in ("valence", "arousal"):
        assert len(scores[f"r, {name}"]["folds"]) == pictures.FOLDS
        assert scores[f"CCC, {name}"]["value"] > 0.5 > scores[f"CCC, {name}"]["constant"]
        assert scores[f"RMSE, {name}"]["value"] < scores[f"RMSE, {name}"]["constant"]


def test_the_constant_answer_of_a_fold_is_the_mean_of_the_others():
    truth = np.arange(10.0)[:, None]
    fold = np.arange(10) % 5
    constant = evaluate.constant_answers(truth, fold)
    assert constant[0, 0] == pytest.approx(truth[fold != 0].mean())


@pytest.fixture(scope="module")
def made():
    """Pictures whose viewers felt what one block of one look's features says."""
    n, rng = 60, np.random.default_rng(5)
    plain, blurred = rng.standard_normal((2, n, sum(BLOCKS)))
    felt = rng.uniform(-0.5, 0.5, (n, 2))
    words = sum(BLOCKS[:-2])  # where their valence and arousal begin
    plain[:, words : words + 2] = felt
    seen = {
        nested.Look(256, 0.5): Features(plain, plain),
        nested.Look(224, 0.0): Features(blurred, blurred),
    }
    nothing = np.full(n, UNKNOWN)
    return seen, Material(
        tuple(Path(f"{i}.jpg") for i in range(n)),
        felt,
        0.3 + 0.2 * np.abs(felt),
        np.full((n, 8), 1 / 8),
        nothing,
        nothing,
        np.arange(n) % pictures.FOLDS,
        np.zeros(n, bool),
    )


def test_a_way_of_looking_is_chosen_by_what_it_says_of_themes_left_out(made):
    seen, material = made
    one = nested.chosen(seen, material, material.training(0))
    assert one.way.look == nested.Look(256, 0.5)
    said = nested.answers(seen, material, [one] * pictures.FOLDS)
    test = material.fold == 0
    assert np.corrcoef(said[test, 0], material.affect[test, 0])[0, 1] > 0.8


def test_what_viewers_felt_in_a_fold_changes_nothing_of_what_that_fold_is_asked_with(made):
    seen, material = made
    mixed = np.arange(len(material))
    mixed[material.fold == 0] = np.roll(mixed[material.fold == 0], 5)
    other = replace(material, affect=material.affect[mixed], spread=material.spread[mixed])
    (before, first), (after, second) = (
        [nested.chosen(seen, m, m.training(fold)) for fold in (0, 1)] for m in (material, other)
    )
    assert before.way == after.way
    assert before.error == after.error
    assert np.array_equal(before.heads.weight, after.heads.weight)
    assert np.array_equal(before.heads.bias, after.heads.bias)
    assert not np.array_equal(first.heads.weight, second.heads.weight)  # fold 1 does see them


def test_a_picture_of_any_whole_number_of_cells_is_read_and_its_parts_named():
    network = SceneNetwork(MobileNetV2()).eval()
    with torch.no_grad():
        for size, cells in ((224, 7), (256, 8), (288, 9)):
            assert network.cells(torch.zeros(1, 3, size, size)).shape == (
                *(1, sum(BLOCKS)),
                *(cells, cells),
            )
