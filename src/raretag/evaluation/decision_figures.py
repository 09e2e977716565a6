"""What one rule's decisions come to: F1 of what it accepts, recall with review, what is read, what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from raretag.corpus import Document
from raretag.corpus.inventory import TAIL_GROUPS, TailGroup, tail_group
from raretag.decision.costs import Costs
from raretag.decision.decided import Decision
from raretag.decision.outcomes import Outcomes, outcomes
from raretag.evaluation.counts import Counts, count_matches
from raretag.evaluation.decision_cost import DecisionCost, decision_cost
from raretag.evaluation.figures import Figures, SchemeFigures
from raretag.evaluation.summary import scheme_figures
from raretag.tagging import Schema


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCounts:
    """What became of gold mentions, as in `Outcomes`, and false alarms; recall: found or reviewed, of gold, or None."""

    gold: int
    found: int
    reviewed: int
    wrong_label: int
    missed: int
    false_alarms: int
    recall: float | None


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecisionFigures:
    """strict: of what is accepted. routes: of all mentions; groups, labels: by tail group, and by label.

    reviews: stretches that a person is asked to look at; reviewed_share: of tokens, in [0, 1], None without any token.
    cost: None where no costs are given. counts, outcomes: behind them, for comparison.
    """

    strict: SchemeFigures
    routes: RouteCounts
    groups: Mapping[TailGroup, RouteCounts]
    labels: Mapping[str, RouteCounts]
    reviews: int
    reviewed_share: float | None
    cost: DecisionCost | None
    counts: Counts
    outcomes: Outcomes

    def to_json(self) -> dict[str, Any]:
        """Built-in types only; of `strict` the F1 of means alone."""
        strict = self.strict
        means: dict[str, Figures] = {"micro": strict.micro, "macro": strict.macro, "macro10": strict.macro10}
        means |= {str(group): one for group, one in strict.groups.items()}
        return {
            "strict": {name: {"f1": one.f1, "f1_interval": one.f1_interval} for name, one in means.items()},
            "routes": asdict(self.routes),
            "groups": {name: asdict(one) for name, one in self.groups.items()},
            "labels": {name: asdict(one) for name, one in self.labels.items()},
            "reviews": self.reviews,
            "reviewed_share": self.reviewed_share,
            "cost": None if self.cost is None else asdict(self.cost),
        }


def decision_figures(
    gold: Sequence[Document],
    decisions: Mapping[str, Decision],
    *,
    schema: Schema,
    costs: Costs | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> DecisionFigures:
    """All of them. Raises DataError as `outcomes`, UsageError where reviews have no price."""
    training = dict(zip(schema.labels, schema.mention_counts, strict=True))
    told = outcomes(gold, decisions, labels=schema.labels)
    counts = count_matches(
        gold, {name: one.accepted for name, one in decisions.items()}, labels=schema.labels, scheme="strict"
    )
    group_of = [tail_group(training.get(label, 0)) for label in told.labels]
    tokens = int(told.tokens.sum())
    return DecisionFigures(
        strict=scheme_figures(counts, training_counts=training, resamples=resamples, seed=seed),
        routes=_counted(told, range(len(told.labels))),
        groups={
            group: _counted(told, [number for number, own in enumerate(group_of) if own == group])
            for group in TAIL_GROUPS
        },
        labels={label: _counted(told, [number]) for number, label in enumerate(told.labels)},
        reviews=int(told.reviews.sum()),
        reviewed_share=int(told.reviewed_tokens.sum()) / tokens if tokens else None,
        cost=None if costs is None else decision_cost(told, costs=costs, resamples=resamples, seed=seed),
        counts=counts,
        outcomes=told,
    )


def _counted(told: Outcomes, columns: Sequence[int]) -> RouteCounts:
    gold, found, reviewed, wrong, missed, alarms = (
        int(np.asarray(values)[:, list(columns)].sum())
        for values in (told.gold, told.found, told.reviewed, told.wrong_label, told.missed, told.false_alarms)
    )
    return RouteCounts(
        gold=gold,
        found=found,
        reviewed=reviewed,
        wrong_label=wrong,
        missed=missed,
        false_alarms=alarms,
        recall=(found + reviewed) / gold if gold else None,
    )
