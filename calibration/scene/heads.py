"""The network's heads, fitted at once to pooled features. Read `fitted_heads`."""

from __future__ import annotations

import numpy as np
import torch
from tqdm import tqdm

from calibration.scene.features import Features
from calibration.scene.linear import Linear, Scale, fitted_ridge, side_by_side, softmax
from calibration.scene.material import UNKNOWN, Material, Rows, Table
from calibration.scene.network import BLOCKS, DEPTHS, SPLIT, SceneNetwork
from calibration.scene.pictures import FOLDS, TYPES

# Weight of each block of features in the kernel (`BLOCKS`): the top counts as much as
# all other depths together; a word's valence and arousal count beside them as one strong feature.
LEVELS, TOP, WORDS, FELT = 1 / 12, 1 / 2, 0.3, 0.03
DEVIATION = 0.9  # of valence and arousal answers, beside the truth's: CCC for a little RMSE
SOFT_EMOTIONS, SOFT_PLACES = 1e-3, 1e-5  # penalties of the softmax heads


def fitted_heads(seen: Features, material: Material, rows: Rows) -> Linear:
    """All heads, in the order of SPLIT, from what was seen in `rows` and in their mirror images."""
    rated = rows[material.rated[rows]]
    felt, scale = felt_by(seen, rated)
    emotions = softmax(felt, material.emotions[rated], SOFT_EMOTIONS)
    affect, spread = affect_head(felt, material, rated), spread_head(felt, material, rated)
    heads = [scale.undone(head) for head in (affect, emotions, spread)]

    x, weights = seen.plain[rows], [LEVELS] * len(DEPTHS) + [TOP, FELT, FELT]
    for labels, classes in ((material.outdoor[rows], 2), (material.types[rows], len(TYPES))):
        known = labels != UNKNOWN
        scale = Scale.of(x[known], BLOCKS, weights)
        head = softmax(scale(x[known]), np.eye(classes)[labels[known]], SOFT_PLACES)
        if classes == 2:  # of two logits only the difference counts
            head = Linear(np.diff(head.weight, axis=1), np.diff(head.bias))
        heads.append(scale.undone(head))
    return side_by_side(heads)


def felt_by(seen: Features, rows: Rows, words: float = WORDS) -> tuple[Table, Scale]:
    """What the heads of rated pictures read, and the scale that brought it there.

    words: weight of the words' valence and arousal in the kernel.
    """
    x = (seen.plain[rows] + seen.mirrored[rows]) / 2
    scale = Scale.of(x, BLOCKS, [LEVELS] * len(DEPTHS) + [TOP, words, FELT])
    return scale(x), scale


def affect_head(felt: Table, material: Material, rows: Rows) -> Linear:
    return fitted_ridge(felt, material.affect[rows], material.fold[rows], DEVIATION)


def spread_head(felt: Table, material: Material, rows: Rows) -> Linear:
    """Its answers are spreads after softplus, as the network has it."""
    return fitted_ridge(felt, np.log(np.expm1(material.spread[rows])), material.fold[rows])


def left_out(material: Material, seen: Features) -> Table:
    """(n, 28): what heads say of each rated picture whose themes they did not see; else nan."""
    totals = np.full((len(material), sum(SPLIT)), np.nan)
    for fold in tqdm(range(FOLDS), desc="folds"):
        heads = fitted_heads(seen, material, material.training(fold))
        test = material.fold == fold
        totals[test] = heads(seen.plain[test])
    return totals


@torch.no_grad()
def put(network: SceneNetwork, heads: Linear) -> None:
    """Writes fitted heads into the network."""
    weight = torch.from_numpy(heads.weight.T)[:, :, None, None].float()
    network.head.load_state_dict({"weight": weight, "bias": torch.from_numpy(heads.bias).float()})
