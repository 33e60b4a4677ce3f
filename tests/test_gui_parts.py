"""What the window's parts compute before they draw it."""

import numpy as np
import pytest
from watching import a_result, evoked, person, reading

from tracker.values import Affect, Scores

from PySide6.QtCore import QRectF, QSizeF, Qt  # isort: skip
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QTextDocument  # isort: skip
from tracker.gui.colours import PEOPLE, SWITCHED_ON, Colours, luminance, on  # isort: skip
from tracker.gui.curves import EmotionPlot  # isort: skip
from tracker.gui.pace import Pace  # isort: skip
from tracker.gui.scrub import clock  # isort: skip
from tracker.gui.picture import placed  # isort: skip
from tracker.gui.plane import EmotionPlane, arranged  # isort: skip
from tracker.gui.panels import ScenePanel  # isort: skip
from tracker.gui.series import RAW, SMOOTH, SPREAD, Series  # isort: skip
from tracker.gui.words import Words  # isort: skip
import itertools
from dataclasses import replace


def shown(words, i, **probabilities):
    """What stands beside the one face, after a frame in which it showed this."""
    one = person(0, shown=tuple(probabilities.values()))
    result = a_result(i, one, every=0.04)
    words.add(result)
    (label,) = words.labels(result)
    return label


def test_a_word_stays_until_another_is_ahead_for_a_while():
    words = Words()
    said = [shown(words, i, neutral=1.0, happiness=0.0).words for i in range(25)]
    said += [shown(words, 25, neutral=0.1, happiness=0.9).words]  # one odd frame
    assert set(said) == {"neutral"}
    said = [shown(words, 26 + i, neutral=0.1, happiness=0.9).words for i in range(50)]
    assert said[0] == "neutral"
    assert said[-1] == "happiness"
    changes = sum(a.split(",")[0] != b.split(",")[0] for a, b in itertools.pairwise(said))
    assert changes == 1


def test_two_words_that_are_close_do_not_alternate():
    words = Words()
    noise = np.random.default_rng(0).uniform(-0.2, 0.2, 200)
    said = [shown(words, i, neutral=0.5 + d, happiness=0.5 - d).words for i, d in enumerate(noise)]
    assert len(set(said[25:])) == 1
    assert set(said[-1].split(", ")) == {"neutral", "happiness"}


def test_numbers_are_those_of_the_memory_and_change_four_times_a_second_at_most():
    words, said = Words(), []
    for i in range(50):
        result = a_result(i, person(0, valence=-i / 50, arousal=0.5), every=0.04)
        words.add(result)
        said.append(words.labels(result)[0].lines[0])
    assert (said[0], said[-1][:3]) == ("V +0.00  A +0.50", "V \N{MINUS SIGN}")
    assert 6 <= len(set(said)) <= 9  # in two seconds


def test_somebody_who_comes_back_after_long_is_read_anew():
    words = Words()
    shown(words, 0, neutral=1.0, happiness=0.0)
    assert shown(words, 100, neutral=0.0, happiness=1.0).words == "happiness"


def test_a_frame_before_the_last_one_added_has_its_own_words():
    """The viewer has moved, and the picture from before is still there."""
    words = Words()
    late = a_result(100, person(0, shown=(0.0, 1.0)))
    words.add(late)
    words.add(a_result(0, person(1)))
    assert words.labels(late)[0].words == "happiness"


def test_a_series_holds_all_readings_by_time_and_each_once():
    series = Series(100.0)
    for i in range(1000):
        series.add(100 + i / 10, person(0, valence=i / 1000))
    series.add(150.0, person(0, valence=-1.0))  # seen again
    rows = series.between(120.0, 130.0)
    assert rows[1:-1, 0] == pytest.approx(np.arange(200, 300) / 10, abs=1e-4)
    assert rows[1:-1, SMOOTH] == pytest.approx(np.arange(200, 300) / 1000, abs=1e-6)
    assert rows[1, RAW] == pytest.approx(0.4)
    assert rows[1, SPREAD] == pytest.approx(0.1)
    assert series.seen(150.0, 150.0)
    assert not series.seen(200.0, 300.0)


