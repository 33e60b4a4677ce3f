"""Where the acted emotions of RAVDESS stand on the axis of arousal. A proxy: nobody rated it."""

from __future__ import annotations

# The words' arousal in Russell & Mehrabian (1977), "Evidence for a three-factor theory of
# emotions", J. Res. Personality 11, 273-294, table 2, as `calibration.face.circumplex` has it;
# "surprised" stands there at 0.67. "Calm" is read off Russell (1980), "A circumplex model of
# affect", J. Pers. Soc. Psychol. 39, 1161-1178, fig. 4. Typed from secondary copies.
PLACES = {
    "neutral": 0.0,
    "calm": -0.65,
    "happy": 0.51,
    "sad": -0.27,
    "angry": 0.59,
    "fearful": 0.60,
    "disgust": 0.35,
    "surprised": 0.67,
}
STEP = 0.15  # by us: a strong emotion lies as far above its word as a normal one below it


def arousal_of(emotion: str, intensity: str) -> float:
    """-1..1. Strong calm is calmer. Neutral was recorded in one intensity, and stays at 0."""
    if emotion == "neutral":
        return PLACES[emotion]
    outwards = STEP if intensity == "strong" else -STEP
    return PLACES[emotion] + (-outwards if emotion == "calm" else outwards)
