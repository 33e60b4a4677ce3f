"""A GPU's engine is used if it answers as the CPU does, and else refused."""

import pytest
from doubling import doubling_model

from engines import EngineError, OutOfMemory, TensorSpec
from engines.proof import open_proven


class Doubtful:
    """A GPU's engine for the doubling model, as it should not be."""

    inputs = outputs = (TensorSpec("x", (2,), "float32"),)
    max_batch = 1
    description = "a GPU"

    def __init__(self, answer):
        self._answer = answer
        self.uses = 0
        self.closed = False

    def infer(self, x):
        self.uses += 1
        return (self._answer(x, self.uses),)

    def close(self):
        self.closed = True


def test_an_engine_that_answers_as_the_cpu_does_is_used(tmp_path):
    path = doubling_model(tmp_path / "double.onnx")
    engine = Doubtful(lambda x, use: 2 * x + 1e-4)
    assert open_proven(lambda: engine, path) is engine
    assert engine.uses == 3
    assert not engine.closed


def test_an_engine_with_other_shapes_than_the_cpus_is_refused(tmp_path):
    path, engine = doubling_model(tmp_path / "double.onnx"), Doubtful(lambda x, use: 2 * x[:, :1])
    with pytest.raises(EngineError, match=r"double\.onnx: outputs of a GPU have other shapes"):
        open_proven(lambda: engine, path)
    assert engine.closed


@pytest.mark.parametrize("error", [OutOfMemory("no room"), AttributeError("no attribute")])
def test_an_engine_whose_first_run_fails_is_closed(tmp_path, error):
    def failing(x, use):
        raise error

    path, engine = doubling_model(tmp_path / "double.onnx"), Doubtful(failing)
    with pytest.raises(EngineError, match="no "):
        open_proven(lambda: engine, path)
    assert engine.closed


@pytest.mark.parametrize(
    "answer",
    [lambda x, use: 2 * x + 1, lambda x, use: 2 * x if use < 3 else x, lambda x, use: x / 0 * 0],
    ids=["always wrong", "wrong when repeated", "no numbers"],
)
@pytest.mark.filterwarnings("ignore:.*encountered")
def test_an_engine_that_answers_otherwise_is_refused(tmp_path, answer):
    path, engine = doubling_model(tmp_path / "double.onnx"), Doubtful(answer)
    with pytest.raises(EngineError, match=r"double\.onnx: output 'x' of a GPU differs"):
        open_proven(lambda: engine, path)
    assert engine.closed


def test_a_library_that_fails_in_a_way_of_its_own_is_an_engine_error(tmp_path):
    def changed(x, use):
        raise AttributeError("no attribute 'execute_async_v3'")

    path = doubling_model(tmp_path / "double.onnx")
    with pytest.raises(EngineError, match=r"first run failed: .*execute_async_v3"):
        open_proven(lambda: Doubtful(changed), path)
