"""CAP-D (Moyal, Henik and Anholt 2018): what share of viewers put a picture into which category.

526 pictures from four older sets, ten categories that clinical psychologists named, and for each
picture and category the share of students who chose it (its agreement level). DeepEmotion (2018)
kept pictures on which enough agreed, and the six most common categories.

Expected: a CSV with the column `file` (below the folder of pictures) and one column for each
category, which holds the agreement as a share of 0..1, or in per cent with scale 100. Neither the
file in which CAP-D is handed out nor DeepEmotion's threshold was at hand: the layout is ours, and
so is the threshold of one half. Nor are the categories' names known here: they are the columns'.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from calibration.evoked.pictures import Pictures, Sample, parted
from calibration.samples import RecipeError, existing, gathered

CLASSES = 6  # the most common ones
AGREED = 0.5  # of the viewers
SHARES = (0.7, 0.1, 0.2)  # train, val, test: the set is small


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    picture: Path
    agreement: dict[str, str]


def read_capd(
    table: Path,
    pictures: Path,
    *,
    agreed: float = AGREED,
    scale: float = 1.0,
    classes: int = CLASSES,
    skip_broken: bool = False,
) -> Pictures:
    """The pictures whose most chosen category has at least `agreed`, of the commonest categories.

    A picture with two such categories has none. Raises RecipeError naming file and row.
    """
    columns, rows = _rows(table, pictures)

    def chosen(row: _Row) -> tuple[_Row, str | None]:
        existing(row.picture, row.where)
        shares = {
            name: _share(cell, name, row.where, scale) for name, cell in row.agreement.items()
        }
        best = max(shares.values())
        names = [name for name, share in shares.items() if share == best]
        return row, names[0] if len(names) == 1 and best >= agreed else None

    clear = [(row, name) for row, name in gathered(rows, chosen, skip=skip_broken) if name]
    count = Counter(name for _, name in clear)
    common = sorted(count, key=lambda name: (-count[name], name))[:classes]
    if len(common) < classes:
        raise RecipeError(
            f"{table.name}: only {len(common)} categories are agreed on by {agreed:g} or more; "
            f"expected {classes} of {', '.join(columns)}"
        )
    named = tuple(sorted(common))
    kept = [Sample(r.where, r.picture, named.index(n)) for r, n in clear if n in named]
    return parted(named, kept, SHARES)


def _rows(table: Path, pictures: Path) -> tuple[list[str], list[_Row]]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = [name for name in reader.fieldnames or () if name != "file"]
            if "file" not in (reader.fieldnames or ()) or len(columns) < 2:
                raise RecipeError(f"{table.name}: expected the column 'file' and the categories'")
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise RecipeError(f"{table}: not a readable table ({wrong})") from wrong
    found = [
        _Row(
            f"{table.name}, row {i}",
            pictures / (row["file"] or ""),
            {name: row[name] or "" for name in columns},
        )
        for i, row in enumerate(rows, 2)
    ]
    return columns, found


def _share(cell: str, name: str, where: str, scale: float) -> float:
    try:
        share = float(cell) / scale if cell.strip() else 0.0  # nobody chose it
    except ValueError:
        raise RecipeError(f"{where}: {name} is {cell!r}, not a number") from None
    if not 0 <= share <= 1:
        raise RecipeError(f"{where}: {name} is {cell}, outside 0..{scale:g}")
    return share
