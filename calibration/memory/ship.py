"""From a taught memory to what is shipped: the ONNX file, the proof, and its card."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from calibration.cards import write_card
from calibration.export import export
from calibration.memory import doubt
from calibration.memory.batches import draw_batch
from calibration.memory.evaluate import Row, Score, summary, table
from calibration.memory.network import INPUT, Memory
from calibration.memory.noise import WIDER, Noise
from calibration.memory.told import DATA, LIMITS, NOISE_ORIGIN
from calibration.memory.traces import training_traces
from calibration.memory.trials import AT_MOST, RATES, Follow, lstm
from engines import Engine, load

PARITY_STEPS = 1000  # one step says little about a state
COMMAND = "python -m calibration.memory.evaluate"


def ship(network: Memory, shared: Path, path: Path, rows: Sequence[dict[str, float]]) -> str:
    """Writes `path` and its card. Returns in words how far the file and torch lie apart.

    Raises ValueError if they do not say the same.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    batch = torch.export.Dim("batch", min=1, max=1024)
    export(
        network,
        [_example(network, keys) for keys in (3, 1, 8)],
        path,
        inputs=("x", "h", "c"),
        outputs=("affect", "spread", "h_out", "c_out"),
        dynamic={name: {0: batch} for name in ("x", "h", "c")},
    )
    engine = load(path, "onnx", max_batch=AT_MOST)
    apart = parity(network, engine, shared)
    if apart > 1e-4:
        raise ValueError(f"{path.name}: differs from torch by {apart:.2g} after many steps")
    write_card(path, card(network, shared, engine, rows, apart))
    return f"{path.name}: {apart:.2g} from torch over {PARITY_STEPS} steps"


def parity(network: Memory, engine: Engine, shared: Path) -> float:
    """The largest difference of the file's steps from torch's whole series, PARITY_STEPS long."""
    rng = np.random.default_rng(5)
    x = draw_batch(rng, training_traces(shared), Noise(), 8, PARITY_STEPS).x
    with torch.no_grad():
        affect, spread, _ = network.follow(x, network.new_state(len(x)))
    h, c = (state.numpy() for state in network.new_state(len(x)))
    worst = 0.0
    for t in range(PARITY_STEPS):
        said, doubt, h, c = engine.infer(x[:, t].numpy(), h, c)
        worst = max(worst, np.abs(said - affect[:, t].numpy()).max())
        worst = max(worst, np.abs(doubt - spread[:, t].numpy()).max())
    return float(worst)


def card(
    network: Memory, shared: Path, engine: Engine, rows: Sequence[dict[str, float]], apart: float
) -> dict[str, Any]:
    return {
        "role": "memory",
        "version": "1.0",
        "input": {
            "name": "x",
            "holds": list(INPUT),
            "unit": ["-1..1", "-1..1", "0..1", "s since this key was last read; 0 at first"],
        },
        "state": {"names": ["h", "c"], "width": network.hidden, "new": 0},
        "outputs": [
            {"name": "affect", "labels": ["valence", "arousal"], "unit": "-1..1"},
            {"name": "spread", "labels": ["valence", "arousal"], "unit": "standard deviation"},
        ],
        "data": DATA,
        "noise": {"origin": NOISE_ORIGIN, **dataclasses.asdict(Noise())},
        "wider_in_training": _changed(WIDER),
        "training": {"command": "python -m calibration.memory.train", "epochs": len(rows)}
        | {"last": rows[-1], "onnx_from_torch": apart},
        "licence": "Apache-2.0",
        "scores": _scores(table(shared, lstm(engine), Noise())),
        "spread": _spread(network, shared, lstm(engine)),
        "limits": LIMITS,
    }


def _changed(noise: Noise) -> dict[str, Any]:
    """Where it differs from what was measured."""
    measured = dataclasses.asdict(Noise())
    return {k: v for k, v in dataclasses.asdict(noise).items() if v != measured[k]}


def _spread(network: Memory, shared: Path, follow: Follow) -> dict[str, Any]:
    """How well the memory's doubt holds on the held-out traces."""
    rows = doubt.table(shared, follow, Noise())
    groups = {f"noise x{level:g}": [r for r in rows if r.level == level] for level in doubt.LEVELS}
    groups |= {f"{rate:.0f} readings/s": [r for r in rows if r.rate == rate] for rate in RATES}
    groups |= {name: [r for r in rows if r.set == name] for name in {r.set: r for r in rows}}
    means = {name: doubt.mean(kept) for name, kept in (groups | {"all": rows}).items() if kept}
    return {
        "what": "share of held-out true values within 1 and 2 deviations; .683 and .954 if normal",
        "multiplied_by": round(float(network.doubt), 4),
        "fitted_on": "the training traces, at every rate, pace and noise level",
        "within": {name: [round(m.one, 3), round(m.two, 3)] for name, m in means.items()},
        "command": COMMAND,
    }


def _scores(rows: list[Row]) -> list[dict[str, Any]]:
    """For each set and pace: the memory, beside it the bare readings and the best filter."""
    today = datetime.date.today().isoformat()
    scores: list[dict[str, Any]] = []
    for (name, pace), methods in summary(rows).items():
        known = {k: v for k, v in methods.items() if k not in ("raw", "LSTM")}
        best = max(known, key=lambda method: known[method].ccc)
        compared = {"memory": methods["LSTM"], best: methods[best], "raw": methods["raw"]}
        (n,) = {row.traces for row in rows if (row.set, row.pace) == (name, pace)}
        scores.append(
            {"metric": "CCC with the trace before noise, mean over 5, 10, 25 and 60 readings/s"}
            | {"value": round(methods["LSTM"].ccc, 4), "set": f"{name}, held out, pace x{pace:.0f}"}
            | {"n": n, "compared": {k: _rounded(v) for k, v in compared.items()}}
            | {"date": today, "command": COMMAND}
        )
    return scores


def _rounded(score: Score) -> dict[str, float | None]:
    """None where nan: JSON has no nan."""
    values = dataclasses.asdict(score).items()
    return {k: None if np.isnan(v) else round(v, 4) for k, v in values}


def _example(network: Memory, keys: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(keys)
    x = torch.rand(keys, len(INPUT), generator=generator)
    h, c = (torch.rand(keys, network.hidden, generator=generator) for _ in range(2))
    return x, h, c
