import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.agreement import (
    cronbach_alpha,
    evaluator_weights,
    icc_2_1,
    icc_2_k,
    icc_3_1,
    icc_3_k,
    mean_pairwise,
    mean_squares,
    weighted_estimate,
)
from calibration.metrics import pearson

JUDGES = np.array(  # Shrout and Fleiss 1979, table 2: six targets, four judges
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
WAVE = np.sin(np.arange(40) / 5)
ratings = st.lists(
    st.tuples(*[st.floats(-1, 1).map(lambda v: round(v, 3))] * 3), min_size=3, max_size=20
)


def test_intraclass_correlations_are_those_printed_by_shrout_and_fleiss():
    squares = mean_squares(JUDGES)
    assert (squares.between, squares.raters, squares.error) == pytest.approx(
        (11.24, 32.49, 1.02), abs=0.005
    )
    found = [icc(squares) for icc in (icc_2_1, icc_3_1, icc_2_k, icc_3_k)]
    assert found == pytest.approx([0.29, 0.71, 0.62, 0.91], abs=0.005)


@given(ratings)
def test_alpha_is_the_consistency_of_the_mean_rating(rows):
    table = np.array(rows)
    alpha, icc = cronbach_alpha(table), icc_3_k(mean_squares(table))
    if not math.isnan(alpha) and np.ptp(table.mean(1)) > 1e-3:
        assert alpha == pytest.approx(icc, abs=1e-6)


def test_a_moment_alone_has_no_agreement():
    with pytest.raises(ValueError, match="two moments"):
        mean_squares(np.ones((1, 3)))


def test_constant_ratings_agree_by_no_number():
    squares = mean_squares(np.full((5, 2), 0.3))
    assert all(math.isnan(icc(squares)) for icc in (icc_2_1, icc_3_1, icc_2_k, icc_3_k))
    assert math.isnan(mean_pairwise(np.full((20, 2), 0.3), pearson))


def test_pairs_are_compared_where_both_rated_and_left_out_where_they_hardly_did():
    table = np.column_stack([WAVE, -WAVE, np.full(40, np.nan)])
    assert mean_pairwise(table, pearson) == pytest.approx(-1)
    table[:5, 2] = WAVE[:5]
    assert mean_pairwise(table, pearson) == pytest.approx(-1)
    table[:20, 2] = WAVE[:20]
    assert mean_pairwise(table, pearson) == pytest.approx(-1 / 3)


def test_weights_are_correlations_with_the_mean_of_all():
    rng = np.random.default_rng(0)
    table = np.column_stack([WAVE, WAVE + rng.normal(0, 0.2, 40), rng.normal(0, 0.3, 40)])
    by_hand = np.array([np.corrcoef(column, table.mean(1))[0, 1] for column in table.T])
    weights = evaluator_weights(table)
    assert weights == pytest.approx(by_hand / by_hand.sum())
    assert weights[0] > weights[2]
    assert weighted_estimate(table, weights) == pytest.approx(table @ weights)


def test_who_contradicts_the_others_or_never_moves_has_no_weight():
    table = np.column_stack([WAVE, WAVE, -WAVE, np.full(40, 0.5)])
    assert evaluator_weights(table) == pytest.approx([0.5, 0.5, 0, 0])
    assert evaluator_weights(np.full((40, 2), 0.1)) == pytest.approx([0, 0])
    assert np.isnan(weighted_estimate(np.full((4, 2), 0.1), np.zeros(2))).all()


@given(ratings)
def test_the_estimate_lies_between_the_raters_who_were_there(rows):
    table = np.array(rows)
    table[0, 0] = np.nan
    estimate = weighted_estimate(table, np.array([0.5, 0.25, 0.25]))
    assert (np.nanmin(table, 1) - 1e-9 <= estimate).all()
    assert (estimate <= np.nanmax(table, 1) + 1e-9).all()
