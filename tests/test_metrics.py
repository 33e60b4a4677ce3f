import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.metrics import (
    average_precision,
    calibration_error,
    ccc,
    confusion,
    f1,
    pearson,
    reliability,
    rmse,
    sign_agreement,
)

X = np.array([1.0, 2.0, 3.0, 4.0])
series = st.lists(st.floats(-1, 1), min_size=3, max_size=30)


def test_concordance_punishes_an_offset_and_a_wrong_scale_that_pearson_forgives():
    assert pearson(X, 2 * X + 1) == pytest.approx(1)
    assert ccc(X, X) == pytest.approx(1)
    assert ccc(X, X + 1) == pytest.approx(2 * 1.25 / (1.25 + 1.25 + 1))  # Lin 1989, eq. 2, by hand
    assert ccc(X, -X + 5) == pytest.approx(-1)


def test_constant_series_have_no_correlation_and_say_so():
    flat = np.full(4, 0.3)
    assert math.isnan(pearson(X, flat))
    assert math.isnan(ccc(flat, flat))
    assert ccc(X, flat) == 0


def test_rmse_and_sign_agreement_by_hand():
    assert rmse(X, X + 2) == pytest.approx(2)
    assert sign_agreement(np.array([1.0, -1, 2, -2]), np.array([3.0, 1, 1, -1])) == 0.75


@given(series, series)
def test_concordance_never_exceeds_pearson_and_stays_in_range(x, y):
    n = min(len(x), len(y))
    a, b = np.array(x[:n]), np.array(y[:n])
    value, r = ccc(a, b), pearson(a, b)
    if not math.isnan(value):
        assert -1 - 1e-9 <= value <= 1 + 1e-9
        if not math.isnan(r):
            assert abs(value) <= abs(r) + 1e-6


def test_series_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="one length"):
        ccc(X, X[:3])


def test_f1_follows_from_the_confusion_table():
    table = confusion(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), 3)
    assert table.tolist() == [[1, 0, 0], [1, 2, 0], [0, 0, 0]]
    assert f1(table)[:2] == pytest.approx([2 / 3, 0.8])
    assert math.isnan(f1(table)[2])


def test_calibration_error_is_the_gap_between_sure_and_right():
    shares = np.array([[0.9, 0.1]] * 10)
    truth = np.array([0] * 6 + [1] * 4)
    assert calibration_error(shares, truth) == pytest.approx(0.3)
    assert reliability(shares, truth) == [pytest.approx((0.9, 0.6, 1.0))]


def test_average_precision_is_the_mean_precision_at_each_positive():
    scores, truth = np.array([0.9, 0.8, 0.7, 0.1]), np.array([1, 0, 1, 0])
    assert average_precision(scores, truth) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert average_precision(-scores, truth) == pytest.approx((1 / 2 + 2 / 4) / 2)


def test_a_constant_score_has_the_share_of_positives_as_its_average_precision():
    assert average_precision(np.full(8, 0.3), np.array([1, 0, 0, 0, 0, 1, 0, 0])) == 0.25


def test_a_category_that_nobody_has_has_no_average_precision():
    assert math.isnan(average_precision(X, np.zeros(4)))
