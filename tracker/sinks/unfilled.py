"""Columns that no row of a run can fill, and why: what the sidecar says of them."""

from __future__ import annotations

from collections.abc import Sequence

from tracker.models import ModelUse
from tracker.values import CATEGORIES, EMOTIONS

FILLED_BY = {  # role, output -> the columns that need it
    ("scene", "affect"): (
        *("scene_valence", "scene_arousal", "scene_valence_raw", "scene_arousal_raw"),
    ),
    ("scene", "spread"): ("scene_valence_spread", "scene_arousal_spread"),
    ("scene", "emotions"): (*(f"scene_{label}" for label in EMOTIONS), "scene_positive"),
    **{("scene", label): (f"scene_{label}",) for label in EMOTIONS},
    ("scene", "outdoor"): ("scene_outdoor",),
    ("scene", "place"): ("scene_place", "scene_place_score"),
    ("context", "affect"): (
        *("person_valence", "person_arousal", "person_valence_raw", "person_arousal_raw"),
    ),
    ("context", "dominance"): ("person_dominance", "person_dominance_raw"),
    ("context", "categories"): tuple(f"person_{label}" for label in CATEGORIES),
}
NOT_CALIBRATED = "neither a profile nor a baseline was given"
WHOLE = "each picture was given as a face; nobody looked for one"
NAMELESS = "who is who is not written down (--no-faces-out)"
NO_RATER = "a profile's raters are fitted to readings of faces; the scene's scale is another"


def unfilled(
    models: Sequence[ModelUse], *, calibrated: bool, detected: bool, ids: bool
) -> dict[str, str]:
    """Column -> why it stays empty. calibrated: a profile or a baseline is in use. detected: faces
    are looked for. ids: who is who is said."""
    found = dict.fromkeys(("scene_valence_cal", "scene_arousal_cal"), NO_RATER)
    if not calibrated:
        found |= dict.fromkeys(("valence_cal", "arousal_cal"), NOT_CALIBRATED)
    if not detected:
        found["confidence"] = WHOLE
    if not ids:
        found["face_id"] = NAMELESS
    for model in models:
        for output in model.lacks:
            why = f"{model.name} does not say {output!r}"
            found |= dict.fromkeys(FILLED_BY.get((model.role, output), ()), why)
    return found
