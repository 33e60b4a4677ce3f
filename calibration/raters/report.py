"""Raters for the eye and for the profile: lines for the terminal, JSON."""

from __future__ import annotations

from typing import Any

from calibration.pages import or_na, or_none
from calibration.raters.fit import Agreement, AxisFit, Calibration, RaterFit
from calibration.traces.series import AXES
from tracker.profile import Networks
from tracker.profile_file import new_file

UNRATED = AxisFit(gain=1.0, offset=0.0, weight=0.0, pearson=float("nan"), n=0)
AGREEMENT = {
    "mean pairwise Pearson": "pearson",
    "mean pairwise CCC": "ccc",
    "ICC(2,k)": "icc_2_k",
    "ICC(3,k)": "icc_3_k",
    "Cronbach's alpha": "alpha",
}


def as_text(found: Calibration) -> str:
    """Per axis: how the raters agree, then a line for each rater."""
    lines: list[str] = []
    for axis, agreement in found.agreement.items():
        lines += ["", *_axis_lines(axis, agreement, found.raters)]
    return "\n".join(lines[1:])


def as_json(found: Calibration, networks: Networks | None, created: str) -> dict[str, Any]:
    """A profile with raters only, which a run can use as it is.

    networks: that made the readings; None: not known, and then a run refuses the profile.
    created: UTC, ISO 8601. An axis that a rater did not rate is left as it is: gain 1, offset 0.
    """
    return new_file(networks, created) | {
        "raters": {
            name: {axis: _plain(fit.axes.get(axis, UNRATED)) for axis in AXES}
            | {"delay": fit.delay}
            for name, fit in found.raters.items()
        },
        "agreement": {
            axis: {"raters": a.raters, "n": a.n}
            | {key: or_none(getattr(a, key)) for key in AGREEMENT.values()}
            for axis, a in found.agreement.items()
        },
    }


def _axis_lines(axis: str, a: Agreement, raters: dict[str, RaterFit]) -> list[str]:
    who = "1 rater" if a.raters == 1 else f"{a.raters} raters"
    lines = [f"{axis}: {who}, {a.n} {'moment' if a.n == 1 else 'moments'} rated by all"]
    lines += [f"  {word:<24}{or_na(getattr(a, key), 3):>8}" for word, key in AGREEMENT.items()]
    width = max(8, *(len(name) for name in raters))
    lines.append(f"  {'rater':<{width}}  delay s    gain  offset  weight       r       n")
    for name, fit in raters.items():
        if axis in fit.axes:
            line = fit.axes[axis]
            lines.append(
                f"  {name:<{width}}  {fit.delay:7.2f} {line.gain:7.3f} {line.offset:+7.3f} "
                f"{line.weight:7.3f} {or_na(line.pearson, 3):>7} {line.n:7}"
            )
    return lines


def _plain(line: AxisFit) -> dict[str, Any]:
    return {
        "gain": line.gain,
        "offset": line.offset,
        "weight": line.weight,
        "pearson": or_none(line.pearson),
        "n": line.n,
    }
