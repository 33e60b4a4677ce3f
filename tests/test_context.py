"""People in context, with a small network that says what colour it was shown."""

import csv
import hashlib
import json
import math

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import engines
import tracker
from conftest import DEMO
from engines import TensorSpec
from tracker.cli import main
from tracker.context import ContextReader, Layout
from tracker.geometry import body_box
from tracker.models import ModelError, open_shipped
from tracker.sinks.rows import columns, rows, text
from tracker.smoothing import LstmSmoother
from tracker.sources import open_source
from tracker.values import CATEGORIES, Box, Face, Frame

HEADER = columns(context=True, scene=True)
SIDE = 8  # px


def a_network(path, affect=("valence", "arousal", "dominance"), categories=CATEGORIES):
    """Valence is the person's mean red, arousal the frame's mean green, dominance the person's
    blue, each -1..1; category i (of CATEGORIES) is (i + 1) / 30 times the frame's mean red, 0..1.
    """
    columns_of = {"valence": 0, "arousal": 4, "dominance": 2}
    weight = np.zeros((6, len(affect)), np.float32)
    for i, name in enumerate(affect):
        weight[columns_of[name], i] = 1
    shares = np.zeros((6, len(categories)), np.float32)
    for i, name in enumerate(categories):
        shares[3, i] = (CATEGORIES.index(name) + 1) / 30
    constants = {"w": weight, "one": np.ones(1, np.float32), "s": shares / 2}
    nodes = [
        helper.make_node("GlobalAveragePool", ["person"], ["p4"]),
        helper.make_node("GlobalAveragePool", ["frame"], ["f4"]),
        helper.make_node("Flatten", ["p4"], ["p"]),
        helper.make_node("Flatten", ["f4"], ["f"]),
        helper.make_node("Concat", ["p", "f"], ["both"], axis=1),
        helper.make_node("MatMul", ["both", "w"], ["affect"]),
        helper.make_node("Add", ["both", "one"], ["light"]),
        helper.make_node("MatMul", ["light", "s"], ["categories"]),
    ]
    picture = [TensorProto.FLOAT, ["n", 3, SIDE, SIDE]]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "context",
            [helper.make_tensor_value_info(n, *picture) for n in ("person", "frame")],
            [
                helper.make_tensor_value_info("affect", TensorProto.FLOAT, ["n", len(affect)]),
                helper.make_tensor_value_info(
                    "categories", TensorProto.FLOAT, ["n", len(categories)]
                ),
            ],
            [numpy_helper.from_array(value, name) for name, value in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )
    onnx.save(model, path)
    return path


def a_card(folder, *, name="around", affect=("valence", "arousal", "dominance"),
           categories=CATEGORIES, outputs=None, **changes):  # fmt: skip
    """The network with its card; the path of the card."""
    network = a_network(folder / f"{name}.onnx", affect, categories)
    half = [0.5, 0.5, 0.5]
    picture = {"size": [SIDE, SIDE], "colour": "RGB", "fit": "squash", "mean": half, "std": half}
    card = {
        "format": 1,
        "name": name,
        "role": "context",
        "version": "1",
        "input": {"person": picture, "frame": picture},
        "outputs": [
            {"name": "affect", "labels": list(affect)},
            {"name": "categories", "labels": list(categories)},
        ]
        if outputs is None
        else outputs,
        "data": [],
        "licence": "CC0",
        "scores": [],
        "sha256": hashlib.sha256(network.read_bytes()).hexdigest(),
    } | changes
    path = network.with_suffix(".json")
    path.write_text(json.dumps(card))
    return path


def lines(results):
    return [text(cells, HEADER) for result in results for cells in rows(result, HEADER)]


