"""The shipped face network: what its card promises holds."""

import numpy as np
import pytest

import engines
from tracker.crops import Template
from tracker.models import open_shipped
from tracker.values import EXPRESSIONS

MODEL = open_shipped("face-s")
INPUT = MODEL.card["input"]


@pytest.fixture(scope="module")
def engine():
    engine = engines.load(MODEL.path, "onnx", max_batch=64)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def crops():
    """Flat, dark, bright and noisy crops, and a drawn face under light from the left."""
    size = INPUT["size"][0]
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:size, :size] / size
    face = np.where((x - 0.5) ** 2 / 0.14 + (y - 0.5) ** 2 / 0.2 < 1, 170.0, 60.0)
    for ex in (0.31, 0.69):
        face[np.hypot(x - ex, y - 0.38) < 0.06] = 40
    face[(abs(x - 0.5) < 0.16) & (abs(y - 0.75 + 1.5 * (x - 0.5) ** 2) < 0.03)] = 50
    rows = [
        np.zeros((size, size)),
        np.full((size, size), 255.0),
        rng.uniform(0, 255, (size, size)),
        rng.uniform(0, 6, (size, size)),
        face * (1.2 - 0.5 * x),
    ]
    return np.stack(rows)[:, None].astype(np.float32)


def test_the_card_has_the_labels_of_the_program():
    outputs = {output["name"]: output for output in MODEL.card["outputs"]}
    assert MODEL.role == "face"
    assert tuple(outputs["expression"]["labels"]) == EXPRESSIONS
    assert outputs["affect"]["labels"] == ["valence", "arousal"]


def test_the_graph_has_the_inputs_and_outputs_of_the_card(engine):
    template = Template.from_card(INPUT)
    assert [(spec.name, spec.shape) for spec in engine.inputs] == [
        ("face", (template.channels, template.size, template.size))
    ]
    width = MODEL.card["outputs"][2]["width"]
    assert [(spec.name, spec.shape) for spec in engine.outputs] == [
        ("affect", (2,)),
        ("expression", (8,)),
        ("features", (width,)),
    ]


def test_the_template_has_a_face_that_looks_ahead():
    (lx, ly), (rx, ry), (nx, ny), (mlx, mly), (mrx, mry) = Template.from_card(INPUT).points
    middle = INPUT["size"][0] / 2
    assert ly == ry < ny < mly == mry
    assert (lx + rx) / 2 == pytest.approx(middle, abs=0.02)
    assert (mlx + mrx) / 2 == pytest.approx(middle, abs=0.02)
    assert nx == pytest.approx(middle, abs=0.02)


def test_any_crop_gives_affect_in_range_and_probabilities(engine, crops):
    affect, expression, features = engine.infer(crops)
    assert (np.abs(affect) <= 1).all()
    assert (expression >= 0).all()
    np.testing.assert_allclose(expression.sum(1), 1, atol=1e-5)
    assert np.isfinite(features).all()


def test_a_crop_reads_the_same_alone_and_among_others(engine, crops):
    together = engine.infer(crops)
    for i in range(len(crops)):
        for whole, one in zip(together, engine.infer(crops[i : i + 1]), strict=True):
            np.testing.assert_allclose(whole[i], one[0], atol=1e-4)


def test_half_the_light_reads_nearly_the_same(engine, crops):
    face = crops[-1:]
    bright, dim = engine.infer(face), engine.infer(face / 2)
    np.testing.assert_allclose(bright[0], dim[0], atol=0.15)
    np.testing.assert_allclose(bright[1], dim[1], atol=0.15)


def test_the_network_is_small():
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(MODEL.path).graph
    count = sum(int(np.prod(tensor.dims)) for tensor in graph.initializer)
    assert count <= 1_500_000
    assert MODEL.path.stat().st_size < 6_500_000  # bytes


def validation(shared):
    pytest.importorskip("torch")
    from calibration.face.pictures import majority, shares_of, validation_votes

    votes = validation_votes(shared / "data" / "faces")
    sure = majority(votes.votes)
    crops = votes.images[sure][:, None].astype(np.float32)
    return crops, shares_of(votes.votes)[sure].argmax(1)


def score(metric):
    found = [entry for entry in MODEL.card["scores"] if entry["metric"] == metric]
    return next(entry["value"] for entry in found if "majority" in entry["set"])


@pytest.mark.slow
def test_the_accuracy_of_the_card_is_found_again(engine, shared):
    crops, truth = validation(shared)
    expression = engines.infer_rows(engine, crops)[1]
    accuracy = float((expression.argmax(1) == truth).mean())
    assert accuracy == pytest.approx(score("accuracy"), abs=0.002)  # of other processors
    assert accuracy > score("accuracy of the constant answer") + 0.3


@pytest.mark.slow
def test_a_mirrored_face_reads_nearly_the_same(engine, shared):
    crops = validation(shared)[0][:400]
    there = engines.infer_rows(engine, crops)
    back = engines.infer_rows(engine, np.ascontiguousarray(crops[..., ::-1]))
    assert np.abs(there[0] - back[0]).mean() < 0.08
    assert (there[1].argmax(1) == back[1].argmax(1)).mean() > 0.85
