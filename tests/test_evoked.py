"""DeepEmotion's and Learning to Feel's recipes, on small sets made here in their layouts."""

import csv
import json
import sys

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from calibration.backbones import open_backbone  # noqa: E402  # torch first, or skip
from calibration.evoked import evaluate, train  # noqa: E402
from calibration.evoked.capd import read_capd  # noqa: E402
from calibration.evoked.fit import drawn  # noqa: E402
from calibration.evoked.flickr import read_flickr  # noqa: E402
from calibration.evoked.network import Classifier  # noqa: E402
from calibration.evoked.pictures import Pictures, Sample, Shows, parted  # noqa: E402
from calibration.evoked.scores import as_text, score  # noqa: E402
from calibration.samples import RecipeError, run  # noqa: E402
from conftest import DEMO, timm_or_skip  # noqa: E402
from tracker.cli import main  # noqa: E402
from tracker.values import EMOTIONS  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # torch's exporter about itself

COLOURS = dict(
    zip(
        EMOTIONS,
        [(230, 200, 40), (40, 60, 200), (60, 180, 80), (240, 120, 40), (200, 30, 30),
         (110, 130, 30), (25, 20, 35), (90, 100, 130)],
        strict=True,
    )
)  # fmt: skip
SIX = ("Amusement", "Contentment", "Disgust", "Fear", "Sadness", "Anger")
RARE = ("Interest", "Boredom")
SMALL = ["--backbone", "small", "--size", "32", "--first", "1", "--batch", "16", "--rate", "0.01"]


def draw(path, emotion, chance):
    image = np.empty((40, 60, 3), np.float64)
    image[:] = COLOURS[emotion]
    image += chance.normal(0, 15, image.shape)
    cv2.imwrite(str(path), np.clip(image, 0, 255).astype(np.uint8)[:, :, ::-1])


@pytest.fixture(scope="module")
def capd(tmp_path_factory):
    """120 pictures of six common categories, four of two rare ones, six that nobody agrees on."""
    top, chance = tmp_path_factory.mktemp("capd"), np.random.default_rng(2)
    categories = [*SIX, *RARE]
    rows = []
    for i in range(130):
        category = SIX[i % 6] if i < 126 else RARE[i % 2]
        agreement = dict.fromkeys(categories, 0.02)
        agreement[category] = 0.4 if 120 <= i < 126 else 0.86
        draw(top / f"{i}.jpg", category.lower() if category in SIX else "awe", chance)
        rows.append({"file": f"{i}.jpg", **agreement})
    write_table(top / "capd.csv", rows)
    return top


@pytest.fixture(scope="module")
def flickr(tmp_path_factory):
    """Twenty pictures an emotion that all five agree on, and five that three of five do."""
    top, chance = tmp_path_factory.mktemp("flickr"), np.random.default_rng(3)
    (top / "agg").mkdir()
    (top / "pictures").mkdir()
    for emotion in EMOTIONS:
        rows = []
        for i in range(25):
            name = f"{emotion}_{i}.jpg"
            draw(top / "pictures" / name, emotion, chance)
            votes = (0, 5) if i < 10 else (1, 4) if i < 20 else (2, 3)
            rows.append([emotion, f"http://farm1.staticflickr.com/7/{name}", *votes])
        write_votes(top / "agg" / f"{emotion}_1st_1000.csv", rows)
    return top


