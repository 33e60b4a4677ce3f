"""Canvases: the pictures that training views are cut from, rendered once and kept on disk.

A canvas is labelled by the teacher while it is clean.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from calibration.detector.compose import canvas
from calibration.detector.material import Material
from calibration.detector.teacher import Teacher
from tracker.detectors.boxes import Rows
from tracker.values import Image

BLOCK = 250  # canvases between two writes: what a kill costs


def render(material: Material, teacher: Teacher, folder: Path, count: int, seed: int) -> None:
    """Fills `folder` with `count` canvases and their faces. Finished blocks are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in tqdm(range(0, count, BLOCK), desc=f"{folder.name}", unit="block"):
        if not (folder / f"{start:06d}.npz").exists():
            stop = min(start + BLOCK, count)
            render_block(material, teacher, folder, range(start, stop), seed)


def render_block(
    material: Material, teacher: Teacher, folder: Path, indices: range, seed: int
) -> None:
    """Each canvas has a generator of its own, so any order of blocks gives the same pictures."""
    canvases, labels = [], []
    for index in indices:
        made = np.ascontiguousarray(canvas(np.random.default_rng((seed, index)), material))
        canvases.append(made)
        labels.append(teacher.label(made))
    path = folder / f"{indices.start:06d}.npz"
    np.save(path.with_suffix(".npy"), np.stack(canvases))
    partial = path.with_suffix(".partial.npz")
    lengths = np.array([len(rows) for rows in labels])
    np.savez(partial, faces=np.concatenate(labels), lengths=lengths)
    partial.replace(path)


class Canvases:
    """The rendered pictures of some folders, one after the other, mapped from disk."""

    def __init__(self, *folders: Path) -> None:
        self._faces: list[Rows] = []
        self._places: list[tuple[int, int]] = []  # block, row
        self._blocks: list[Image] = []
        self.sizes: list[int] = []  # pictures of each folder
        for folder in folders:
            blocks = sorted(folder.glob("[0-9]*[0-9].npz"))
            if not blocks:
                raise FileNotFoundError(f"{folder}: no rendered pictures")
            before = len(self._faces)
            for path in blocks:
                with np.load(path) as file:
                    lengths = file["lengths"]
                    self._faces += np.split(file["faces"], np.cumsum(lengths)[:-1])
                self._places += [(len(self._blocks), row) for row in range(len(lengths))]
                self._blocks.append(np.load(path.with_suffix(".npy"), mmap_mode="r"))
            self.sizes.append(len(self._faces) - before)

    def __len__(self) -> int:
        return len(self._faces)

    def __getitem__(self, index: int) -> tuple[Image, Rows]:
        block, row = self._places[index]
        return np.asarray(self._blocks[block][row]), self._faces[index]
