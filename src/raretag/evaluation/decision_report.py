"""A policy beside the most probable tags: what it wins and costs, whether chance explains it, and its promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, final

from raretag.corpus import Document
from raretag.decision.costs import Costs
from raretag.decision.decided import Decision
from raretag.decision.outcomes import Outcomes, outcomes
from raretag.decision.promise import PromisedUnit, RefusedUnit
from raretag.evaluation.cost_curve import RATIOS, CostCurve, cost_curve
from raretag.evaluation.decision_cost import document_costs
from raretag.evaluation.decision_figures import DecisionFigures, decision_figures
from raretag.evaluation.promise_report import MissedShare, missed_share
from raretag.evaluation.review_curve import ReviewPoint, review_curve
from raretag.evaluation.significance import macro_f1, micro_f1, paired_p_value, total
from raretag.tagging import Schema

# of a token, from which it is read: doubts of 1 and more are sums over several labels
DOUBTS: Final = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPromise:
    """What was promised, and what came of it; None where some of the documents were decided without the promise."""

    promised: PromisedUnit
    realised: MissedShare | None


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecisionReport:
    """used: of the policy. argmax: of the most probable tags, priced alike.

    p_values: two-sided, of the difference between both by swapping documents (patients), None where undefined:
    micro_f1 and macro_f1 of what is accepted, and where costs are given cost. promises: on these documents. curve:
    normalised cost at each ratio of a miss to a false alarm, where costs are given. reading: recall against the share
    of tokens that are read, by the least doubt that is sent to review beside what the policy asks for.
    """

    used: DecisionFigures
    argmax: DecisionFigures
    p_values: Mapping[str, float | None]
    promises: tuple[KeptPromise, ...]
    refused: tuple[RefusedUnit, ...]
    curve: CostCurve | None
    reading: tuple[ReviewPoint, ...]

    def to_json(self) -> dict[str, Any]:
        """Built-in types only."""
        return {
            "used": self.used.to_json(),
            "argmax": self.argmax.to_json(),
            "p_values": dict(self.p_values),
            "promises": [
                {
                    **one.promised.model_dump(mode="json"),
                    "realised": None if one.realised is None else asdict(one.realised),
                }
                for one in self.promises
            ],
            "refused": [one.model_dump(mode="json") for one in self.refused],
            "cost_curve": None if self.curve is None else asdict(self.curve),
            "review_curve": [asdict(point) for point in self.reading],
        }


def decision_report(
    gold: Sequence[Document],
    *,
    used: Mapping[str, Decision],
    argmax: Mapping[str, Decision],
    schema: Schema,
    costs: Costs | None = None,
    promises: Sequence[PromisedUnit] = (),
    promised: frozenset[tuple[str, ...]] | None = None,
    refused: Sequence[RefusedUnit] = (),
    at_ratio: Callable[[float], Mapping[str, Decision]] | None = None,
    at_doubt: Callable[[float], Mapping[str, Decision]] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> DecisionReport:
    """Judge decisions by document id.

    promised: labels, together, whose promise every decision holds; None: all of `promises`.
    at_ratio: those of least cost where a miss is so many times a false alarm. at_doubt: those of the policy where
    tokens of at least so much doubt, in (0, 1], are sent to review, too.

    Raises DataError as `outcomes`, UsageError where reviews have no price.
    """
    mine, plain = (
        decision_figures(gold, one, schema=schema, costs=costs, resamples=resamples, seed=seed)
        for one in (used, argmax)
    )
    return DecisionReport(
        used=mine,
        argmax=plain,
        p_values=_p_values(mine, plain, costs=costs, seed=seed),
        promises=tuple(
            KeptPromise(
                promised=one,
                realised=missed_share(mine.outcomes, labels=one.labels, resamples=resamples, seed=seed)
                if promised is None or one.labels in promised
                else None,
            )
            for one in promises
        ),
        refused=tuple(refused),
        reading=()
        if at_doubt is None
        else review_curve((doubt, outcomes(gold, at_doubt(doubt), labels=schema.labels)) for doubt in DOUBTS),
        curve=None if costs is None else _curve(gold, mine, plain, costs=costs, schema=schema, at_ratio=at_ratio),
    )


def _p_values(
    mine: DecisionFigures, plain: DecisionFigures, *, costs: Costs | None, seed: int
) -> dict[str, float | None]:
    groups = mine.counts.groups
    values = [one.counts.values for one in (mine, plain)]
    found = {
        name: paired_p_value(*values, groups=groups, figure=figure, seed=seed)
        for name, figure in (("micro_f1", micro_f1), ("macro_f1", macro_f1))
    }
    if costs is not None:
        spent = [document_costs(one.outcomes, costs=costs).total for one in (mine, plain)]
        found["cost"] = paired_p_value(*spent, groups=groups, figure=total, seed=seed)
    return found


def _curve(
    gold: Sequence[Document],
    mine: DecisionFigures,
    plain: DecisionFigures,
    *,
    costs: Costs,
    schema: Schema,
    at_ratio: Callable[[float], Mapping[str, Decision]] | None,
) -> CostCurve | None:
    """None where a false alarm costs nothing: then there is no ratio."""
    alarm = costs.default.false_alarm
    if not alarm:
        return None
    rules: dict[str, Callable[[float], Outcomes]] = {
        "argmax": lambda _: plain.outcomes,
        "policy": lambda _: mine.outcomes,
    }
    if at_ratio is not None:
        rules["least expected cost"] = lambda ratio: outcomes(gold, at_ratio(ratio), labels=schema.labels)
    review = None if costs.review is None else costs.review / alarm
    return cost_curve(rules, ratios=RATIOS, review=review)