def write_table(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def write_votes(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def everything(pictures):
    return [*pictures.train, *pictures.val, *pictures.test]


def test_the_six_common_categories_are_kept_where_enough_viewers_agree(capd):
    pictures = read_capd(capd / "capd.csv", capd)
    assert pictures.classes == tuple(sorted(SIX))
    assert len(everything(pictures)) == 120
    shares = [len(part) / 120 for part in (pictures.train, pictures.val, pictures.test)]
    np.testing.assert_allclose(shares, (0.7, 0.1, 0.2), atol=0.08)
    sample = pictures.train[0]
    i = int(sample.picture.stem)
    assert pictures.classes[sample.label] == SIX[i % 6]
    assert sample.where == f"capd.csv, row {i + 2}"
    assert len(everything(read_capd(capd / "capd.csv", capd, agreed=0.3))) == 126


def test_agreement_may_be_in_per_cent(capd, tmp_path):
    rows = list(csv.DictReader((capd / "capd.csv").read_text("utf-8").splitlines()))
    percent = [{k: v if k == "file" else f"{100 * float(v):g}" for k, v in r.items()} for r in rows]
    write_table(tmp_path / "percent.csv", percent)
    found = read_capd(tmp_path / "percent.csv", capd, scale=100)
    assert [s.picture for s in found.test] == [s.picture for s in read_capd(capd / "capd.csv", capd).test]  # fmt: skip  # noqa: E501
    with pytest.raises(RecipeError, match=r"percent\.csv, row 2: Amusement is 86, outside 0\.\.1"):
        read_capd(tmp_path / "percent.csv", capd)


@pytest.mark.parametrize(
    "rows, said",
    [
        ([{"file": "0.jpg", "Fear": "much", "Awe": "0"}], "row 2: Fear is 'much', not a number"),
        ([{"file": "gone.jpg", "Fear": "1", "Awe": "0"}], "row 2: no picture .*gone.jpg"),
        ([{"name": "0.jpg", "Fear": "1"}], "expected the column 'file'"),
        ([{"file": "0.jpg", "Fear": "1", "Awe": "0"}], "only 1 categories are agreed on"),
    ],
)
def test_a_wrong_table_is_named_with_its_row(capd, tmp_path, rows, said):
    write_table(tmp_path / "list.csv", rows)
    with pytest.raises(RecipeError, match=said) as wrong:
        read_capd(tmp_path / "list.csv", capd)
    assert str(wrong.value).startswith("list.csv")


def test_a_tie_between_categories_is_no_agreement(capd, tmp_path):
    rows = list(csv.DictReader((capd / "capd.csv").read_text("utf-8").splitlines()))
    rows[0] |= {"Amusement": "0.5", "Fear": "0.5"}
    write_table(tmp_path / "tie.csv", rows)
    assert len(everything(read_capd(tmp_path / "tie.csv", capd))) == 119


def test_at_least_four_of_five_votes_are_asked_for(flickr):
    pictures = read_flickr(flickr / "agg", flickr / "pictures")
    assert pictures.classes == EMOTIONS
    assert len(everything(pictures)) == 8 * 20
    assert len(everything(read_flickr(flickr / "agg", flickr / "pictures", least=3))) == 8 * 25
    for sample in everything(pictures):
        emotion, number = sample.picture.stem.split("_")
        assert EMOTIONS[sample.label] == emotion
        assert sample.where == f"{emotion}_1st_1000.csv, row {int(number) + 1}"


def test_votes_on_one_picture_add_up_and_two_emotions_are_none(flickr, tmp_path):
    at = "http://farm1.staticflickr.com/7/"
    for path in (flickr / "agg").glob("*.csv"):
        (tmp_path / path.name).write_text(path.read_text("utf-8"))
    more = [["awe", f"{at}awe_0.jpg", 3, 2], ["awe", f"{at}awe_1.jpg", 1, 4]]  # 7 and 9 of 10
    more += [["sadness", f"{at}fear_0.jpg", 1, 4]]
    write_votes(tmp_path / "awe_2nd_1000.csv", more)
    found = {s.picture.name for s in everything(read_flickr(tmp_path, flickr / "pictures"))}
    before = {s.picture.name for s in everything(read_flickr(flickr / "agg", flickr / "pictures"))}
    assert before - found == {"awe_0.jpg", "fear_0.jpg"}


@pytest.mark.parametrize(
    "row, said",
    [
        (["joy", "http://x/awe_0.jpg", 0, 5], "unknown emotion 'joy'"),
        (["awe", "http://x/awe_0.jpg", 5], "3 columns; expected emotion, url, disagree, agree"),
        (["awe", "http://x/awe_0.jpg", "none", 5], "the votes are 'none' and '5', not counts"),
        (["awe", "http://x/gone.jpg", 0, 5], "no picture .*gone.jpg"),
    ],
)
def test_wrong_votes_are_named_with_their_row(flickr, tmp_path, row, said):
    write_votes(tmp_path / "votes.csv", [["awe", "http://x/awe_1.jpg", 0, 5], row])
    with pytest.raises(RecipeError, match=rf"votes\.csv, row 2: {said}"):
        read_flickr(tmp_path, flickr / "pictures")


def test_a_dead_link_may_be_left_out_and_is_counted(flickr, tmp_path, capsys):
    rows = [[e, f"http://x/{e}_{i}.jpg", 0, 5] for e in EMOTIONS[::-1] for i in range(30)]
    write_votes(tmp_path / "votes.csv", rows)  # of each, 25 to 29 are not there
    found = read_flickr(tmp_path, flickr / "pictures", skip_broken=True)
    assert len(everything(found)) == 8 * 25
    assert "40 left out; the first: votes.csv, row 26: no picture" in capsys.readouterr().err


def test_rare_classes_are_drawn_as_often_as_common_ones_if_asked_for(tmp_path):
    samples = [Sample("", tmp_path, 0)] * 90 + [Sample("", tmp_path, 1)] * 10
    pictures = Pictures(("a", "b"), samples, [], [])
    torch.manual_seed(0)
    seen = [sum(samples[i].label for _ in range(20) for i in drawn(pictures, balanced=b)) / 2000 for b in (True, False)]  # fmt: skip  # noqa: E501
    assert seen[0] == pytest.approx(0.5, abs=0.05)
    assert seen[1] == 0.1  # every picture once


def test_at_first_only_the_last_layer_learns(tmp_path):
    network = Classifier(open_backbone("small", tmp_path), 3, dropout=0.0)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    def changed():
        optimiser = torch.optim.SGD(network.parameters(), 0.1)
        loss = torch.nn.functional.cross_entropy(
            network(torch.rand(4, 3, 32, 32)), torch.tensor([0, 1, 2, 0])
        )
        loss.backward()
        optimiser.step()
        now = network.state_dict()
        return {name.split(".")[0] for name in now if not torch.equal(now[name], before[name])}

    network.freeze(True)
    assert changed() == {"last"}
    network.freeze(False)
    assert changed() == {"last", "body"}


def test_a_training_picture_is_never_upside_down(tmp_path):
    lit = np.zeros((40, 60, 3), np.uint8)
    lit[:20, :30] = 200
    cv2.imwrite(str(tmp_path / "lit.png"), lit)
    shows = Shows([Sample("", tmp_path / "lit.png", 0)], 16, training=True)
    torch.manual_seed(1)
    views = [shows[0][0].float() for _ in range(20)]
    assert all(view[:, :6].mean() > view[:, 10:].mean() for view in views)
    sides = {bool(view[:, :, :6].mean() > view[:, :, 10:].mean()) for view in views}
    assert sides == {True, False}  # mirrored, though


def test_the_table_has_the_constant_answer_and_the_sources_figures(tmp_path):
    samples = [Sample("", tmp_path, i) for i in (0, 0, 6, 7)]
    pictures = Pictures(EMOTIONS, [Sample("", tmp_path, 6)] * 3, samples, samples)
    scores = score(pictures, [0, 1, 7, 7], EMOTIONS)
    assert scores.accuracy == 0.5
    assert (scores.constant, scores.constant_accuracy) == ("fear", 0.25)
    assert scores.binary == (1.0, 0.5)
    lines = as_text(scores, {"accuracy": 0.69, "positive or negative": 0.91}).splitlines()
    assert lines[1].split() == ["accuracy", "0.5000", "0.2500", "0.690"]
    assert lines[2].split() == ["positive", "or", "negative", "1.0000", "0.5000", "0.910"]
    assert lines[3].split() == ["mean", "recall", "0.5000", "0.3333"]  # of the three that are there
    assert next(x for x in lines if x.startswith("fear")).split()[-2:] == ["0.000", "0.000"]
    assert score(pictures, [0, 1, 7, 7], [None, *EMOTIONS[1:]]).binary is None


def test_too_few_pictures_for_three_parts_is_one_line(tmp_path):
    with pytest.raises(RecipeError, match="1 pictures are too few"):
        parted(("a",), [Sample("", tmp_path / "a.jpg", 0)], (0.7, 0.1, 0.2))


def command(monkeypatch, module, *words):
    monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, words)])
    module.main()


