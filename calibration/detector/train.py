"""Trains the shipped detector from ../shared alone: `python -m calibration.detector.train`.

Killed and started again, it goes on from the last finished epoch and ends with the same network.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import torch
from torch.utils.data import DataLoader, RandomSampler, Sampler, WeightedRandomSampler
from tqdm import tqdm

from calibration.detector import pictures, views
from calibration.detector.lighten import lighten
from calibration.detector.losses import Batch, losses
from calibration.detector.material import FILMED, TURNED, gather
from calibration.detector.network import Detector, Shipped
from calibration.detector.teacher import Teacher
from calibration.export import export
from calibration.samples import run
from calibration.training import Average, Run, hopeful, seed

NAME = "detector-s"
PATIENCE = 5  # epochs without a better one on validation, after which a stage ends early


@dataclass(frozen=True)
class Settings:
    """Everything that decides the outcome."""

    folders: tuple[str, ...] = ("train",)  # of rendered pictures
    views: int | None = None  # per epoch, as many of each folder; None: one of every picture
    epochs: int = 11
    small_epochs: int = 8  # the first ones, on smaller views
    batch: int = 32
    rate: float = 4e-3  # peak of the learning rate
    light: bool = False  # Detector.light
    decay: float = 0.01
    seed: int = 7


# The first stage hardly finds a face from the side: its pictures show few. The second goes on
# with mostly real frames, among them a group of people who look at each other. The third makes it
# lighter: the first layers took a third of the time.
STAGES = {
    "first": Settings(),
    "second": Settings(
        folders=("train", "turned"), views=12000, epochs=20, small_epochs=14, rate=3e-3, seed=8
    ),
    "third": Settings(
        folders=("train", "turned"), views=12000, epochs=12, small_epochs=7, light=True, seed=9
    ),
    "fourth": Settings(
        folders=("train", "turned"),
        views=12000,
        epochs=8,
        small_epochs=0,
        rate=2e-3,
        light=True,
        seed=10,
    ),
}
LESSONS = 500  # batches that a cheaper first layer learns from the one before it
RENDERED = {"train": 16000, "validation": 750, "turned": 6000}  # pictures


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--shared", type=Path, default=Path("../shared"))
    arguments.add_argument("--runs", type=Path, default=Path("runs"))
    arguments.add_argument("--out", type=Path, default=Path("tracker/weights"))
    given = arguments.parse_args()
    torch.set_num_threads(1)  # this network is small: a second thread costs more than it brings
    cv2.setNumThreads(1)
    folder = given.runs / "detector-pictures"
    prepare(given.shared, folder)
    network = None
    for name, settings in STAGES.items():
        network = train(folder, given.runs / NAME / name, settings, start=network)
    assert network is not None, "there is at least one stage"
    path = given.out / f"{NAME}.onnx"
    print(f"{path.name}: differs from torch by at most {ship(network, path):.2g}")

    from calibration.detector.evaluate import describe  # it opens the file written above

    stages = {name: asdict(settings) for name, settings in STAGES.items()}
    describe(path, given.shared, {"stages": stages, "rendered": RENDERED})


def prepare(shared: Path, folder: Path) -> None:
    """Renders what is missing of the training and the validation pictures."""
    teacher = Teacher(shared)
    for number, (name, count) in enumerate(RENDERED.items(), start=1):
        if not all(
            (folder / name / f"{at:06d}.npz").exists() for at in range(0, count, pictures.BLOCK)
        ):
            if name == "turned":
                material = gather(shared, validation=False, clips=TURNED, mix=FILMED)
            else:
                material = gather(shared, validation=name == "validation")
            pictures.render(material, teacher, folder / name, count, seed=number)


def train(
    folder: Path,
    run_folder: Path,
    settings: Settings,
    *,
    start: Detector | None = None,
    workers: int = 1,
) -> Detector:
    """The averaged network after the last epoch. `folder` holds the rendered pictures.

    start: the network to go on from; None begins anew.
    """
    seed(settings.seed)
    canvases = pictures.Canvases(*(folder / name for name in settings.folders))
    check = views.Views(pictures.Canvases(folder / "validation"), settings.seed, 0)
    network = fresh(settings.light)
    if start is not None and start.light == settings.light:
        network.load_state_dict(start.state_dict())
    elif start is not None:
        pictures_only = (images for images, _ in loader_of(canvases, settings, 0, workers))
        missed = lighten(start, network, pictures_only, LESSONS)
        print(f"the lighter first layer misses {missed:.3f} of the variance", flush=True)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=settings.decay)
    average = Average(network)
    run = Run(
        run_folder,
        asdict(settings),
        {"network": network, "optimiser": optimiser, "average": average},
    )
    while run.epoch < settings.epochs and hopeful([_score(r) for r in run.rows], PATIENCE):
        epoch = run.epoch
        seed(settings.seed + epoch)
        loader = loader_of(canvases, settings, epoch, workers)
        means = _epoch(network, optimiser, average, loader, epoch, settings)
        checked = _checked(average, check, settings)
        run.save(_row("train", means) | _row("validation", checked))
        print({k: round(v, 4) for k, v in run.rows[-1].items()}, flush=True)
    average.write_to(network)
    network.eval()
    return network


def _score(row: Mapping[str, float]) -> float:
    """Higher is better: minus the validation's losses."""
    return -sum(loss for name, loss in row.items() if name.startswith("validation"))


