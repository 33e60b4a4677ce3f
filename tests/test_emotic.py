"""EMOTIC's recipe, on a small set made here in the layout in which EMOTIC is handed out."""

import csv
import math

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
scipy_io = pytest.importorskip("scipy.io")

from calibration.emotic import train as recipe_command  # noqa: E402  # torch first, or skip
from calibration.emotic.annotations import read_people  # noqa: E402
from calibration.emotic.losses import category_loss, vad_loss  # noqa: E402
from calibration.emotic.people import People, Sizes, cut  # noqa: E402
from calibration.emotic.scores import score  # noqa: E402
from calibration.samples import RecipeError, run, varied  # noqa: E402
from conftest import DEMO  # noqa: E402
from tracker.cli import main  # noqa: E402
from tracker.values import CATEGORIES  # noqa: E402

pytestmark = pytest.mark.filterwarnings(  # torch's exporter about itself
    "ignore::FutureWarning", "ignore:# The axis name:UserWarning"
)
WIDTH, HEIGHT = 96, 64
BOXES = ((10, 12, 40, 60), (55, 12, 85, 60))
SPLITS = {"train": 90, "val": 16, "test": 30}
RED, GREEN = (200, 60, 60), (60, 200, 60)


def cell(words):
    """A MATLAB cell of strings."""
    out = np.empty((1, len(words)), object)
    out[0, :] = words
    return out


def struct(**fields):
    """A 1x1 MATLAB struct."""
    out = np.empty((1, 1), [(name, object) for name in fields])
    for name, value in fields.items():
        out[name][0, 0] = value
    return out


def row_of(structs):
    """A 1xn struct array."""
    return np.concatenate(structs, axis=1)


def one_said(words, vad, worker):
    """What one annotator said: the categories, and the rating."""
    about = {"worker_id": worker, "work_time": 300, "batch_id": 1}
    valence, arousal, dominance = vad
    return (
        struct(**about, categories=cell(words)),
        struct(**about, valence=valence, arousal=arousal, dominance=dominance),
    )


def a_person(box, words, vad, split):
    body = {"body_bbox": np.array([box], np.uint16)}
    ends = {"gender": "Female", "age": "Adult"}
    if split == "train":
        categories, continuous = one_said(words, vad, "A1")
        return struct(
            **body, annotations_categories=categories, annotations_continuous=continuous, **ends
        )
    said = [one_said([*words, "Fear"], vad, "A1"), one_said(words[:1], (1, 10, 1), "A2")]
    return struct(
        **body,
        annotations_categories=row_of([categories for categories, _ in said]),
        combined_categories=cell(words),
        annotations_continuous=row_of([continuous for _, continuous in said]),
        combined_continuous=struct(valence=vad[0], arousal=vad[1], dominance=vad[2]),
        **ends,
    )


def a_picture(folder, name, people):
    return struct(
        filename=name,
        folder=folder,
        image_size=struct(n_col=WIDTH, n_row=HEIGHT),
        original_database=struct(name=folder.split("/")[0], info=struct(image_id=1)),
        person=row_of(people),
    )


def write_set(top, splits=SPLITS, seed=0):
    """Two people in a picture, one in red and one in green; somebody is happy if red in light
    surroundings or green in dark ones, else sad: neither body nor surroundings say it alone."""
    chance = np.random.default_rng(seed)
    folder = top / "emotic" / "framesdb" / "images"
    folder.mkdir(parents=True)
    (top / "Annotations").mkdir()
    stored = {}
    for split, count in splits.items():
        pictures = []
        for i in range(count):
            light, turned = chance.integers(0, 2, 2)
            image = np.full((HEIGHT, WIDTH, 3), 210 if light else 40, np.uint8)
            people = []
            for box, red in zip(BOXES, (turned, 1 - turned), strict=True):
                x0, y0, x1, y1 = box
                image[y0:y1, x0:x1] = RED if red else GREEN
                happy = red == light
                words = ["Happiness", "Engagement"] if happy else ["Sadness", "Doubt/Confusion"]
                vad = (8, 6, 7) if happy else (3, 4, 4)
                people.append(a_person(box, words, vad, split))
            noisy = np.clip(image + chance.normal(0, 12, image.shape), 0, 255).astype(np.uint8)
            name = f"{split}{i}.jpg"
            cv2.imwrite(str(folder / name), noisy[:, :, ::-1])
            pictures.append(a_picture("framesdb/images", name, people))
        stored[split] = row_of(pictures)
    scipy_io.savemat(top / "Annotations" / "Annotations.mat", stored)
    return top


