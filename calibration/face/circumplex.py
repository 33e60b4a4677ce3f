"""Where the eight words of FER+ stand in the plane of valence and arousal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tracker.values import EXPRESSIONS

# Mean pleasure and arousal of the words as rated by students: Russell & Mehrabian (1977),
# "Evidence for a three-factor theory of emotions", J. Res. Personality 11, 273-294, table 2
# (happy, sad, angry, disgusted, fearful). "Surprised" stands there at (.40, .67); a surprised
# face is less pleasant than the word, so it takes the place of "astonished" in Russell (1980),
# "A circumplex model of affect", J. Pers. Soc. Psychol. 39, 1161-1178, fig. 4. Some reprints
# give the pair of "angry" in the wrong order; pleasure is the negative one. Contempt is in
# neither table: between anger, disgust and neutral, by us. Typed from secondary copies.
PLACES = {
    "neutral": (0.0, 0.0),
    "happiness": (0.81, 0.51),
    "surprise": (0.16, 0.88),
    "sadness": (-0.63, -0.27),
    "anger": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "contempt": (-0.50, 0.30),
}


def places() -> NDArray[np.float32]:
    """(8, 2): valence and arousal of each word, in the order of EXPRESSIONS."""
    return np.array([PLACES[word] for word in EXPRESSIONS], np.float32)


def affect_of(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 2): the mean place of votes. A proxy: nobody rated valence or arousal.

    shares: (n, 8), rows that sum to 1.
    """
    return np.asarray(shares @ places(), np.float32)
