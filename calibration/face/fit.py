"""One network's training: batches, losses, schedule, the average of its weights, the best epoch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from calibration.face.augment import STRONG, Strength, augmented
from calibration.face.material import Batch, Material
from calibration.face.network import FaceNetwork, Readings, Shape
from calibration.face.pictures import Faces
from calibration.training import Average, Best, Run, Stateful, device, hopeful, schedule, seed

PATIENCE = 15  # epochs without a better one on validation, after which a training ends early


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of one training."""

    shape: Shape
    epochs: int
    rate: float = 3e-3  # highest learning rate
    warm: float = 0.1  # share of the steps in which the rate rises
    decay: float = 0.03  # of the weights
    batch: tuple[int, int, int] = (112, 12, 6)  # FER+, DiffusionFER, people
    mixup: float = 0.2  # Beta(a, a) of Zhang et al. 2018; FER+ rows only
    seven: float = 0.4  # weight of FER2013's labels
    affect: float = 2.0  # weight of valence and arousal
    strength: Strength = STRONG
    seed: int = 7


def fit(
    recipe: Recipe, material: Material, folder: Path, start: FaceNetwork | None = None
) -> FaceNetwork:
    """The trained network, in evaluation mode. Goes on where a killed training stopped.

    start: a network of the same shape whose weights are the first ones; else they are random.
    """
    seed(recipe.seed)
    place = device()
    network = _fast(FaceNetwork(recipe.shape)).to(place)
    if start is not None:
        network.load_state_dict(start.state_dict())
    averaged = _fast(FaceNetwork(recipe.shape)).to(place).eval()
    material = material.to(place)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=recipe.decay, fused=True)
    average, best = Average(network), Best()
    parts: dict[str, Stateful] = {
        "network": network,
        "optimiser": optimiser,
        "average": average,
        "best": best,
    }
    run = Run(folder, {**asdict(recipe), "started": start is not None}, parts)
    steps = len(material.voted) // recipe.batch[0]
    while run.epoch < recipe.epochs and hopeful([r["accuracy"] for r in run.rows], PATIENCE):
        seed(recipe.seed + 1 + run.epoch)
        network.train()
        total = torch.zeros((), device=place)
        bar = tqdm(material.batches(*recipe.batch), total=steps, unit="batch", mininterval=5)
        bar.set_description(f"{folder.name} {run.epoch + 1}/{recipe.epochs}")
        for step, batch in enumerate(bar):
            done = (run.epoch * steps + step) / (recipe.epochs * steps)
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate * schedule(done, recipe.warm)
            loss = _loss(recipe, network, batch)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            average.update(network)
            total += loss.detach()
        average.write_to(averaged)
        row = validate(averaged, material.valid)
        best.offer(row["accuracy"], averaged)
        run.save({"loss": float(total) / steps, **row})
        tqdm.write(f"{folder.name} {run.epoch}/{recipe.epochs}: {_words(run.rows[-1])}")
    averaged.load_state_dict(best.weights)
    return averaged.eval().cpu()


@torch.no_grad()
def predict(network: FaceNetwork, images: np.ndarray[Any, Any], mirrored: bool) -> Readings:
    """Readings of (n, S, S) grey crops; the mean of picture and mirror image if asked for."""
    parts: list[Readings] = []
    place = next(network.parameters()).device
    for start in range(0, len(images), 256):
        crops = torch.from_numpy(images[start : start + 256])[:, None].to(place).float()
        out = _run(network, crops)
        if mirrored:
            pairs = zip(out, _run(network, crops.flip(3)), strict=True)
            out = Readings(*((a + b) / 2 for a, b in pairs))
        parts.append(Readings(*(column.cpu() for column in out)))
    return Readings(*(torch.cat(column) for column in zip(*parts, strict=True)))


def validate(network: FaceNetwork, faces: Faces) -> dict[str, float]:
    """Accuracy on pictures with a clear majority, and cross entropy to the votes of all."""
    out = predict(network, faces.images, mirrored=True)
    shares = torch.from_numpy(faces.shares)
    clear = shares.max(1).values > 0.5
    right = out.expression.argmax(1) == shares.argmax(1)
    known = shares.sum(1) > 0
    entropy = -(shares * out.expression.log_softmax(1)).sum(1)[known].mean()
    error = (out.affect - torch.from_numpy(faces.affect)).square().mean().sqrt()
    return {
        "accuracy": float(right[clear].float().mean()),
        "entropy": float(entropy),
        "affect_rmse": float(error),
    }


def mixed(batch: Batch, voted: int, alpha: float) -> Batch:
    """Each of the first `voted` pictures blended with another of them, labels too."""
    place = batch.crops.device
    share = torch.from_numpy(np.random.beta(alpha, alpha, voted).astype(np.float32)).to(place)
    other = torch.randperm(voted, device=place)
    parts = []
    for name in batch.__dataclass_fields__:
        whole = getattr(batch, name)
        lam = share.view(-1, *[1] * (whole.dim() - 1))
        first = whole[:voted]
        parts.append(torch.cat([lam * first + (1 - lam) * first[other], whole[voted:]]))
    return Batch(*parts)


def _loss(recipe: Recipe, network: FaceNetwork, batch: Batch) -> Tensor:
    crops = augmented(batch.crops, batch.views, recipe.strength)
    fields = {**{n: getattr(batch, n) for n in batch.__dataclass_fields__}, "crops": crops}
    batch = mixed(Batch(**fields), recipe.batch[0], recipe.mixup)
    out = _run(network, batch.crops)
    expression = _cross(out.expression, batch.shares, batch.weight)
    seven = _cross(out.seven, batch.seven, batch.weight)
    proxy, rated = 1 - batch.rated, batch.rated > 0.5
    proxy = proxy * (batch.seven.sum(1) > 0)  # people have neither ratings nor votes
    gap = (out.affect - batch.affect).square().mean(1)
    affect = (gap * proxy).sum() / proxy.sum() + gap[rated].mean()
    affect = affect + 0.1 * _discord(out.affect[rated], batch.affect[rated])
    return expression + recipe.seven * seven + recipe.affect * affect


def _cross(logits: Tensor, shares: Tensor, weight: Tensor) -> Tensor:
    return (-(shares * logits.log_softmax(1)).sum(1) * weight).sum() / weight.sum()


def _discord(x: Tensor, y: Tensor) -> Tensor:
    """1 - concordance (Lin 1989, eq. 2), mean over valence and arousal."""
    spread = x.var(0) + y.var(0) + (x.mean(0) - y.mean(0)).square()
    shared = ((x - x.mean(0)) * (y - y.mean(0))).mean(0)
    return (1 - 2 * shared / (spread + 1e-3)).mean()


def _run(network: FaceNetwork, crops: Tensor) -> Readings:
    """bfloat16 halves the time on processors with AMX and on GPUs; heads and losses stay in
    float32."""
    with torch.autocast(crops.device.type, torch.bfloat16):
        features = network.look(crops.contiguous(memory_format=torch.channels_last))
    return network.heads(features.float())


def _fast(network: FaceNetwork) -> FaceNetwork:
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    return network


def _words(row: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in row.items() if name != "epoch")
