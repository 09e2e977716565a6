"""Fit a promise on calibration documents: label by label, in pools where labels are too rare, or not at all."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from raretag.corpus import Document
from raretag.corpus.inventory import TAIL_GROUPS, tail_group
from raretag.decision.conformal import Array, by_unit, control, units_needed
from raretag.decision.decided import Decision
from raretag.decision.doubt import found_at, token_doubts
from raretag.decision.promise import Promise, PromisedUnit, RefusedUnit
from raretag.errors import UsageError
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema

Floors = float | Mapping[str, float]
_RARE: Final = "too few documents have one of these labels alone"


def fit_promise(
    found: Sequence[Candidates],
    decisions: Mapping[str, Decision],
    gold: Mapping[str, Document],
    *,
    floors: Floors,
    schema: Schema,
) -> Promise:
    """Thresholds on doubt that keep the share of missed mentions at most alpha = 1 − floor.

    found, decisions, gold: of the calibration documents, which the rule that decided was not fitted on. floors: in
    (0, 1), one for every label, or by label or tail group (head, medium, tail); a label's own is taken before its
    group's. Labels in too few documents are pooled with those of their tail group that are too rare, too, and where
    that is too little with all that are too rare; pools are of one alpha. Raises UsageError for a floor that cannot be.
    """
    alphas = _alphas(floors, schema=schema)
    fitting = _Fitting(found=found, decisions=decisions, gold=gold, schema=schema)
    units: list[PromisedUnit] = []
    refused: list[RefusedUnit] = []
    for alpha in sorted({*alphas.values()}):
        asked = [label for label in schema.labels if alphas.get(label) == alpha]
        rare = [label for label in asked if fitting.documents([label]) < units_needed(alpha)]
        pools: list[tuple[tuple[str, ...], str]] = [((label,), "") for label in asked if label not in rare]
        left: list[str] = []
        for group in TAIL_GROUPS:
            labels = tuple(label for label in rare if fitting.group(label) == group)
            if fitting.documents(labels) >= units_needed(alpha):
                pools.append((labels, f"{_RARE}: those of the {group} group" if len(labels) > 1 else ""))
            else:
                left += labels
        if left and fitting.documents(rare) >= units_needed(alpha):
            pools.append((tuple(rare), f"{_RARE}, not even those of one tail group: all that are too rare"))
        elif left:
            # the largest pool that was tried tells how far it is from enough
            refused.append(fitting.too_few(tuple(left), tried=rare, alpha=alpha))
        for labels, why in pools:
            outcome = fitting.fit(labels, alpha=alpha, pooled=why)
            if isinstance(outcome, PromisedUnit):
                units.append(outcome)
            else:
                refused.append(outcome)
    return Promise(units=tuple(units), refused=tuple(refused))


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fitting:
    found: Sequence[Candidates]
    decisions: Mapping[str, Decision]
    gold: Mapping[str, Document]
    schema: Schema

    def documents(self, labels: Sequence[str]) -> int:
        """How many units of exchange have a gold mention of the labels."""
        having = {
            self.gold[one.document].unit
            for one in self.found
            if any(mention.label in labels for mention in self.gold[one.document].mentions)
        }
        return len(having)

    def group(self, label: str) -> str:
        return tail_group(self.schema.mention_counts[self.schema.labels.index(label)])

    def too_few(self, labels: tuple[str, ...], *, tried: Sequence[str], alpha: float) -> RefusedUnit:
        documents, needed = self.documents(tried), units_needed(alpha)
        why = f"{documents} documents have one of the {len(tried)} labels that are too rare, and {needed} are needed"
        return RefusedUnit(labels=labels, alpha=alpha, documents=documents, needed=needed, why=why)

    def fit(self, labels: tuple[str, ...], *, alpha: float, pooled: str) -> PromisedUnit | RefusedUnit:
        losses = by_unit(
            {one.document: self._found_at(one, labels) for one in self.found},
            {document: one.unit for document, one in self.gold.items()},
        )
        every = np.concatenate([np.zeros(0), *losses])
        outcome = control(losses, alpha=alpha)
        if outcome.threshold is None:
            unreached = int((every == 0).sum())
            why = (
                f"{unreached} of {len(every)} gold mentions are reached by no candidate, so that even with a review of "
                f"every candidate the bound on the missed share is {outcome.bound:.3g}, above {alpha:.3g}"
            )
            return RefusedUnit(labels=labels, alpha=alpha, documents=len(losses), needed=units_needed(alpha), why=why)
        return PromisedUnit(
            labels=labels,
            alpha=alpha,
            documents=len(losses),
            mentions=len(every),
            threshold=None if math.isinf(outcome.threshold) else outcome.threshold,
            bound=outcome.bound,
            pooled=pooled,
        )

    def _found_at(self, one: Candidates, labels: tuple[str, ...]) -> Array:
        mentions = [mention for mention in self.gold[one.document].mentions if mention.label in labels]
        if not mentions:
            return np.zeros(0)
        decision = self.decisions[one.document]
        doubts = token_doubts(one, decision, schema=self.schema, labels=labels)
        return found_at(mentions, one, decision, doubts=doubts)


def _alphas(floors: Floors, *, schema: Schema) -> dict[str, float]:
    """1 − floor of every label that has one. Raises UsageError with all that is wrong."""
    asked = floors if isinstance(floors, Mapping) else dict.fromkeys(schema.labels, floors)
    known = [*schema.labels, *TAIL_GROUPS]
    problems = []
    for name, floor in asked.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {near[0]}?" if near else f"there are the groups {', '.join(TAIL_GROUPS)}"
            problems.append(f"no label and no tail group is called {name!r}; {meant}")
        elif not 0 < floor < 1:
            problems.append(f"a floor of {floor:g} for {name!r} is not between 0 and 1")
    if problems:
        # one floor for all labels is one mistake
        told = problems if isinstance(floors, Mapping) else [f"a floor of {floors:g} is not between 0 and 1"]
        raise UsageError("; ".join(told), remedy="Give recall floors such as 0.95, for all, a label or a tail group")
    alphas = {}
    for label, number in zip(schema.labels, schema.mention_counts, strict=True):
        name = label if label in asked else tail_group(number)
        if name in asked:
            alphas[label] = round(1 - asked[name], 12)
    return alphas
