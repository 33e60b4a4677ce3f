"""What a detector is told of its mistakes."""

from __future__ import annotations

import torch
from torch.nn import functional

from calibration.detector.network import Detector

Batch = tuple[torch.Tensor, torch.Tensor]  # uint8 (n, 3, H, W); targets (n, A, views.COLUMNS)


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
