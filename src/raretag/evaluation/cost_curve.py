"""Cost curves: which decision rule is cheapest, as misses get dearer than false alarms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

from raretag.decision.outcomes import Outcomes

RATIOS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CostCurve:
    """Normalised cost of decision rules at each ratio of the cost of a miss to that of a false alarm.

    rules: by name, as many costs as there are ratios, >= 0; 1 is what it costs to mark nothing, None where there is no
    gold mention. cheapest: at each ratio the first rule with the least cost, None where there is none.
    """

    ratios: tuple[float, ...]
    rules: Mapping[str, tuple[float | None, ...]]
    cheapest: tuple[str | None, ...]


def cost_curve(
    rules: Mapping[str, Callable[[float], Outcomes]], *, ratios: Sequence[float] = RATIOS, review: float | None = None
) -> CostCurve:
    """Run each rule at each ratio, > 0, and price what comes of it.

    rules: by name, from a ratio to outcomes on the same documents; a rule that does not know costs ignores it.
    review: the cost of a review, in false alarms, >= 0; None where nothing is reviewed.
    After Drummond & Holte (2006, Machine Learning 65, "Cost curves"); they divide by the cost of getting everything
    wrong, which has no bound where mentions are to be found, so here it is that of marking nothing.
    Raises ValueError for a ratio or a review out of range, and where something was reviewed and `review` is None.
    """
    if not all(0 < ratio < float("inf") for ratio in ratios):
        raise ValueError(f"ratios {list(ratios)}: give finite numbers > 0")
    told = {
        name: tuple(normalised_cost(rule(ratio), ratio=ratio, review=review) for ratio in ratios)
        for name, rule in rules.items()
    }
    cheapest = []
    for number in range(len(ratios)):
        here = {name: cost for name, costs in told.items() if (cost := costs[number]) is not None}
        cheapest.append(min(here, key=here.__getitem__) if here else None)
    return CostCurve(ratios=tuple(ratios), rules=told, cheapest=tuple(cheapest))


def normalised_cost(outcomes: Outcomes, *, ratio: float, review: float | None = None) -> float | None:
    """(ratio · misses + false alarms + review · reviews) / (ratio · gold mentions); None without gold.

    A wrong label is a miss and a false alarm. Raises ValueError as `cost_curve`.
    """
    reviews = int(outcomes.reviews.sum())
    if reviews and review is None:
        raise ValueError(f"{reviews} stretches were reviewed: say what a review costs, in false alarms")
    if review is not None and not 0 <= review < float("inf"):
        raise ValueError(f"a review costs {review} false alarms: give a finite number >= 0")
    gold, wrong = int(outcomes.gold.sum()), int(outcomes.wrong_label.sum())
    misses, false_alarms = int(outcomes.missed.sum()) + wrong, int(outcomes.false_alarms.sum()) + wrong
    return (ratio * misses + false_alarms + (review or 0.0) * reviews) / (ratio * gold) if gold else None
