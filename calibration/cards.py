"""The JSON card beside a network: what it is, what it was made from, how well it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.models import hash_file, load_card


def write_card(onnx: Path, card: Mapping[str, Any]) -> Path:
    """Writes `card` beside `onnx`, with the file's own sha256, and reads it back as a check.

    Raises ModelError if a mandatory field is missing.
    """
    path = onnx.with_suffix(".json")
    whole = {"format": 1, "name": onnx.stem, **card, "sha256": hash_file(onnx)}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    load_card(path)
    return path
