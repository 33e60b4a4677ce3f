"""How many face crops a GPU reads in a second, and how far its answers are from the CPU's.

    python benchmarks/gpu.py                     # TensorRT where it is installed, else torch
    python benchmarks/gpu.py --engine onnx --device cpu --seconds 0.2    # a trial of this script

Every figure includes the way of the crops to the GPU and of the readings back. Needs `engines`,
`calibration.quantize` and the networks, nothing of `tracker`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

import engines
from calibration.quantize import quantize

WEIGHTS = Path(__file__).parent.parent / "tracker" / "weights"
FACE = WEIGHTS / "face-s.onnx"
BATCHES = (1, 8, 64, 256)
TARGET = 60_000  # crops/s at batch 64, on a GPU of the H200's class
LIMITS = {"fp32": 1e-3, "fp16": 1e-2}  # largest distance from ONNX Runtime on the CPU
SIDES = (192, 320)  # px, of a detector's picture: a film of 16:9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", help="default: tensorrt if it runs, else torch")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=2.0, help="of measuring per figure")
    parser.add_argument("--out", type=Path, default=Path("bench-gpu.json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        half = Path(folder) / "face-s-fp16.onnx"
        quantize(FACE, half, "fp16", {})
        name = given.engine or first_that_runs(given.device)
        found: dict[str, float] = {}
        for precision, path in (("fp32", FACE), ("fp16", half)):
            found |= faces(path, precision, name, given.device, given.seconds)
    for path in sorted(WEIGHTS.glob("*.onnx")):
        if not path.stem.endswith("-int8"):  # a form for CPUs, which TensorRT does not read
            found |= one_row(path, name, given.device, given.seconds / 2)
    engine = engines.load(FACE, name, device=given.device)
    print(f"\n{engine.description}")
    for figure, value in found.items():
        print(f"{figure:<52}{value:14.6g}")
    for precision in LIMITS:
        reached = found[f"face net, {precision}, batch 64, crops/s"]
        print(f"{precision}: {reached / TARGET:.2f} of {TARGET:,} crops/s at batch 64")
    given.out.write_text(
        json.dumps({"engine": engine.description, "figures": found}, indent=1) + "\n"
    )
    for precision, limit in LIMITS.items():
        apart = found[f"face net, {precision}, largest distance from the CPU"]
        if apart > limit:
            raise SystemExit(f"{precision}: {apart:.2g} from the CPU, allowed are {limit:g}")


def first_that_runs(device: str) -> str:
    for name in ("tensorrt", "torch"):
        try:
            engines.load(FACE, name, device=device).close()
        except engines.MissingBackend as missing:
            print(f"{name}: {missing}")
        else:
            return name
    raise SystemExit("neither TensorRT nor torch runs here")


def crops(n: int) -> np.ndarray:
    """Soft random pictures, (n, 1, 48, 48)."""
    coarse = np.random.default_rng(n).uniform(0, 255, (n, 1, 12, 12))
    return coarse.repeat(4, 2).repeat(4, 3).astype(np.float32)


def faces(path: Path, precision: str, name: str, device: str, seconds: float) -> dict[str, float]:
    found = {}
    engine = engines.load(path, name, device=device, max_batch=max(BATCHES))
    for n in BATCHES:
        took = median_seconds(engine, [crops(n)], seconds)
        found[f"face net, {precision}, batch {n}, crops/s"] = n / took
    reference = engines.load(FACE, "onnx", max_batch=64)
    apart = [
        float(np.abs(ours - theirs).max())
        for ours, theirs in zip(engine.infer(crops(64)), reference.infer(crops(64)), strict=True)
    ]
    found[f"face net, {precision}, largest distance from the CPU"] = max(apart)
    engine.close()
    return found


def one_row(path: Path, name: str, device: str, seconds: float) -> dict[str, float]:
    """ms of one row, as a live run asks for it."""
    engine = engines.load(path, name, device=device, max_batch=1)
    rows = []
    for spec in engine.inputs:
        free = iter(SIDES)
        shape = tuple(next(free) if d == -1 else d for d in spec.shape)
        rows.append(np.zeros((1, *shape), spec.dtype))
    took = median_seconds(engine, rows, seconds)
    engine.close()
    return {f"{path.stem}, one row, ms": took * 1e3}


def median_seconds(engine: engines.Engine, rows: list[np.ndarray], seconds: float) -> float:
    for _ in range(5):  # buffers, algorithms, the recording of graphs
        engine.infer(*rows)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        engine.infer(*rows)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


if __name__ == "__main__":
    main()
