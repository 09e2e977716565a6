"""What the figures show, read from what was drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from raretag.experiments.biaslab.results import BiasLabResults
from raretag.reporting.biaslab.amplification_figure import NOTHING, amplification_figure
from raretag.reporting.biaslab.predicted_figure import predicted_figure
from raretag.reporting.biaslab.sections import sections
from raretag.reporting.biaslab.share_figure import NOTHING as NOT_RECORDED
from raretag.reporting.biaslab.share_figure import gradient_share_figure
from raretag.reporting.style import house_style

Make = Callable[..., BiasLabResults]
FIGURES = (predicted_figure, amplification_figure, gradient_share_figure)
MANY = {f"mechanism {number}": 0.1 * number for number in range(14)}
SIX = ("O", "Sign_symptom", "Diagnostic_procedure", "Medication", "Lab_value", "Allergy")


@pytest.fixture(autouse=True)
def style() -> Iterator[None]:
    with house_style():
        yield


def panel(figure: Figure, name: str) -> Axes:
    (found,) = (axes for axes in figure.axes if axes.get_label() == name)
    return found


def line(axes: Axes, label: str) -> npt.NDArray[np.float64]:
    (found,) = (one for one in axes.get_lines() if isinstance(one, Line2D) and one.get_label() == label)
    return np.asarray(found.get_xydata(), dtype=np.float64)


def words(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts] + [text.get_text() for text in figure.texts]


def test_points_lie_at_empirical_and_predicted_shares(make_results: Make) -> None:
    shares = np.array([0.7, 0.2, 0.1], dtype=np.float64)
    results = make_results(
        labels=("O", "A", "B"), marginals={"m": shares.tolist()}, mechanisms={"plain": 1.0, "doubled": 2.0}, seeds=(1,)
    )
    axes = panel(predicted_figure(sections(results)[0]), "doubled")
    squared = shares**2 / (shares**2).sum()
    assert np.allclose(line(axes, "soft"), np.stack([shares, squared], axis=1))
    assert np.allclose(line(axes, "effective prior"), np.stack([shares, squared], axis=1))
    assert np.allclose(line(axes, "soft, prior restored"), np.stack([shares, shares], axis=1))
    # hard is O alone; the others are on the lower edge, by a mark of their own
    edge = axes.get_ylim()[0]
    assert np.allclose(line(axes, "hard"), [[0.7, 1.0]])
    assert np.allclose(line(axes, "hard: never predicted"), [[0.2, edge], [0.1, edge]])
    assert edge < squared.min()
    assert axes.get_xscale() == axes.get_yscale() == "log"
    diagonal = line(axes, "diagonal")
    assert np.array_equal(diagonal[:, 0], diagonal[:, 1])


def test_panels_share_their_axes(make_results: Make) -> None:
    figure = predicted_figure(sections(make_results())[0])
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in figure.axes}) == 1
    assert [axes.get_label() for axes in figure.axes] == ["plain", "amplifier", "flattener"]


def test_a_share_of_0_lies_on_the_edge(make_results: Make) -> None:
    results = make_results(labels=("O", "A", "B"), marginals={"m": (0.6, 0.4, 0.0)}, mechanisms={"plain": 1.0})
    axes = panel(predicted_figure(sections(results)[0]), "plain")
    edge = axes.get_ylim()[0]
    assert edge > 0
    assert np.allclose(line(axes, "soft")[2], [edge, edge])


def test_the_lines_are_the_curves(make_results: Make) -> None:
    results = make_results(mechanisms={"one": 1.0, "two": 1.5}, seeds=(1, 2), steps=(0, 9, 99))
    exponent, memorised = amplification_figure(sections(results)[0]).axes
    assert np.allclose(line(exponent, "two"), [[0.0, 0.015], [9.0, 0.15], [99.0, 1.5]])
    assert np.allclose(line(memorised, "two"), [[0.0, 0.0], [9.0, 9 / 400], [99.0, 99 / 400]])
    assert (line(exponent, "preserved")[:, 1] == 1).all()
    for axes in (exponent, memorised):
        low, high = axes.get_xlim()
        assert low < 0 < 99 < high
    # a band for each mechanism, from the least seed to the greatest
    bands = [band.get_datalim(exponent.transData) for band in exponent.collections]
    assert len(bands) == 2
    assert bands[1].y1 == pytest.approx(1.55)
    single = make_results(mechanisms={"one": 1.0}, seeds=(1,))
    assert len(amplification_figure(sections(single)[0]).axes[0].collections) == 0


def test_zones_and_mechanisms_are_named(make_results: Make) -> None:
    exponent, memorised = amplification_figure(sections(make_results(mechanisms=MANY))[0]).axes
    named = [text.get_text() for text in exponent.texts]
    assert {"amplifies", "preserved", "flattens", *MANY} <= set(named)
    assert set(MANY) <= {text.get_text() for text in memorised.texts}
    places = sorted(text.get_position()[1] for text in exponent.texts if text.get_text() in MANY)
    # in units of the axes' height: no two names closer than the size of their type
    tall = exponent.get_position().height * exponent.figure.get_figheight()  # type: ignore[union-attr]
    assert np.diff(places).min() * tall * 72 > 8


def test_where_no_exponent_is_defined_the_figure_says_so(make_results: Make) -> None:
    exponent, _ = amplification_figure(sections(make_results(mechanisms={"one": None, "two": None}))[0]).axes
    named = [text.get_text() for text in exponent.texts]
    assert NOTHING in named
    assert {"one  –", "two  –"} <= set(named)
    some = amplification_figure(sections(make_results(mechanisms={"one": None, "two": 1.0}))[0])
    assert NOTHING not in words(some)
    assert "one  –" in words(some)


def test_areas_are_shares_stacked_from_the_first_label_upwards(make_results: Make) -> None:
    results = make_results(labels=("O", "A", "B"), marginals={"m": (0.6, 0.3, 0.1)}, steps=(0, 10, 20, 30))
    axes = panel(gradient_share_figure(sections(results)[0]), "loss: plain")
    areas = [area for area in axes.patches if isinstance(area, StepPatch)]
    assert [area.get_label() for area in areas] == ["O", "A", "B"]
    below = np.zeros(3)
    for area in areas:
        top, edges, bottom = area.get_data()
        assert edges.tolist() == [0, 10, 20, 30]
        # the second window is a gap
        assert np.isnan(top).tolist() == [False, True, False]
        assert np.allclose(np.asarray(bottom)[[0, 2]], below[[0, 2]])
        below = top
    assert np.allclose(below[[0, 2]], 1)


def test_labels_have_the_same_colour_in_every_panel_also_without_outside(make_results: Make) -> None:
    with_outside = make_results(mechanisms={"one": 1.0})
    without = make_results(mechanisms={"two": 1.0}, ledger_labels=("Problem", "Drug", "Device", "Allergy"))
    both = with_outside.model_copy(
        update={"runs": with_outside.runs + without.runs, "summaries": with_outside.summaries + without.summaries}
    )
    colours: dict[str, set[object]] = {}
    for axes in gradient_share_figure(sections(both)[0]).axes:
        for area in axes.patches:
            colours.setdefault(str(area.get_label()), set()).add(area.get_facecolor())
    assert set(colours) == {"O", "Problem", "Drug", "Device", "Allergy"}
    assert all(len(found) == 1 for found in colours.values())
    assert len(set.union(*colours.values())) == 5


def test_an_empty_ledger_is_said(make_results: Make) -> None:
    figure = gradient_share_figure(sections(make_results(mechanisms={"one": 1.0}, steps=(0,)))[0])
    assert words(figure).count(NOT_RECORDED) == 2


@pytest.mark.parametrize("figure_of", FIGURES)
@pytest.mark.parametrize(
    ("labels", "shares", "mechanisms", "seeds", "steps"),
    [
        (("O", "M"), (0.99, 0.01), {"only": 1.0}, (1,), (240,)),
        (SIX, (0.55, 0.25, 0.12, 0.05, 0.02, 0.01), MANY, (1, 2), (0, 10, 240)),
        (tuple(f"L{n}" for n in range(20)), (0.05,) * 20, {"a" * 90: 1.0, "薬" * 40: 0.5}, (1,), (1, 2)),
    ],
)
def test_labels_and_mechanisms_are_named_within_the_figure(
    make_results: Make,
    figure_of: Callable[..., Figure],
    labels: tuple[str, ...],
    shares: tuple[float, ...],
    mechanisms: dict[str, float],
    seeds: tuple[int, ...],
    steps: tuple[int, ...],
) -> None:
    results = make_results(labels=labels, marginals={"m": shares}, mechanisms=mechanisms, seeds=seeds, steps=steps)
    figure = figure_of(sections(results)[0])
    said = words(figure)
    for name in mechanisms:
        assert any(text.startswith(name[:12]) for text in said), name
    if figure_of is not amplification_figure:
        for label in labels:
            assert any(text.startswith(label[:12]) for text in said), label
    # inches; a long name may be cut, but nothing stands above or below the figure
    assert 2 < figure.get_figheight() < 20
    assert all(0 <= axes.get_position().y0 < axes.get_position().y1 <= 1 for axes in figure.axes)
    assert all(0 <= axes.get_position().x0 < axes.get_position().x1 <= 1 for axes in figure.axes)


def test_what_is_far_worse_than_the_shares_is_cut(make_results: Make) -> None:
    results = make_results(mechanisms={"good": 1.0, "bad": 1.0}, seeds=(1,), steps=(10, 20))
    runs = tuple(
        run.model_copy(update={"curve": tuple(at.model_copy(update={"memorised": -50.0}) for at in run.curve)})
        if run.mechanism == "bad"
        else run
        for run in results.runs
    )
    _, memorised = amplification_figure(sections(results.model_copy(update={"runs": runs}))[0]).axes
    assert memorised.get_ylim() == pytest.approx((-1, 1.18))
    assert (line(memorised, "bad")[:, 1] == -50).all()
    (name,) = (text for text in memorised.texts if text.get_text() == "bad")
    assert 0 < name.get_position()[1] < 0.1
