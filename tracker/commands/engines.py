"""`emotrack engines [build]`: what can read here, how fast, and plans made ahead."""

from __future__ import annotations

import argparse
import importlib.metadata
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engines import BACKENDS, Engine, EngineError, MissingBackend, candidates, load
from tracker.commands.engine import hear
from tracker.models import SHIPPED, Model, open_card
from tracker.options import Options

SIDE = 320  # px, of a picture whose size the model leaves open
LONGEST = 0.3  # s of measuring per model
BUILT = ("tensorrt", "tensorrt_rtx")  # backends with plans


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="emotrack engines",
        description="Lists what can run the networks here: library, device, and the time of one "
        "row of each shipped network in ms. build: prepares TensorRT's plans ahead of the first "
        "film.",
    )
    parser.add_argument("action", nargs="?", choices=("list", "build"), default="list")
    parser.add_argument("--engine", default="auto", metavar="NAME", help=", ".join(BUILT))
    given = parser.parse_args(words)
    hear(verbose=False)
    models = [open_card(card) for card in sorted(SHIPPED.glob("*.json"))]
    if given.action == "list":
        if given.engine != "auto":
            parser.error("--engine is for build")
        _list(models)
    else:
        if given.engine not in ("auto", *BUILT):
            parser.error(f"{given.engine} has no plans to build; {' and '.join(BUILT)} have")
        _build([model for model in models if not _for_cpu_only(model)], given.engine)
    return 0


def _list(models: list[Model]) -> None:
    print("ms for one row; on a GPU the first look may take minutes, while plans are built")
    names = "  ".join(f"{model.name:>11}" for model in models)
    print(
        f"{'engine':<12}  {'installed':<10}  {'device':<6}  {names}  what runs, or what is missing"
    )
    for backend, about in BACKENDS.items():
        installed = _version(about.packages[0])
        for device in about.devices:
            times, said = _measured(models, backend, device)
            cells = "  ".join(f"{times.get(model.name, '-'):>11}" for model in models)
            line = f"{backend:<12}  {installed or 'no':<10}  {device:<6}  {cells}  {said}"
            print(line, flush=True)


def _for_cpu_only(model: Model) -> bool:
    """The int8 that ships is the form that ONNX Runtime's kernels for CPUs want."""
    return bool(model.card.get("precision") == "int8")


def _version(package: str) -> str:
    """Of an installed package, by its import name; "" without one."""
    owners = importlib.metadata.packages_distributions().get(package, [])
    return importlib.metadata.version(owners[0]) if owners else ""


def _measured(models: list[Model], backend: str, device: str) -> tuple[dict[str, str], str]:
    """Milliseconds per model name, and the engine's own words; or why there are none."""
    times: dict[str, str] = {}
    said = ""
    for model in models:
        if _for_cpu_only(model) and (backend, device) != ("onnx", "cpu"):
            continue
        try:
            engine = load(model.path, backend, device=device, max_batch=_batch(model))
        except EngineError as wrong:
            return times, str(wrong)
        times[model.name] = f"{_milliseconds(engine):.2f}"
        said = engine.description
        engine.close()
    return times, said


def _build(models: list[Model], engine: str) -> None:
    """Raises EngineError with the reason if no plan can be built here."""
    wanted = [pair for pair in candidates(engine, "cuda") if pair[0] in BUILT]
    reasons = []
    for backend, device in wanted:
        try:
            for path, seconds in _built(models, backend, device):
                print(f"{path.name}: ready for {backend} in {seconds:.1f} s")
        except MissingBackend as missing:
            reasons.append(str(missing))
    if len(reasons) == len(wanted):
        raise EngineError("; ".join(reasons))


def _built(models: list[Model], backend: str, device: str) -> Iterator[tuple[Path, float]]:
    for model in models:
        begin = time.perf_counter()
        load(model.path, backend, device=device, max_batch=_batch(model)).close()
        yield model.path, time.perf_counter() - begin


def _batch(model: Model) -> int:
    """As many rows as a Tracker asks for: a plan holds for one such number."""
    return 1 if model.role == "detector" else Options().max_batch


def _milliseconds(engine: Engine) -> float:
    """Median time of one row of zeros."""
    rows = []
    for spec in engine.inputs:
        rows.append(np.zeros((1, *(SIDE if d == -1 else d for d in spec.shape)), spec.dtype))
    for _ in range(3):  # the first calls allocate and record
        engine.infer(*rows)
    times: list[float] = []
    end = time.perf_counter() + LONGEST
    while time.perf_counter() < end:
        begin = time.perf_counter()
        engine.infer(*rows)
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e3