def rows_of(card, tmp_path):
    out = tmp_path / "out.csv"
    assert main([str(DEMO), "--end", "0.2", "--scene", str(card), "--csv", str(out)]) == 0
    return list(csv.DictReader(out.read_text("utf-8").splitlines()))


def figure(text, name):
    return float(next(x for x in text.splitlines() if x.startswith(name)).split()[-3])


def test_deepemotion_is_rebuilt_with_one_command_and_runs_on_a_film(
    capd, tmp_path, monkeypatch, capsys
):
    files = ["deepemotion", "--table", capd / "capd.csv", "--pictures", capd]
    where = ["--out", tmp_path / "models", "--runs", tmp_path / "runs"]
    command(monkeypatch, train, *files, *where, *SMALL, "--epochs", 10)
    said = capsys.readouterr().out
    assert figure(said, "accuracy") > 0.8
    assert "0.502" in said
    card = tmp_path / "models" / "deepemotion.json"
    command(monkeypatch, evaluate, *files, "--model", card)
    assert figure(capsys.readouterr().out, "accuracy") == figure(said, "accuracy")
    row = rows_of(card, tmp_path)[0]
    known = sorted(name.lower() for name in SIX)
    assert sum(float(row[f"scene_{name}"]) for name in known) == pytest.approx(1, abs=0.001)
    assert {row["scene_awe"], row["scene_excitement"], row["scene_valence"]} == {""}
    meta = json.loads((tmp_path / "out.meta.json").read_text("utf-8"))
    why = {c["name"]: c.get("empty") for c in meta["columns"]}
    assert why["scene_awe"] == "deepemotion does not say 'awe'"


