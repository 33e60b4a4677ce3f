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
    x = (seen.plain[rows] + seen.mirrored[rows]) / 2
    weights = [LEVELS] * len(DEPTHS) + [TOP, WORDS, FELT]

    rated = material.rated[rows]
    scale = Scale.of(x[rated], BLOCKS, weights)
    felt, fold = scale(x[rated]), material.fold[rows][rated]
    affect = fitted_ridge(felt, material.affect[rows][rated], fold, DEVIATION)
    spread = fitted_ridge(felt, np.log(np.expm1(material.spread[rows][rated])), fold)
    emotions = softmax(felt, material.emotions[rows][rated], SOFT_EMOTIONS)
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
