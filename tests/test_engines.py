"""What every engine promises, asked of all that are installed."""

from pathlib import Path

import numpy as np
import pytest
from doubling import doubling_model, opened

import engines
from engines import EngineError

EVERY = [(name, device) for name, about in engines.BACKENDS.items() for device in about.devices]
IDS = ["-".join(pair) for pair in EVERY]
WEIGHTS = Path(__file__).parent.parent / "tracker" / "weights"
# Not the int8 that is for CPUs: tests/test_quantize.py.
SHIPPED = [path for path in sorted(WEIGHTS.glob("*.onnx")) if not path.stem.endswith("-int8")]
MEMORY = next(path for path in SHIPPED if path.stem == "memory-s")  # three inputs
TOLERANCE = 1e-3  # between two engines on one fp32 file


@pytest.fixture(params=EVERY, ids=IDS)
def engine(request, tmp_path):
    engine = opened(doubling_model(tmp_path / "double.onnx"), *request.param, 4)
    yield engine
    engine.close()


@pytest.fixture(params=EVERY, ids=IDS)
def on(request):
    """A backend and a device."""
    return request.param


def rows_for(engine, n):
    """Pictures of noise, and numbers of a memory's size."""
    rng = np.random.default_rng(n)
    shapes = [(n, *(64 if d == -1 else d for d in spec.shape)) for spec in engine.inputs]
    return [rng.uniform(0, 255 if len(s) == 4 else 1, s).astype(np.float32) for s in shapes]


def test_an_engine_computes_what_the_file_says_for_any_batch(engine):
    for n in (1, 4):
        x = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
        (y,) = engine.infer(x)
        np.testing.assert_allclose(y, 2 * x)


@pytest.mark.parametrize("model", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_network_says_the_same_on_every_engine(model, on):
    reference, engine = engines.load(model, "onnx"), opened(model, *on, 8)
    assert [spec.name for spec in engine.inputs] == [spec.name for spec in reference.inputs]
    assert [spec.name for spec in engine.outputs] == [spec.name for spec in reference.outputs]
    for n in (1, 5, 1, 5, 5):  # some engines record at the second use of a size, and then repeat
        rows = rows_for(reference, n)
        for ours, theirs in zip(engine.infer(*rows), reference.infer(*rows), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=TOLERANCE, rtol=TOLERANCE)
    engine.close()


@pytest.mark.parametrize("model", SHIPPED, ids=lambda path: path.stem)
def test_a_row_alone_is_the_same_row_in_a_batch(model, on):
    engine = opened(model, *on, 8)
    rows = rows_for(engine, 8)
    together = engine.infer(*rows)
    for k in (0, 7):
        alone = engine.infer(*(part[k : k + 1] for part in rows))
        for one, many in zip(alone, together, strict=True):
            np.testing.assert_allclose(one[0], many[k], atol=TOLERANCE, rtol=TOLERANCE)
    engine.close()


def test_outputs_survive_the_next_call_and_closing_and_belong_to_the_caller(engine):
    answers = [engine.infer(np.full((1, 2), k, np.float32))[0] for k in range(1, 6)]
    engine.close()
    for k, answer in enumerate(answers, 1):
        np.testing.assert_allclose(answer, 2 * k)
        answer += 1


def test_an_input_may_lie_in_memory_as_it_likes_and_is_left_as_it_was(engine):
    plain = np.arange(8, dtype=np.float32).reshape(4, 2)
    for x in (np.asfortranarray(plain), np.repeat(plain, 2, 0)[::2], plain[::-1][::-1]):
        x.flags.writeable = False
        (y,) = engine.infer(x)
        np.testing.assert_allclose(y, 2 * plain)
        np.testing.assert_array_equal(x, plain)


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((1, 2)),
        np.zeros((1, 3), np.float32),
        np.zeros(2, np.float32),
        np.zeros((5, 2), np.float32),
        np.zeros((0, 2), np.float32),
        np.zeros((1, 2), np.float16),
    ],
    ids=["float64", "too wide", "no batch", "too many rows", "no rows", "float16"],
)
def test_a_wrong_tensor_is_an_error_that_names_the_input(engine, x):
    with pytest.raises(EngineError, match=r"double\.onnx: input 'x'"):
        engine.infer(x)


def test_the_one_wrong_tensor_of_several_is_named(on):
    engine = opened(MEMORY, *on, 4)
    rows = rows_for(engine, 2)
    names = [spec.name for spec in engine.inputs]
    for i, name in enumerate(names):
        for wrong in (rows[i].astype(np.float64), rows[i][:, :-1], np.repeat(rows[i], 3, 0)):
            given = [*rows[:i], wrong, *rows[i + 1 :]]
            with pytest.raises(EngineError, match=r"memory-s\.onnx: input '") as raised:
                engine.infer(*given)
            assert f"'{name}'" in str(raised.value)
    engine.close()


def test_closing_twice_is_harmless_and_then_nothing_runs(engine):
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.infer(np.zeros((1, 2), np.float32))


def test_the_wrong_number_of_inputs_is_an_error(engine):
    with pytest.raises(EngineError, match="2 inputs, expected 1"):
        engine.infer(np.zeros((1, 2), np.float32), np.zeros((1, 2), np.float32))