def test_a_series_that_forgets_stays_small():
    series = Series(0.0)
    for i in range(20_000):
        series.add(i / 30, person(0))
        series.forget_before(i / 30 - 60)
    assert len(series) == pytest.approx(1800, abs=2)
    assert len(series._rows) <= 8192


def test_a_time_has_no_rows_of_somebody_who_left_before_or_came_after_it():
    series = Series(100.0)
    for i in range(100):
        series.add(110 + i / 10, person(0))
    for start, end in ((100.0, 109.9), (120.0, 130.0)):
        assert len(series.between(start, end)) == 0
        assert not series.seen(start, end)
    assert len(series.between(100.0, 110.05)) == 2  # and one more
    assert series.seen(100.0, 110.0)
    assert not Series(0.0).seen(0.0, 100.0)


def test_of_a_films_thousands_only_those_of_the_minute_shown_are_searched(app, monkeypatch):
    plot = EmotionPlot(seconds=60)
    plot.set_film((0.0, 3000.0))
    for i in range(3000):
        plot.add(a_result(i, person(i // 3), every=1.0))
    searched = []
    search = np.searchsorted
    monkeypatch.setattr(np, "searchsorted", lambda *a, **k: searched.append(a) or search(*a, **k))
    plot.refresh()
    assert 20 <= len(searched) <= 50  # the people of a minute


def curve(plot, axis, track):
    """Times and values of a smooth curve as it is drawn."""
    x, y = plot._lines[axis][track]._smooth.getData()
    return x[np.isfinite(y)], y[np.isfinite(y)]


def test_the_plot_draws_the_values_that_were_added(app):
    plot = EmotionPlot()
    for i in range(300):
        plot.add(a_result(i, person(0, i / 300, 0.1), person(1, -0.5, -i / 300)))
    plot.refresh()
    times, values = curve(plot, 0, 0)
    assert times == pytest.approx(np.arange(300) / 10, abs=1e-4)
    assert values == pytest.approx(np.arange(300) / 300, abs=1e-6)
    assert curve(plot, 1, 1)[1] == pytest.approx(-np.arange(300) / 300, abs=1e-6)


def test_the_plot_shows_the_last_minute_and_forgets_the_rest(app):
    plot = EmotionPlot(seconds=60)
    for i in range(1000):
        plot.add(a_result(i, person(0)))
    plot.refresh()
    (start, end), _ = plot.plots[0].viewRange()
    assert (start, end) == pytest.approx((39.9, 99.9), abs=0.01)
    assert curve(plot, 0, 0)[0].min() == pytest.approx(39.9, abs=0.11)


def test_curves_without_anybody_say_so(app):
    plot = EmotionPlot()
    plot.add(a_result(0))
    plot.refresh()
    read = QTextDocument()
    read.setHtml(plot._legend.text())
    assert plot._legend.textFormat() == Qt.TextFormat.RichText
    assert read.toPlainText().split()[:4] == ["no", "face", "in", "view"]
    assert "&nbsp;" not in read.toPlainText()
    plot.add(a_result(1, person(0)))
    plot.refresh()
    assert "no face in view" not in plot._legend.text()


def test_a_film_that_is_shorter_than_a_minute_fills_the_plot(app):
    plot = EmotionPlot()
    plot.set_film((0.0, 6.0))
    plot.add(a_result(0, person(0)))
    plot.refresh()
    assert plot.plots[1].viewRange()[0] == pytest.approx([0.0, 6.0], abs=1e-6)


def test_a_film_keeps_its_curves_for_those_who_go_back(app):
    plot = EmotionPlot()
    plot.set_film((0.0, 200.0))
    for i in [*range(1500), *range(1000, 1010)]:  # gone back to 100 s
        plot.add(a_result(i, person(0)))
    plot.refresh()
    assert plot.plots[0].viewRange()[0] == pytest.approx([40.9, 100.9], abs=0.01)
    assert len(curve(plot, 0, 0)[0]) == pytest.approx(600, abs=3)


def test_no_line_is_drawn_over_a_time_without_a_reading(app):
    plot = EmotionPlot()
    for i in [*range(50), *range(100, 150)]:
        plot.add(a_result(i, person(0)))
    plot.refresh()
    _, values = plot._lines[0][0]._smooth.getData()
    assert np.isnan(values[50])


def test_the_band_is_one_standard_deviation_to_each_side(app):
    plot = EmotionPlot()
    for i in range(50):
        plot.add(a_result(i, person(0, 0.5)))
    plot.refresh()
    band = plot._lines[0][0]._band.path().boundingRect()
    assert (band.top(), band.bottom()) == pytest.approx((0.4, 0.6), abs=1e-6)


def test_a_long_stretch_is_thinned_the_same_way_at_every_time(app):
    """Points that came and went would flicker."""
    plot, drawn = EmotionPlot(), []
    for i in range(3000):
        plot.add(a_result(i, person(0, np.sin(i / 40)), every=1 / 60))
        if i in (2990, 2999):
            plot.refresh()
            drawn.append(set(np.round(curve(plot, 0, 0)[0], 4)))
    earlier, later = drawn
    assert len(later) < 1000
    assert len(earlier - later) <= 2


def test_rate_and_latency_are_of_the_last_seconds():
    pace = Pace()
    assert (pace.rate(), pace.latency()) == (None, None)
    for i in range(300):
        pace.add([a_result(i)], i / 30)
    assert pace.rate() == pytest.approx(30.0)
    assert pace.latency() == pytest.approx((0.02, 0.02))


@pytest.mark.parametrize(
    "seconds, said", [(0.0, "0:00.0"), (61.5, "1:01.5"), (59.96, "1:00.0"), (7261.5, "2:01:01.5")]
)
def test_times_are_hours_minutes_and_seconds(seconds, said):
    assert clock(seconds) == said


def test_what_has_no_spread_has_no_band(app):
    plot, somebody = EmotionPlot(), person(0)
    still = type(somebody)(
        somebody.face,
        type(reading(0, 0))(Affect(0.1, 0.1), Affect(0.1, 0.1)),
        somebody.expression,
    )
    for i in range(5):
        plot.add(a_result(i, still))
    plot.refresh()
    assert plot._lines[0][0]._band.path().isEmpty()
    assert len(curve(plot, 0, 0)[0]) == 5


@pytest.mark.parametrize("points", [8, 10, 14])
@pytest.mark.parametrize("share", [(1, 1), (1.08, 2), (1.2, 1), (1, 2), (2, 1), (3, 4)])
def test_the_words_of_the_circle_never_overlap_and_never_leave_it_out_of_sight(app, points, share):
    metrics, plane = QFontMetricsF(QFont("sans", points)), EmotionPlane()
    plane.setFont(QFont("sans", points))
    least = plane.minimumSizeHint()
    size = QSizeF(least.width() * share[0], least.height() * share[1])
    radius, placed = arranged(size, metrics)
    assert {"pleased", "aroused", "displeased", "sleepy"} <= {word for word, _ in placed}
    whole = QRectF(-size.width() / 2, -size.height() / 2, size.width(), size.height())
    assert all(whole.contains(spot) for _, spot in placed)
    assert 3 * metrics.height() < radius < min(size.width(), size.height()) / 2
    for (_, one), (_, other) in itertools.combinations(placed, 2):
        assert not one.intersects(other)


def test_a_label_hides_no_face_where_there_is_room_beside_it():
    place, size = QRectF(0, 0, 640, 360), QSizeF(120, 40)
    box, below = QRectF(300, 10, 50, 60), QRectF(280, 75, 120, 40)
    _, spot = placed(box, size, place, [below], None)
    assert place.contains(spot)
    assert not spot.intersects(box)
    assert not spot.intersects(below)


def test_a_label_does_not_jump_with_a_box_that_trembles():
    place, size = QRectF(0, 0, 640, 360), QSizeF(120, 40)
    kind, kinds = None, []
    for top in (41, 43, 41, 43, 41):
        kind, _ = placed(QRectF(300, top, 50, 60), size, place, [], kind)
        kinds.append(kind)
    assert kinds == [1] * 5  # below, although above there is room now and then


def test_a_place_that_does_not_fit_is_cut_off_visibly(app):
    """`pool 0` would be read as a number."""
    panel, said = ScenePanel(), {}
    place = Scores(("railway station", "swimming pool"), (0.7, 0.3))
    reading = replace(evoked(0.0), place=place)
    for width in (600, 130):
        panel.resize(width, 300)
        panel.show()
        app.processEvents()
        panel.show_reading(reading)
        app.processEvents()
        panel.show_reading(reading)
        said[width] = panel._line.text()
    panel.close()
    assert said[600] == panel._line.toolTip() == "place: railway station 0.70, swimming pool 0.30"
    assert said[130].endswith("\N{HORIZONTAL ELLIPSIS}")


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((0.9, 0.1), "place: street 0.90, forest 0.10"),
        ((0.91, 0.09), "place: street 0.91"),
        ((0.0, 1.0), "place: forest 1.00"),
        ((0.05, 0.06, 0.04), "place: forest 0.06"),
        ((1.0,), "place: street 1.00"),
    ],
)
def test_a_second_place_is_named_only_where_it_is_likely_enough(app, shares, words):
    panel, labels = ScenePanel(), ("street", "forest", "sea")[: len(shares)]
    place = Scores((*labels, "outdoor"), (*shares, 0.5))
    panel.show_reading(replace(evoked(0.0), place=place))
    assert panel._line.toolTip() == words


def test_people_in_view_have_colours_of_their_own_however_often_one_of_them_was_lost():
    colours = Colours()
    for lost in range(1, 20):
        colours.add(a_result(lost, person(0), person(lost)))
        assert colours.of(0).name().upper() == PEOPLE[0]
        assert colours.number(lost) != 0
    numbers = [colours.number(track) for track in range(1, 6)]
    assert sorted(numbers) == [1, 2, 3, 4, 5]  # of those that are free, the one longest unused


def test_a_seventh_person_shares_a_colour_and_an_eighth_another():
    colours = Colours()
    colours.add(a_result(0, *[person(track) for track in range(8)]))
    numbers = [colours.number(track) for track in range(8)]
    assert numbers == [0, 1, 2, 3, 4, 5, 0, 1]
    colours.add(a_result(1, *[person(track) for track in range(5)]))
    colours.add(a_result(2, *[person(track) for track in (0, 1, 2, 3, 4, 8)]))
    assert colours.number(8) == 5


def test_plots_that_share_nothing_give_the_same_person_the_same_colour(app):
    plot, plane = EmotionPlot(), EmotionPlane()
    for i, tracks in enumerate([(0, 1), (0, 2), (3,), (3, 4, 5, 6), (0, 7), (0, 8)]):
        for part in (plot, plane):
            part.add(a_result(i, *map(person, tracks)))
    for track in range(9):
        assert plot._colours.of(track) == plane._colours.of(track)


def test_whoever_was_seen_before_a_cut_is_not_shown_as_in_view(app):
    plot, plane = EmotionPlot(), EmotionPlane()
    before = [a_result(i, person(0), person(1)) for i in range(5)]
    for result in (*before, replace(a_result(5, person(2)), cut=True), a_result(6, person(2))):
        plot.add(result)
        plane.add(result)
    plot.refresh()
    assert list(plane._trails) == [2]
    words = QTextDocument()
    words.setHtml(plot._legend.text())
    assert words.toPlainText().split("thin")[0].split() == ["\N{BLACK CIRCLE}", "2"]
    plot.add(before[-1])  # the viewer goes back
    plot.refresh()
    words.setHtml(plot._legend.text())
    assert words.toPlainText().split("thin")[0].split()[1::2] == ["0", "1"]


@pytest.mark.parametrize("name", [*PEOPLE, SWITCHED_ON])
def test_words_on_a_colour_have_the_contrast_that_small_letters_need(name):
    colour = QColor(name)
    dark, light = sorted([luminance(colour), luminance(on(colour))])
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.2, level AA
