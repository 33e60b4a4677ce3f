"""Trains the shipped detector from ../shared alone: `python -m calibration.detector.train`.

Killed and started again, it goes on from the last finished epoch and ends with the same network.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, RandomSampler, Sampler, WeightedRandomSampler
from tqdm import tqdm

from calibration.detector import pictures, views
from calibration.detector.material import FILMED, TURNED, gather
from calibration.detector.network import Detector, Shipped
from calibration.detector.teacher import Teacher
from calibration.export import export
from calibration.training import Average, Run, seed

NAME = "detector-s"
Batch = tuple[torch.Tensor, torch.Tensor]  # uint8 (n, 3, H, W); targets (n, A, views.COLUMNS)


@dataclass(frozen=True)
class Settings:
    """Everything that decides the outcome."""

    folders: tuple[str, ...] = ("train",)  # of rendered pictures
    views: int | None = None  # per epoch, as many of each folder; None: one of every picture
    epochs: int = 11
    small_epochs: int = 8  # the first ones, on smaller views
    batch: int = 32
    rate: float = 4e-3  # peak of the learning rate
    decay: float = 0.01
    seed: int = 7


# The first stage hardly finds a face from the side: its pictures show few. The second goes on
# with mostly real frames, among them a group of people who look at each other.
STAGES = {
    "first": Settings(),
    "second": Settings(
        folders=("train", "turned"), views=12000, epochs=20, small_epochs=14, rate=3e-3, seed=8
    ),
}
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
    network = fresh()
    if start is not None:
        network.load_state_dict(start.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=settings.decay)
    average = Average(network)
    run = Run(
        run_folder,
        asdict(settings),
        {"network": network, "optimiser": optimiser, "average": average},
    )
    for epoch in range(run.epoch, settings.epochs):
        seed(settings.seed + epoch)
        size_wh = views.SMALL_WH if epoch < settings.small_epochs else views.SIZE_WH
        made = torch.Generator().manual_seed(settings.seed + epoch)
        loader = DataLoader(
            views.Views(canvases, settings.seed, epoch, size_wh),
            settings.batch,
            sampler=sampler(canvases, settings, made),
            drop_last=True,
            num_workers=workers,
            generator=made,
        )
        means = _epoch(network, optimiser, average, loader, epoch, settings)
        checked = _checked(average, check, settings)
        run.save(_row("train", means) | _row("validation", checked))
        print({k: round(v, 4) for k, v in run.rows[-1].items()}, flush=True)
    average.write_to(network)
    network.eval()
    return network


def sampler(canvases: pictures.Canvases, settings: Settings, made: torch.Generator) -> Sampler[int]:
    """The order of an epoch: every picture once, or `views` of them, folders evenly."""
    if settings.views is None:
        return RandomSampler(canvases, generator=made)
    weights = [1 / size for size in canvases.sizes for _ in range(size)]
    return WeightedRandomSampler(weights, settings.views, generator=made)


def fresh() -> Detector:
    """Untrained. Channels last is what bfloat16 convolutions are fast in."""
    network = Detector()
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


def losses(network: Detector, batch: Batch) -> torch.Tensor:
    """(3,): scores, boxes, points. Soft scores as in generalised focal loss (Li et al. 2020)."""
    images, wanted = batch
    images = images.to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        logits, geometry = network(images.float())
    logits, geometry = logits.float(), geometry.float().transpose(1, 2)
    score, weight = wanted[..., 0], wanted[..., 1]
    gap = (torch.sigmoid(logits) - score).abs().detach()
    entropy = functional.binary_cross_entropy_with_logits(logits, score, reduction="none")
    faces = score > 0
    count = faces.sum().clamp(min=1)
    scores = (entropy * gap**1.5 * weight).sum() / count
    share = score[faces] / score[faces].sum().clamp(min=1e-6)
    found, asked = geometry[faces], wanted[faces][:, 2:]
    boxes = ((1 - generous_iou(found[:, :4], asked[:, :4])) * share).sum()
    # Errors count in faces, not in cells: half of a large face is as wrong as half of a small one.
    side = torch.exp(asked[:, 2:4].mean(1, keepdim=True))
    slips = functional.smooth_l1_loss(
        found[:, 4:] / side, asked[:, 4:] / side, beta=0.05, reduction="none"
    )
    points = (slips.mean(1) * share).sum()
    return torch.stack([2 * scores, 1.5 * boxes, 4 * points])


def generous_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Generalised IoU (Rezatofighi et al. 2019); a, b: offset of the centre and log of the size."""
    half_a, half_b = (torch.exp(box[:, 2:].clamp(max=6)) / 2 for box in (a, b))
    low_a, high_a = a[:, :2] - half_a, a[:, :2] + half_a
    low_b, high_b = b[:, :2] - half_b, b[:, :2] + half_b
    both = (torch.minimum(high_a, high_b) - torch.maximum(low_a, low_b)).clamp(min=0).prod(1)
    union = (4 * half_a.prod(1) + 4 * half_b.prod(1) - both).clamp(min=1e-6)
    hull = (torch.maximum(high_a, high_b) - torch.minimum(low_a, low_b)).prod(1).clamp(min=1e-6)
    return both / union - (hull - union) / hull


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
    network = fresh()
    average.write_to(network)
    network.eval()
    loader = DataLoader(check, settings.batch)
    return torch.stack([losses(network, batch) for batch in loader]).mean(0)


def _row(name: str, parts: torch.Tensor) -> dict[str, float]:
    kinds = ("scores", "boxes", "points")
    return {f"{name}_{kind}": float(v) for kind, v in zip(kinds, parts, strict=True)}


if __name__ == "__main__":
    main()