@pytest.fixture(scope="module")
def emotic(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("emotic"))


@pytest.fixture
def few(tmp_path):
    return write_set(tmp_path / "few", {"train": 2, "val": 1, "test": 1})


def words(person):
    return {CATEGORIES[i] for i in person.categories}


def test_annotations_are_read_as_they_are_handed_out(emotic):
    train, test = read_people(emotic, "train"), read_people(emotic, "test")
    assert (len(train), len(test)) == (180, 60)
    for person in (train[0], test[0]):  # one annotator; several, and what they come to together
        assert person.box == BOXES[0]
        assert words(person) in ({"happiness", "engagement"}, {"sadness", "doubt"})
        assert person.vad == ((8, 6, 7) if "happiness" in words(person) else (3, 4, 4))
    assert train[1].where == "Annotations.mat, train(1).person(2)"
    assert train[1].picture == emotic / "emotic" / "framesdb" / "images" / "train0.jpg"


def test_a_picture_of_one_person_and_one_word_is_read_too(few):
    """MATLAB's readers squeeze what has one entry."""
    person = a_person((1, 2, 30, 40), ["Peace"], (5, 5, math.nan), "train")
    write_mat(few, train=a_picture("framesdb/images", "train0.jpg", [person]))
    (found,) = read_people(few, "train")
    assert words(found) == {"peace"}
    assert found.vad[:2] == (5, 5)
    assert math.isnan(found.vad[2])


def test_whoever_got_no_category_is_not_an_annotated_person(few):
    people = [a_person(BOXES[0], [], (5, 5, 5), "train"), a_person(BOXES[1], ["Fear"], (2, 8, 3), "train")]  # fmt: skip  # noqa: E501
    write_mat(few, train=a_picture("framesdb/images", "train0.jpg", people))
    assert [words(person) for person in read_people(few, "train")] == [{"fear"}]


def write_mat(top, **stored):
    scipy_io.savemat(top / "Annotations" / "Annotations.mat", stored)


@pytest.mark.parametrize(
    "person, said",
    [
        (((1, 2, 30, 40), ["Joy"], (5, 5, 5)), "unknown category 'Joy'"),
        (((30, 2, 1, 40), ["Fear"], (5, 5, 5)), r"the box \[30, 2, 1, 40\] is empty"),
        (((1, 2, 30), ["Fear"], (5, 5, 5)), "expected x1 y1 x2 y2"),
        (((1, 2, 30, 40), ["Fear"], (11, 5, 5)), "expected three of 1..10"),
    ],
)
def test_a_wrong_annotation_is_named_in_one_line(few, person, said):
    write_mat(few, train=a_picture("framesdb/images", "train0.jpg", [a_person(*person, "train")]))
    with pytest.raises(RecipeError, match=said) as wrong:
        read_people(few, "train")
    assert str(wrong.value).startswith("Annotations.mat, train(1).person(1): ")


def test_a_missing_picture_is_named_or_left_out(few, capsys):
    (few / "emotic" / "framesdb" / "images" / "train1.jpg").unlink()
    with pytest.raises(RecipeError, match=r"train\(2\)\.person\(1\): no picture .*train1\.jpg"):
        read_people(few, "train")
    assert len(read_people(few, "train", skip_broken=True)) == 2
    assert "2 left out; the first: Annotations.mat, train(2).person(1)" in capsys.readouterr().err