def loader_of(
    canvases: pictures.Canvases, settings: Settings, epoch: int, workers: int
) -> DataLoader[Batch]:
    """The batches of one epoch."""
    made = torch.Generator().manual_seed(settings.seed + epoch)
    size_wh = views.SMALL_WH if epoch < settings.small_epochs else views.SIZE_WH
    return DataLoader(
        views.Views(canvases, settings.seed, epoch, size_wh),
        settings.batch,
        sampler=sampler(canvases, settings, made),
        drop_last=True,
        num_workers=workers,
        generator=made,
    )


def sampler(canvases: pictures.Canvases, settings: Settings, made: torch.Generator) -> Sampler[int]:
    """The order of an epoch: every picture once, or `views` of them, folders evenly."""
    if settings.views is None:
        return RandomSampler(canvases, generator=made)
    weights = [1 / size for size in canvases.sizes for _ in range(size)]
    return WeightedRandomSampler(weights, settings.views, generator=made)


def fresh(light: bool) -> Detector:
    """Untrained. Channels last is what bfloat16 convolutions are fast in."""
    network = Detector(light=light)
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def shape(progress: float) -> float:
    """Share of the peak rate: up over the first 5 %, then down a cosine to nearly 0."""
    if progress < 0.05:
        return 0.02 + 0.98 * progress / 0.05
    angle = torch.pi * (progress - 0.05) / 0.95
    return float(0.002 + 0.998 * (1 + torch.cos(torch.tensor(angle))) / 2)


def ship(network: Detector, path: Path) -> float:
    """Writes the ONNX file; the largest difference from torch on noise of several sizes."""
    sizes = ((2, 192, 320), (1, 320, 192), (3, 32, 64), (1, 256, 256))
    made = torch.Generator().manual_seed(0)
    examples = [(torch.rand(n, 3, h, w, generator=made) * 255,) for n, h, w in sizes]
    rows = torch.export.Dim("rows", min=1, max=64)
    tall, wide = (torch.export.Dim(name, min=1, max=64) for name in ("tall", "wide"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return export(
        Shipped(network),
        examples,
        path,
        inputs=["image"],
        outputs=["score", "geometry"],
        dynamic={"image": {0: rows, 2: 32 * tall, 3: 32 * wide}},
    )


def _epoch(
    network: Detector,
    optimiser: torch.optim.Optimizer,
    average: Average,
    loader: DataLoader[Batch],
    epoch: int,
    settings: Settings,
) -> torch.Tensor:
    """One pass over the canvases; the mean of each loss."""
    network.train()
    sums = torch.zeros(3)
    for step, batch in enumerate(tqdm(loader, desc=f"epoch {epoch}", mininterval=5)):
        progress = (epoch + step / len(loader)) / settings.epochs
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * shape(progress)
        parts = losses(network, batch)
        optimiser.zero_grad()
        torch.autograd.backward(parts.sum())
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10)
        optimiser.step()
        average.update(network)
        sums += parts.detach()
    return sums / len(loader)


@torch.no_grad()
def _checked(average: Average, check: views.Views, settings: Settings) -> torch.Tensor:
    network = fresh(settings.light)
    average.write_to(network)
    network.eval()
    loader = DataLoader(check, settings.batch)
    return torch.stack([losses(network, batch) for batch in loader]).mean(0)


def _row(name: str, parts: torch.Tensor) -> dict[str, float]:
    kinds = ("scores", "boxes", "points")
    return {f"{name}_{kind}": float(v) for kind, v in zip(kinds, parts, strict=True)}


if __name__ == "__main__":
    run(main)
