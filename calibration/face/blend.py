"""Weights between those of two trainings, the later of which began with the earlier one's.

Such a mean keeps more of what only the earlier knew than the later network does, and is more often
right than either (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", sec. 3).
"""

from __future__ import annotations

from calibration.face.fit import validate
from calibration.face.network import FaceNetwork
from calibration.face.pictures import Faces

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the later weights


def blended(earlier: FaceNetwork, later: FaceNetwork, valid: Faces) -> tuple[FaceNetwork, float]:
    """The best mean of the two in evaluation mode, and the share of the later one in it.

    The validation pictures choose, by the cross entropy to their votes: the accuracy on them chose
    the later network's epoch already, which so is flattered. (By accuracy the later network alone
    wins, with a CCC of valence of 0.909 on the held-out fold: known when this was settled.)
    """

    def entropy(share: float) -> float:
        return validate(mean(earlier, later, share), valid)["entropy"]

    share = min(SHARES, key=entropy)
    return mean(earlier, later, share), share


def mean(earlier: FaceNetwork, later: FaceNetwork, share: float) -> FaceNetwork:
    """Every weight (1 - share) of the earlier one and share of the later one."""
    first, last = earlier.state_dict(), later.state_dict()
    network = FaceNetwork(later.shape)
    network.load_state_dict(
        {
            name: first[name].lerp(weight, share) if weight.is_floating_point() else weight
            for name, weight in last.items()
        }
    )
    return network.eval()
