"""A picture of any shape as a network wants it: squashed, not cropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.models import Model, ModelError
from tracker.picture import Picture
from tracker.resize import resized


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What a card says of one input: (value / 255 - mean) / std, RGB."""

    size_wh: tuple[int, int]  # px
    mean: NDArray[np.float32]  # (3, 1, 1), of 0..1
    std: NDArray[np.float32]  # (3, 1, 1)

    @classmethod
    def of(cls, model: Model, given: Mapping[str, Any]) -> Fit:
        """given: the input's section of the card. Raises ModelError naming what it asks for that
        is not done here."""
        for field, known in (("colour", "RGB"), ("fit", "squash")):
            if given.get(field) != known:
                raise ModelError(
                    f"{model.path.name}: its input has {field} {given.get(field)!r}, "
                    f"expected {known!r}"
                )
        height, width = given["size"]
        mean, std = (np.array(given[name], np.float32).reshape(3, 1, 1) for name in ("mean", "std"))
        return cls((int(width), int(height)), mean, std)

    def __call__(self, picture: Picture) -> NDArray[np.float32]:
        """(3, H, W)"""
        small = resized(picture, self.size_wh).transpose(2, 0, 1)
        fitted: NDArray[np.float32] = np.ascontiguousarray(small, np.float32)
        fitted *= 1 / (255 * self.std)  # in place: new arrays of this size cost as much again
        fitted -= self.mean / self.std
        return fitted
