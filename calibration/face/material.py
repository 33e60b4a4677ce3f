"""Everything a training reads, as tensors, made once from `shared` and kept in the run's folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from calibration.face.circumplex import affect_of
from calibration.face.framing import (
    DETECTOR,
    Landmarks,
    crops_of,
    find_in_crops,
    template_of,
    views_of,
)
from calibration.face.pictures import (
    SEVEN,
    UNKNOWN,
    Faces,
    Labelled,
    diffusionfer,
    faces_of,
    people,
    training_votes,
    validation_votes,
)
from tracker.crops import Template
from tracker.values import EXPRESSIONS

RARITY = 0.25  # power of the class weights: disgust counts 2.7 times as much as neutral
SMOOTHED = 0.9  # share of a single label that is believed
RATED_WEIGHT, PEOPLE_WEIGHT = 0.5, 0.3  # of expressions that one label, or a noisy one, names


@dataclass(frozen=True)
class Batch:
    """n crops with soft labels; a weight of 0 says that a label is not known."""

    crops: Tensor  # (n, 1, S, S), grey levels 0..255
    views: Tensor  # (n, 2, 3), from each crop to the template's frame
    shares: Tensor  # (n, 8)
    seven: Tensor  # (n, 7), zeros where unknown
    affect: Tensor  # (n, 2)
    weight: Tensor  # (n,), of the expression
    rated: Tensor  # (n,), 1 where people rated valence and arousal

    def __len__(self) -> int:
        return len(self.crops)

    def take(self, rows: Tensor) -> Batch:
        return Batch(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def to(self, device: str) -> Batch:
        return Batch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def joined(*parts: Batch) -> Batch:
    return Batch(
        *(torch.cat([getattr(p, name) for p in parts]) for name in Batch.__dataclass_fields__)
    )


@dataclass(frozen=True)
class Material:
    """voted: FER+. rated: DiffusionFER without the held-out fold. people: press photographs."""

    template: Template
    voted: Batch
    rated: Batch
    people: Batch
    valid: Faces  # FER+ validation, all of it that leaks nothing

    def to(self, device: str) -> Material:
        """The training parts on another device, once for a whole training."""
        parts = {name: getattr(self, name).to(device) for name in ("voted", "rated", "people")}
        return replace(self, **parts)

    def batches(self, voted: int, rated: int, people: int) -> Iterator[Batch]:
        """One pass over `voted` in random order, with some of the others in each batch."""
        device = self.voted.crops.device
        order = torch.randperm(len(self.voted), device=device)
        for start in range(0, len(order) - voted + 1, voted):
            yield joined(
                self.voted.take(order[start : start + voted]),
                self.rated.take(torch.randint(0, len(self.rated), (rated,), device=device)),
                self.people.take(torch.randint(0, len(self.people), (people,), device=device)),
            )


def load(shared: Path, folder: Path) -> Material:
    """The material, from the cache in `folder` where it is there."""
    faces = shared / "data" / "faces"
    cache = folder / "pictures.npz"
    votes = training_votes(faces)
    rated, persons = diffusionfer(faces, held_out=False), people(faces)
    if not cache.exists():
        folder.mkdir(parents=True, exist_ok=True)
        landmarks = Landmarks(shared / DETECTOR)
        points, boxes = find_in_crops(votes.images, landmarks)
        template = template_of(points, boxes)
        np.savez(
            cache,
            points=points,
            template=np.array(template.points),
            box_scale=template.box_scale,
            rated=crops_of(rated, template, landmarks)[0],
            people=crops_of(persons, template, landmarks)[0],
        )
    kept = np.load(cache)
    points_xy = tuple((float(x), float(y)) for x, y in kept["template"])
    template = Template(votes.images.shape[1], 1, points_xy, float(kept["box_scale"]))
    voted = batch_of(faces_of(votes, RARITY), views_of(kept["points"], template))
    return Material(
        template,
        voted,
        batch_of(labelled_faces(rated, kept["rated"], RATED_WEIGHT), rated=True),
        batch_of(labelled_faces(persons, kept["people"], PEOPLE_WEIGHT)),
        faces_of(validation_votes(faces)),
    )


def labelled_faces(rows: list[Labelled], crops: NDArray[np.uint8], weight: float) -> Faces:
    """One label each, believed in part: the rest goes to all eight alike."""
    shares = np.full((len(rows), 8), (1 - SMOOTHED) / 8, np.float32)
    for share, row in zip(shares, rows, strict=True):
        share[EXPRESSIONS.index(row.expression)] += SMOOTHED
    proxy = affect_of(shares)
    pairs = [p if r.affect is None else r.affect for r, p in zip(rows, proxy, strict=True)]
    affect = np.array(pairs, np.float32)
    none = np.full(len(rows), UNKNOWN, np.int64)
    return Faces(crops, shares, none, affect, np.full(len(rows), weight, np.float32))


def batch_of(faces: Faces, views: NDArray[np.float32] | None = None, rated: bool = False) -> Batch:
    """views: None where the crops are in the template's frame already."""
    n = len(faces)
    seven = torch.zeros(n, len(SEVEN))
    known = torch.from_numpy(np.flatnonzero(faces.seven != UNKNOWN))
    seven[known, torch.from_numpy(faces.seven)[known]] = 1
    same = torch.tensor([[1.0, 0, 0], [0, 1, 0]]).expand(n, 2, 3)
    return Batch(
        torch.from_numpy(faces.images)[:, None].float(),
        same if views is None else torch.from_numpy(views),
        torch.from_numpy(faces.shares),
        seven,
        torch.from_numpy(faces.affect),
        torch.from_numpy(faces.weight),
        torch.full((n,), float(rated)),
    )
