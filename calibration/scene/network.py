"""The scene network: a whole picture in, what it evokes and where it is out.

Every head is linear after an average over the picture, so a head's 1x1 convolution of the last
map is its map: what each cell adds (class activation maps, Zhou et al. 2016), exactly. What is
averaged are the maps of several depths (colour and texture to things) and, part by part, what the
words for what ImageNet sees there evoke (`words.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from calibration.scene.mobilenet import STRIDE, TOP, WIDTHS, MobileNetV2
from calibration.scene.pictures import TYPES
from calibration.scene.words import norms
from tracker.values import EMOTIONS

DEPTHS = (3, 6, 10, 13, 16, 17)  # the maps below the top that are read: the last of each width
BLOCKS = (*(WIDTHS[d] for d in DEPTHS), TOP, 2, len(EMOTIONS))  # of what the heads read
WIDE = 2  # cells of a side that are named together: as good as each alone, and four times as fast
STEP = STRIDE * WIDE  # px: with sides that are no multiple of it each cell is named alone
SPLIT = (2, len(EMOTIONS), 2, 1, len(TYPES))  # affect, emotions, spread, outdoor, types of place
MAPS = SPLIT[0] + SPLIT[1]  # outputs that come with a map


class Answer(NamedTuple):
    """The graph's outputs."""

    affect: Tensor  # (n, 2): valence, arousal, [-1, 1]
    spread: Tensor  # (n, 2): standard deviation between viewers, > 0
    emotions: Tensor  # (n, 8): probabilities
    place: Tensor  # (n, 16): probability of outdoor; probabilities of the types
    maps: Tensor  # (n, 10, h, w): cells whose mean is affect (unclipped) and the emotions' logits


class SceneNetwork(nn.Module):
    """frames: (n, 3, H, W), RGB in [-1, 1], sides a multiple of STRIDE."""

    def __init__(self, body: MobileNetV2) -> None:
        super().__init__()
        self.body = body
        words = torch.from_numpy(norms()).T[:, :, None, None].contiguous()
        self.norms = nn.Parameter(words, requires_grad=False)
        self.head = nn.Conv2d(sum(BLOCKS), sum(SPLIT), 1)

    def forward(self, frames: Tensor) -> Answer:
        return answer(self.head(self.cells(frames)))

    def cells(self, frames: Tensor) -> Tensor:
        """(n, c, H / 32, W / 32): what the head reads, side by side."""
        levels = self.body.levels(frames)
        top = levels[-1]
        rows, columns = frames.shape[2] // STRIDE, frames.shape[3] // STRIDE
        read = [_pooled(levels[d], rows, columns) for d in DEPTHS]
        wide = 1 if rows % WIDE or columns % WIDE else WIDE
        seen = self.body.classifier(functional.avg_pool2d(top, wide))
        named = self.blended(seen, seen.mean((2, 3), keepdim=True)).softmax(1)
        words = functional.interpolate(functional.conv2d(named, self.norms), scale_factor=wide)
        return torch.cat([*read, top, words], 1)

    def blended(self, parts: Tensor, whole: Tensor) -> Tensor:
        """What a part shows is clearer beside the whole: each is named half by itself."""
        return (parts + whole) / 2


def answer(cells: Tensor) -> Answer:
    """From the head's cells (n, 28, h, w) to outputs in their units."""
    affect, emotions, spread, outdoor, types = torch.split(cells.mean((2, 3)), list(SPLIT), 1)
    return Answer(
        affect.clamp(-1, 1),
        functional.softplus(spread),
        emotions.softmax(1),
        torch.cat([outdoor.sigmoid(), types.softmax(1)], 1),
        cells[:, :MAPS],
    )


def _pooled(level: Tensor, rows: int, columns: int) -> Tensor:
    size = level.shape[2] // rows, level.shape[3] // columns
    return level if size == (1, 1) else functional.avg_pool2d(level, size)
