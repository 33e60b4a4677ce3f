"""A trained detector with a cheaper first layer, which learns what the two before it said."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.nn import functional

from calibration.detector.network import Detector

RATE = 4e-3  # highest learning rate; falls evenly to nothing


def lighten(
    trained: Detector, light: Detector, batches: Iterable[torch.Tensor], steps: int
) -> float:
    """Gives `light` the layers of `trained`, and its stem `steps` lessons from the stem there.

    batches: uint8 (n, 3, H, W). Returns the share of the stem's variance that is not explained.
    """
    rest = {k: v for k, v in trained.state_dict().items() if not k.startswith("stem.")}
    light.load_state_dict(rest, strict=False)
    trained.eval()
    light.stem.train()
    optimiser = torch.optim.AdamW(light.stem.parameters(), weight_decay=0.0)
    missed = torch.tensor(1.0)
    for step, images in zip(range(steps), batches, strict=False):
        optimiser.param_groups[0]["lr"] = RATE * (1 - step / steps)
        images = images.to(memory_format=torch.channels_last).float()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            wanted = trained.stem(images)
        with torch.autocast("cpu", torch.bfloat16):
            said = light.stem(images)
        loss = functional.mse_loss(said.float(), wanted.float()) / wanted.float().var()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        missed = 0.95 * missed + 0.05 * loss.detach()
    return float(missed)
