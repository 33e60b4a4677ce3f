"""Other precisions of a network: they run everywhere they should, and say nearly the same."""

import json

import numpy as np
import onnx
import pytest

import engines
from tracker.models import open_shipped

pytest.importorskip("onnxruntime.quantization", reason="needs emotrack[train]")
quantize = pytest.importorskip("calibration.quantize", reason="needs emotrack[train]")

FACE = open_shipped("face-s")
TOLERANCE = {"fp16": 1e-2, "int8": 5e-2, "int8-tensorrt": 5e-2}  # between engines on one file
OTHERS = [
    (name, device)
    for name, about in engines.BACKENDS.items()
    for device in about.devices
    if (name, device) != ("onnx", "cpu")
]
MOVED = {"fp16": 1e-2, "int8": 0.1, "int8-tensorrt": 0.1}  # against fp32, mean over noise


@pytest.fixture(scope="module")
def crops():
    """Soft random pictures: between noise and faces."""
    coarse = np.random.default_rng(1).uniform(0, 255, (96, 1, 12, 12))
    return coarse.repeat(4, 2).repeat(4, 3).astype(np.float32)


@pytest.fixture(scope="module", params=quantize.FORMS)
def made(request, crops, tmp_path_factory):
    target = tmp_path_factory.mktemp("made") / f"face-s-{request.param}.onnx"
    quantize.quantize(FACE.path, target, request.param, {"face": crops})
    return request.param, target


def answers(path, on, crops):
    """on: backend and device."""
    engine = engines.load(path, on[0], device=on[1], max_batch=16)
    said = engines.infer_rows(engine, crops)
    engine.close()
    return said


def test_the_file_is_smaller_and_reads_nearly_as_the_original(made, crops):
    form, path = made
    assert path.stat().st_size < FACE.path.stat().st_size * (0.6 if form == "fp16" else 0.35)
    affect, expression, _ = answers(path, ("onnx", "cpu"), crops[:16])
    was_affect, was_expression, _ = answers(FACE.path, ("onnx", "cpu"), crops[:16])
    assert np.abs(affect - was_affect).mean() < MOVED[form]
    assert np.abs(expression - was_expression).mean() < MOVED[form]
    assert not np.array_equal(affect, was_affect)


@pytest.mark.parametrize("on", OTHERS, ids="-".join)
def test_every_engine_runs_it_as_onnx_runtime_does_on_the_cpu(made, on, crops):
    form, path = made
    theirs = answers(path, ("onnx", "cpu"), crops[:16])
    try:
        ours = answers(path, on, crops[:16])
    except engines.MissingBackend as missing:
        pytest.skip(str(missing))
    except engines.EngineError:
        if form == "int8" and on[0].startswith("tensorrt"):
            return  # it does not take the int8 that is for CPUs: the builder's test below
        raise
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=TOLERANCE[form], rtol=TOLERANCE[form])


def test_inputs_and_outputs_keep_their_type(made):
    engine = engines.load(made[1], "onnx")
    assert {spec.dtype for spec in (*engine.inputs, *engine.outputs)} == {"float32"}


def test_nvidias_builder_takes_the_forms_that_are_for_it(made):
    form, path = made
    pytest.importorskip("tensorrt_rtx", reason="needs emotrack[tensorrt-rtx]")
    from engines.building import build_plan, load_api
    from engines.plans import batches

    api = load_api("tensorrt_rtx")
    if form == "int8":
        with pytest.raises(engines.EngineError, match="tensorrt_rtx cannot"):
            build_plan(api, path, batches(8))
    else:
        assert build_plan(api, path, batches(8))


def test_weights_of_the_cpu_form_have_seven_bits_so_that_every_processor_says_the_same(made):
    form, path = made
    weights = [t for t in onnx.load(path).graph.initializer if t.data_type == onnx.TensorProto.INT8]
    widest = max(int(np.abs(onnx.numpy_helper.to_array(t).astype(int)).max()) for t in weights
                 if t.name.endswith("_quantized")) if form != "fp16" else 0  # fmt: skip
    assert widest == {"int8": 64, "int8-tensorrt": 127, "fp16": 0}[form]


def test_what_is_to_be_kept_is_left_as_it_was(crops, tmp_path):
    target = tmp_path / "kept.onnx"
    quantize.quantize(FACE.path, target, "int8", {"face": crops[:8]}, kept=("body.3.", ".around."))
    was, now = (
        {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
        for path in (FACE.path, target)
    )
    convolutions = {name for name, weight in was.items() if weight.ndim == 4}
    left = {name for name in convolutions if name in now}
    assert {name.split(".")[2] for name in convolutions - left} == set("45678")
    assert "network.body.3.second.weight" in left
    assert "network.body.8.around.1.weight" in left
    assert "network.body.8.first.weight" not in left
    for name in left:
        np.testing.assert_array_equal(now[name], was[name])


def test_an_unknown_form_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="form is 'int4', expected one of int8"):
        quantize.quantize(FACE.path, tmp_path / "x.onnx", "int4", {})


def test_the_card_of_the_new_file_says_what_it_cost(tmp_path, made):
    quantized = pytest.importorskip("calibration.face.quantized")
    form, path = made
    costs = [quantized.Cost("accuracy", 0.86, 100, 0.87), quantized.Cost("largest", 0.05, 100)]
    card = quantized.card_of(FACE.path, path.stem, form, costs)
    assert card["precision"] == form
    assert card["made_from"] == {"name": "face-s", "sha256": FACE.sha256}
    assert [score["value"] for score in card["scores"]] == [0.86, 0.05]
    assert card["scores"][0]["original"] == 0.87
    json.dumps(card)