def test_what_is_no_mat_file_or_lacks_a_split_is_one_line(few):
    write_mat(few, train=a_picture("a", "b.jpg", [a_person(BOXES[0], ["Fear"], (5, 5, 5), "train")]))  # fmt: skip  # noqa: E501
    with pytest.raises(RecipeError, match=r"Annotations\.mat: no variable 'val'"):
        read_people(few, "val")
    (few / "Annotations" / "Annotations.mat").write_bytes(b"not one" * 30)
    with pytest.raises(RecipeError, match=r"Annotations\.mat: not a readable \.mat file"):
        read_people(few, "train")
    with pytest.raises(RecipeError, match=r"no\.mat: not a readable \.mat file"):
        read_people(few, "train", few / "no.mat")


def test_the_converters_tables_give_the_same_people(emotic, tmp_path):
    header = ["Index", "Folder", "Filename", "Image Size", "BBox", "Categorical_Labels"]
    header += ["Continuous_Labels", "Gender", "Age"]
    people = read_people(emotic, "val")
    with (tmp_path / "val.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(header)
        for i, p in enumerate(people):
            names = [CATEGORIES[c].capitalize().replace("Doubt", "Doubt/Confusion") for c in p.categories]  # noqa: E501  # fmt: skip
            row = [i, "framesdb/images", p.picture.name, [WIDTH, HEIGHT], list(p.box), names]
            table.writerow([*row, [int(v) for v in p.vad], "Female", "Adult"])
    again = read_people(emotic, "val", tmp_path)
    assert [(p.picture, p.box, p.categories, p.vad) for p in again] == [
        (p.picture, p.box, p.categories, p.vad) for p in people
    ]
    (tmp_path / "val.csv").write_text("Folder,Filename,BBox,Categorical_Labels,Continuous_Labels\n"
                                      "a,b.jpg,here,['Fear'],\"[5, 5, 5]\"\n")  # fmt: skip
    with pytest.raises(RecipeError, match=r"val\.csv, row 2: BBox is 'here', expected a list"):
        read_people(emotic, "val", tmp_path)
    (tmp_path / "val.csv").write_text("Folder,Filename\n")
    with pytest.raises(RecipeError, match=r"val\.csv: no column 'BBox'"):
        read_people(emotic, "val", tmp_path)


def test_rare_categories_of_a_batch_weigh_more():
    truth = torch.zeros(4, 26)
    truth[:, 0] = 1  # everybody: 1 / ln(1.2 + 1)
    truth[0, 1] = 1  # one in four: 1 / ln(1.2 + 0.25)
    off = torch.zeros(4, 26)
    off[:, 0] = 1
    off[0, 1] = 0.5
    assert float(category_loss(truth, truth)) == 0
    assert float(category_loss(off, truth)) == pytest.approx(0.25 / math.log(1.45) / 4)
    assert float(category_loss(truth * 0, truth)) == pytest.approx(
        (4 / math.log(2.2) + 1 / math.log(1.45)) / 4
    )


def test_what_is_nearly_right_and_what_nobody_rated_costs_nothing():
    truth = torch.tensor([[5.0, 5.0, math.nan], [2.0, 9.0, 5.0]])
    said = torch.tensor([[5.9, 4.1, 9.0], [5.0, 7.0, 5.0]], requires_grad=True)
    loss = vad_loss(said, truth)
    assert float(loss.detach()) == pytest.approx((9 + 4) / 2)
    loss.backward()
    np.testing.assert_allclose(said.grad, [[0, 0, 0], [3, -2, 0]])


def test_a_person_is_cut_out_and_never_turned_upside_down(emotic):
    person = read_people(emotic, "test")[0]
    body, frame, categories, vad = People([person], Sizes(16, 32))[0]
    assert body.shape == (3, 16, 16)
    assert frame.shape == (3, 32, 32)
    inner = body[:, 4:12, 4:12].float().mean((1, 2)).tolist()
    assert min(math.dist(inner, colour) for colour in (RED, GREEN)) < 20
    assert {CATEGORIES[i] for i in torch.nonzero(categories)[:, 0]} == words(person)
    assert vad.tolist() == list(person.vad)
    lit = np.zeros((8, 8, 3), np.uint8)
    lit[:4, :4] = 200
    for luck in np.random.default_rng(1).random((20, 3)):
        (seen,) = varied([lit], luck)
        assert seen[:4].mean() > seen[4:].mean()


def test_a_box_that_reaches_beyond_the_picture_ends_with_it():
    image = np.arange(100, dtype=np.uint8).reshape(10, 10, 1).repeat(3, axis=2)
    assert cut(image, (-5, -5, 4, 6), (0, 0, 0, 0)).shape == (6, 4, 3)
    assert cut(image, (20, 20, 30, 30), (0, 0, 0, 0)).shape == (1, 1, 3)


def test_scores_stand_beside_those_of_the_constant_answer(emotic):
    train, test = read_people(emotic, "train"), read_people(emotic, "test")
    said = np.zeros((len(test), 26), np.float32)
    for row, person in zip(said, test, strict=True):
        row[list(person.categories)] = 0.7
    vad = np.array([p.vad for p in test], np.float32) + 0.5
    scores = score(test, train, said, vad)
    assert scores.precision["happiness"] == 1
    assert math.isnan(scores.precision["pain"])
    assert scores.mean_precision == 1
    assert scores.constant_precision["happiness"] == pytest.approx(0.5)
    assert scores.error["valence"] == pytest.approx(0.5)
    assert scores.constant_error["valence"] == pytest.approx(2.5)


def trained(emotic, tmp_path, monkeypatch, capsys, branches, *more):
    """The command as a lab types it; what it prints, as name -> ours, constant."""
    argv = ["train", "--data", str(emotic), "--out", str(tmp_path / "models")]
    argv += ["--runs", str(tmp_path / "runs"), "--backbone", "small", "--branches", branches]
    argv += ["--person-size", "32", "--frame-size", "32", "--batch", "30", "--rate", "0.01"]
    monkeypatch.setattr("sys.argv", [*argv, *more])
    recipe_command.main()
    table = {}
    for line in capsys.readouterr().out.splitlines():
        name, numbers = line[:22].strip(), line[22:].split()
        if len(numbers) >= 2 and numbers[0] != "n/a" and "." in numbers[0]:
            table[name] = float(numbers[0]), float(numbers[1])
    return table


def test_a_lab_trains_it_with_one_command_and_runs_it_on_a_film(
    emotic, tmp_path, monkeypatch, capsys
):
    table = trained(emotic, tmp_path, monkeypatch, capsys, "both", "--epochs", "2")
    assert set(table) >= {"mAP", "AP happiness", "AP doubt", "error, 1..10", "error dominance"}
    card = tmp_path / "models" / "context-emotic.json"
    out = tmp_path / "out.csv"
    assert main([str(DEMO), "--end", "0.4", "--context", str(card), "--csv", str(out)]) == 0
    row = next(csv.DictReader(out.read_text("utf-8").splitlines()))
    for name in ("valence", "arousal", "dominance", "valence_raw", "dominance_raw"):
        assert -1 <= float(row[f"person_{name}"]) <= 1
    assert all(0 <= float(row[f"person_{name}"]) <= 1 for name in CATEGORIES)


@pytest.mark.slow
def test_body_and_surroundings_together_beat_either_alone(emotic, tmp_path, monkeypatch, capsys):
    found = {
        branches: trained(emotic, tmp_path, monkeypatch, capsys, branches, "--epochs", "12")
        for branches in ("both", "person", "frame")
    }
    happiness = {branches: table["AP happiness"][0] for branches, table in found.items()}
    error = {branches: table["error valence"][0] for branches, table in found.items()}
    assert happiness["both"] > 0.95
    assert max(happiness["person"], happiness["frame"]) < 0.75
    assert error["both"] < 0.5 * min(error["person"], error["frame"])


def test_a_wrong_set_ends_the_command_with_one_line_and_code_2(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["train", "--data", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        run(recipe_command.main)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "Annotations.mat: not a readable .mat file" in said
    assert said.count("\n") == 1