def test_a_class_that_is_none_of_the_eight_leaves_them_unsaid_until_it_is_named(
    capd, tmp_path, monkeypatch, capsys
):
    text = (capd / "capd.csv").read_text("utf-8").replace("Contentment", "Calmness")
    (tmp_path / "capd.csv").write_text(text)
    files = ["deepemotion", "--table", tmp_path / "capd.csv", "--pictures", capd]
    where = ["--out", tmp_path / "models", "--runs", tmp_path / "runs"]
    once = [*files, *where, *SMALL, "--epochs", 1]
    command(monkeypatch, train, *once)
    assert "Calmness is none of the eight" in capsys.readouterr().out
    card = tmp_path / "models" / "deepemotion.json"
    assert {rows_of(card, tmp_path)[0][f"scene_{name}"] for name in EMOTIONS} == {""}
    command(monkeypatch, train, *once, "--as", "Calmness=contentment")
    assert rows_of(card, tmp_path)[0]["scene_contentment"] != ""
    with pytest.raises(RecipeError, match="--as Calmness=calm: expected CLASS=EMOTION"):
        command(monkeypatch, train, *once, "--as", "Calmness=calm")


def test_learning_to_feel_is_rebuilt_with_one_command_and_runs_on_a_film(
    flickr, tmp_path, monkeypatch, capsys
):
    files = ["learningtofeel", "--table", flickr / "agg", "--pictures", flickr / "pictures"]
    where = ["--out", tmp_path / "models", "--runs", tmp_path / "runs"]
    command(monkeypatch, train, *files, *where, *SMALL, "--epochs", 10)
    said = capsys.readouterr().out
    assert figure(said, "accuracy") > 0.7
    assert figure(said, "positive or negative") >= figure(said, "accuracy")
    assert "0.910" in said
    row = rows_of(tmp_path / "models" / "learningtofeel.json", tmp_path)[0]
    assert sum(float(row[f"scene_{name}"]) for name in EMOTIONS) == pytest.approx(1, abs=0.001)
    assert 0 <= float(row["scene_positive"]) <= 1


@pytest.mark.slow
def test_ours_is_a_backbone_too(shared, capd, tmp_path, monkeypatch, capsys):
    files = ["deepemotion", "--table", capd / "capd.csv", "--pictures", capd]
    where = ["--out", tmp_path / "models", "--runs", tmp_path / "runs", "--shared", shared]
    words = ["--size", 64, "--first", 3, "--epochs", 6, "--batch", 16, "--rate", 0.01]
    command(monkeypatch, train, *files, *where, *words)
    assert figure(capsys.readouterr().out, "accuracy") > 0.7
    assert rows_of(tmp_path / "models" / "deepemotion.json", tmp_path)[0]["scene_fear"] != ""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of timm and torchvision
def test_a_librarys_network_is_a_backbone_too(capd, tmp_path, monkeypatch, capsys):
    timm_or_skip()
    files = ["deepemotion", "--table", capd / "capd.csv", "--pictures", capd]
    where = ["--out", tmp_path / "models", "--runs", tmp_path / "runs"]
    words = ["--backbone", "inception-v3", "--untrained", "--size", 96, "--first", 0]
    command(monkeypatch, train, *files, *where, *words, "--epochs", 1)
    assert "0.502" in capsys.readouterr().out
    assert rows_of(tmp_path / "models" / "deepemotion.json", tmp_path)[0]["scene_fear"] != ""


def test_without_the_library_the_command_ends_with_one_line_and_code_2(
    capd, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "timm", None)
    words = ["deepemotion", "--table", capd / "capd.csv", "--pictures", capd]
    words += ["--backbone", "inception-v3", "--runs", tmp_path]
    monkeypatch.setattr(sys, "argv", ["train", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        run(train.main)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("emotrack: backbone 'inception-v3' needs timm: pip install timm")
    assert said.count("\n") == 1