def table(card, tmp_path, *words):
    out = tmp_path / "out.csv"
    assert main([str(DEMO), "--context", str(card), "--csv", str(out), *words]) == 0
    return list(csv.DictReader(out.read_text("utf-8").splitlines()))


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return a_card(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def watched(card):
    return list(tracker.watch(DEMO, tracker.Options(context=str(card))))


def test_a_film_gets_columns_for_the_person_in_context(card, tmp_path):
    found = table(card, tmp_path, "--end", "0.5")
    person = [c for c in found[0] if c.startswith("person_")]
    affect = ["person_valence", "person_arousal", "person_dominance"]
    assert person == [*affect, *(f"{c}_raw" for c in affect), *(f"person_{c}" for c in CATEGORIES)]
    seen = [row for row in found if row["success"] == "1"]
    assert seen
    assert all(-1 <= float(row[c]) <= 1 for row in seen for c in person)


def test_without_such_a_model_no_such_column(tmp_path):
    out = tmp_path / "out.csv"
    assert main([str(DEMO), "--end", "0.1", "--csv", str(out)]) == 0
    assert "person_" not in out.read_text("utf-8")


def test_watching_gives_the_rows_that_the_command_writes(card, watched, tmp_path):
    table(card, tmp_path)
    written = (tmp_path / "out.csv").read_text("utf-8").splitlines()[1:]
    assert [",".join(line) for line in lines(watched)] == written


def test_pushing_the_frames_gives_what_watching_gives(card, watched):
    with tracker.build(tracker.Options(context=str(card))) as reader:
        pushed = [reader.push(frame.picture, frame.pts) for frame in open_source(DEMO)]
    assert lines(pushed) == lines(watched)


def test_no_future_frame_changes_a_past_value(card, watched):
    frames = list(open_source(DEMO))[:60]
    noise = np.random.default_rng(1).integers(0, 256, frames[0].image.shape, np.uint8)
    with tracker.build(tracker.Options(context=str(card))) as reader:
        past = [reader.push(f.picture, f.pts) for f in frames[:40]]
        for f in frames[40:]:
            reader.push(noise, f.pts)
    assert lines(past) == lines(watched[:40])


def test_the_person_is_cut_out_and_the_frame_is_whole(card):
    frame = next(iter(open_source(DEMO)))
    image = frame.image.copy()
    with tracker.build(tracker.Options(context=str(card))) as reader:
        person = reader.push(image, 0.0).people[0]
    height, width = image.shape[:2]
    body = body_box(person.face.box, (width, height))
    cut = image[round(body.y0) : round(body.y1), round(body.x0) : round(body.x1)]
    raw = person.context.affect.raw
    assert raw.valence == pytest.approx(cut[..., 0].mean() / 127.5 - 1, abs=0.02)
    assert raw.arousal == pytest.approx(image[..., 1].mean() / 127.5 - 1, abs=0.02)
    assert raw.dominance == pytest.approx(cut[..., 2].mean() / 127.5 - 1, abs=0.02)
    happiness = person.context.categories.values[CATEGORIES.index("happiness")]
    assert happiness == pytest.approx(17 / 30 * image[..., 0].mean() / 255, abs=0.02)


def test_a_first_reading_is_as_it_is_and_the_next_are_steadied(watched):
    readings = [r.people[0].context.affect for r in watched[:20] if r.people]
    assert readings[0].smooth.dominance == readings[0].raw.dominance
    raw = np.array([[a.raw.valence, a.raw.arousal, a.raw.dominance] for a in readings])
    smooth = np.array([[a.smooth.valence, a.smooth.arousal, a.smooth.dominance] for a in readings])
    assert np.abs(raw[0] - smooth[0]).max() < 0.01
    assert np.ptp(np.diff(smooth[:, 2])) < np.ptp(np.diff(raw[:, 2]))
    assert all(a.calibrated is None for a in readings)


class Fit:
    """Makes one number of a picture, and counts how often it was asked."""

    def __init__(self):
        self.asked = 0

    def __call__(self, image):
        self.asked += 1
        return np.full((1, 1, 1), image.mean() / 255, np.float32)


class Network:
    """Says of everybody the person's number, and nothing of categories."""

    inputs = (TensorSpec("frame", (1, 1, 1), "float32"), TensorSpec("person", (1, 1, 1), "float32"))
    outputs = (TensorSpec("affect", (3,), "float32"),)
    max_batch = 8
    description = "test double"

    def infer(self, frame, person):
        return (np.repeat(person.reshape(-1, 1), 3, axis=1),)

    def close(self):
        pass


def a_reader():
    """With the shipped memory, and pictures that are one number."""
    layout = Layout(
        {"person": Fit(), "frame": Fit()}, {"valence": 0, "arousal": 1, "dominance": 2}, None
    )
    memory = LstmSmoother(engines.load(open_shipped("memory-s").path, "onnx"))
    return ContextReader(Network(), layout, memory), layout


def split(left, right):
    image = np.zeros((100, 400, 3), np.uint8)
    image[:, :200], image[:, 200:] = left, right
    return image


LEFT, RIGHT = Face(3, Box(40, 10, 60, 30), 0.9), Face(8, Box(340, 10, 360, 30), 0.9)


def dominance(reader, pts, image, *faces):
    return [r.affect.smooth.dominance for r in reader(Frame(0, pts, 0.0, image), faces)]


def test_the_whole_frame_is_prepared_once_for_everybody():
    reader, layout = a_reader()
    reader(Frame(0, 0.0, 0.0, split(0, 255)), [LEFT, RIGHT])
    assert (layout.fits["person"].asked, layout.fits["frame"].asked) == (2, 1)


def test_each_person_has_a_memory_of_their_own_that_ends_when_they_are_gone():
    reader, _ = a_reader()
    dark, light = split(0, 255), split(255, 0)
    assert dominance(reader, 0.0, dark, LEFT, RIGHT) == [0, 1]
    moved = 1 - math.exp(-0.1 / 0.4)  # of the way, in a tenth of a second
    assert dominance(reader, 0.1, light, LEFT, RIGHT) == pytest.approx([moved, 1 - moved])
    assert dominance(reader, 0.2, dark, LEFT) == pytest.approx([moved * (1 - moved)])
    assert dominance(reader, 2.15, light, LEFT, RIGHT)[1] == 0  # unseen for more than 2 s: anew
    reader.begin()
    assert dominance(reader, 2.2, dark, LEFT) == [0]


def test_another_order_of_labels_gives_the_same_numbers(card, watched, tmp_path):
    turned = a_card(
        tmp_path, affect=("dominance", "valence", "arousal"), categories=CATEGORIES[::-1]
    )
    again = list(tracker.watch(DEMO, tracker.Options(context=str(turned)), end=1.0))
    assert lines(again) == lines(watched[: len(again)])


def labelled(name, *labels):
    return {"outputs": [{"name": name, "labels": labels}]}


@pytest.mark.parametrize(
    "wrong, words",
    [
        (labelled("affect", "valence", "energy"), "other labels: arousal, energy"),
        (labelled("categories", "joy", *CATEGORIES[1:]), "other labels: affection, joy"),
        (labelled("categories", "anger", *CATEGORIES), "twice"),
        (labelled("features"), "neither affect nor categories"),
        ({"role": "scene"}, "its role is 'scene'"),
        ({"input": {"person": {"size": [8, 8]}, "frame": {}}}, "colour None, expected 'RGB'"),
        ({"input": {"name": "frame"}}, "no input 'person'"),
    ],
)
def test_a_model_that_says_something_else_is_refused_in_one_line(wrong, words, tmp_path, capsys):
    assert main([str(DEMO), "--context", str(a_card(tmp_path, **wrong))]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "around.onnx" in said
    assert said.count("\n") == 1


def test_an_output_the_model_lacks_is_an_empty_column_and_the_sidecar_says_so(tmp_path):
    card = a_card(
        tmp_path,
        affect=("valence", "arousal"),
        outputs=[{"name": "affect", "labels": ["valence", "arousal"]}],
    )
    row = next(r for r in table(card, tmp_path, "--end", "0.2") if r["success"] == "1")
    assert row["person_valence"] != ""
    empty = ["person_dominance", "person_dominance_raw", *(f"person_{c}" for c in CATEGORIES)]
    assert {row[c] for c in empty} == {""}
    meta = json.loads((tmp_path / "out.meta.json").read_text("utf-8"))
    around = next(m for m in meta["models"] if m["role"] == "context")
    assert around["lacks"] == ["dominance", "categories"]
    why = {c["name"]: c.get("empty") for c in meta["columns"]}
    assert {why[c] for c in empty} == {
        "around does not say 'dominance'",
        "around does not say 'categories'",
    }
    assert why["person_valence"] is None
    assert meta["options"]["context"] == "around.json"  # no path


def test_a_graph_that_is_not_what_its_card_says_is_refused(card, tmp_path, capsys):
    other = a_card(tmp_path)
    model = onnx.load(other.with_suffix(".onnx"))
    del model.graph.output[1]  # categories
    onnx.save(model, other.with_suffix(".onnx"))
    about = json.loads(other.read_text())
    about["sha256"] = hashlib.sha256(other.with_suffix(".onnx").read_bytes()).hexdigest()
    other.write_text(json.dumps(about))
    assert main([str(DEMO), "--context", str(other)]) == 2
    assert "card has output 'categories', its graph has not" in capsys.readouterr().err


def test_a_model_is_found_by_name_in_the_users_folder(card, monkeypatch):
    monkeypatch.setenv("EMOTRACK_MODELS", str(card.parent))
    with tracker.build(tracker.Options(context="around")) as reader:
        assert "around" in {model.name for model in reader.models if model.role == "context"}
    with pytest.raises(ModelError, match="no model is named 'nobody'"):
        tracker.build(tracker.Options(context="nobody"))


def test_face_crops_have_no_surroundings():
    with pytest.raises(ValueError, match="faces 'whole'"):
        tracker.Options(context="around", faces="whole")


def test_a_body_hangs_below_its_face_and_ends_with_the_picture():
    assert body_box(Box(100, 100, 140, 140), (1000, 1000)) == Box(60, 80, 180, 380)
    assert body_box(Box(100, 100, 140, 140), (150, 200)) == Box(60, 80, 150, 200)
    assert body_box(Box(-300, 500, -200, 600), (150, 200)) == Box(0, 199, 1, 200)
