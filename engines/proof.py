"""Before a GPU's answers count, they are compared with the CPU's.

A driver, a library and a GPU can disagree in more ways than we can try, and a wrong number looks
like any other. The comparison takes some milliseconds per network at each start.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from engines.base import Engine, EngineError, Tensor
from engines.ort import OrtEngine

APART = 0.05  # allowed, absolute or relative: more than int8's rounding, the coarsest there is
USES = 3  # GPU engines record a batch size at its second use and repeat that from the third on
SIDE = 64  # of an axis that the network leaves open; a multiple of the detector's 32


def open_proven(opener: Callable[[], Engine], model: Path) -> Engine:
    """The engine that `opener` gives, if it answers as ONNX Runtime does on the CPU.

    Raises EngineError if it does not, or cannot be opened or run.
    """
    with ExitStack() as wrong_or_broken:
        try:
            engine = opener()
            wrong_or_broken.callback(engine.close)
            rows = _rows(engine)
            answers = [engine.infer(*rows) for _ in range(USES)]
        except EngineError:
            raise
        except Exception as wrong:  # a library of another version may raise anything
            raise EngineError(f"{model.name}: its first run failed: {wrong!r}") from wrong
        _compare(engine, answers, rows, model)
        wrong_or_broken.pop_all()  # it is neither
    return engine


def _compare(
    engine: Engine, answers: list[tuple[Tensor, ...]], rows: list[Tensor], model: Path
) -> None:
    """Raises EngineError if one of the answers is another than the CPU's."""
    reference = OrtEngine(model, "cpu", 1)
    expected = reference.infer(*rows)
    reference.close()
    for answer in answers:
        if [a.shape for a in answer] != [e.shape for e in expected]:
            raise EngineError(
                f"{model.name}: outputs of {engine.description} have other shapes than the CPU's"
            )
        for spec, ours, theirs in zip(engine.outputs, answer, expected, strict=True):
            if not np.allclose(ours, theirs, rtol=APART, atol=APART):
                worst = float(np.abs(ours.astype(np.float64) - theirs).max())
                raise EngineError(
                    f"{model.name}: output {spec.name!r} of {engine.description} differs from the "
                    f"CPU's by {worst:.2g}; it is not used"
                )


def _rows(engine: Engine) -> list[Tensor]:
    """One row of noise per input: grey levels for pictures, 0..1 for the rest."""
    rng = np.random.default_rng(0)
    rows = []
    for spec in engine.inputs:
        shape = (1, *(SIDE if size == -1 else size for size in spec.shape))
        rows.append(rng.uniform(0, 255 if len(shape) == 4 else 1, shape).astype(spec.dtype))
    return rows
