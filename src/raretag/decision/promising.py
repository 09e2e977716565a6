"""Fit a promise on calibration documents: label by label, in pools where labels are too rare, or not at all."""

from __future__ import annotations

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
from raretag.decision.floors import Floors, alphas_of, together
from raretag.decision.promise import Promise, PromisedUnit, RefusedUnit
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema

_RARE: Final = "too few units have one of these labels alone"


def fit_promise(
    found: Sequence[Candidates],
    decisions: Mapping[str, Decision],
    gold: Mapping[str, Document],
    *,
    floors: Floors,
    schema: Schema,
) -> Promise:
    """Thresholds on doubt that keep the expected share of missed mentions at most alpha = 1 − floor.

    found, decisions, gold: of the calibration documents, which the rule that decided was not fitted on. The promise is
    about units: patients, or documents that name none. floors: in (0, 1), one for every label, or by label or tail
    group (head, medium, tail); a label's own is taken before its group's. A group that is named is promised for as a
    whole, without the labels that have their own. Other labels are promised for one by one; those in too few units are
    pooled with those of their tail group that are too rare, too, and where that is too little with all that are too
    rare; pools are of one alpha. A label that no unit has is in no pool, and refused like those that are too few even
    together. Documents without any token have nothing to review and are left out. Raises UsageError for a floor that
    cannot be.
    """
    alphas = alphas_of(floors, schema=schema)
    fitting = _Fitting(found=[one for one in found if one.tokens], decisions=decisions, gold=gold, schema=schema)
    units: list[PromisedUnit] = []
    refused: list[RefusedUnit] = []
    groups = together(floors, schema=schema)
    for group, labels in groups.items():
        promised, left = _whole(group, labels, fitting, alpha=alphas[labels[0]])
        units += promised
        refused += left
    grouped = {label for labels in groups.values() for label in labels}
    for alpha in sorted({*alphas.values()}):
        asked = [label for label in schema.labels if alphas.get(label) == alpha and label not in grouped]
        pools, left = _pools(asked, fitting, alpha=alpha)
        units += [fitting.fit(labels, alpha=alpha, pooled=why) for labels, why in pools]
        refused += left
    return Promise(units=tuple(units), refused=tuple(refused))


def _whole(
    group: str, labels: tuple[str, ...], fitting: _Fitting, *, alpha: float
) -> tuple[list[PromisedUnit], list[RefusedUnit]]:
    """A tail group as the floor names it; labels that no unit has are refused."""
    needed, known = units_needed(alpha), tuple(label for label in labels if fitting.units([label]))
    refused = _absent(tuple(label for label in labels if label not in known), alpha=alpha)
    number = fitting.units(known)
    if known and number < needed:
        why = f"a label of the {group} group is in {number} of the {needed} units that are needed"
        refused.append(RefusedUnit(labels=known, alpha=alpha, units=number, needed=needed, why=why))
    if number < needed:
        return [], refused
    told = f"the floor is that of the {group} group" if len(known) > 1 else ""
    return [fitting.fit(known, alpha=alpha, pooled=told)], refused


def _absent(labels: tuple[str, ...], *, alpha: float) -> list[RefusedUnit]:
    if not labels:
        return []
    why = "no calibration document has them, so that nothing is known of how they are missed"
    return [RefusedUnit(labels=labels, alpha=alpha, units=0, needed=units_needed(alpha), why=why)]


def _pools(
    asked: Sequence[str], fitting: _Fitting, *, alpha: float
) -> tuple[list[tuple[tuple[str, ...], str]], list[RefusedUnit]]:
    """Which labels are taken together, and why; and what is refused."""
    needed = units_needed(alpha)
    absent = tuple(label for label in asked if not fitting.units([label]))
    rare = [label for label in asked if 0 < fitting.units([label]) < needed]
    pools: list[tuple[tuple[str, ...], str]] = [
        ((label,), "") for label in asked if label not in rare and label not in absent
    ]
    refused = []
    left: list[str] = []
    for group in TAIL_GROUPS:
        labels = tuple(label for label in rare if fitting.group(label) == group)
        if fitting.units(labels) >= needed:
            pools.append((labels, f"{_RARE}: those of the {group} group"))
        else:
            left += labels
    if left and fitting.units(rare) >= needed:
        again = [label for label in rare if label not in left]
        twice = f"; {', '.join(again)} also stand in the pool of their group" if again else ""
        pools.append(
            (tuple(rare), f"{_RARE}, for {', '.join(left)} not even a tail group: all that are too rare{twice}")
        )
    elif left:
        # had a group a pool of its own, all together would be enough: these are all that are too rare
        number = fitting.units(left)
        why = f"one of the {len(left)} labels that are too rare is in {number} of the {needed} units that are needed"
        refused.append(RefusedUnit(labels=tuple(left), alpha=alpha, units=number, needed=needed, why=why))
    return pools, [*refused, *_absent(absent, alpha=alpha)]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fitting:
    found: Sequence[Candidates]
    decisions: Mapping[str, Decision]
    gold: Mapping[str, Document]
    schema: Schema

    def units(self, labels: Sequence[str]) -> int:
        """How many units of exchange have a gold mention of the labels."""
        having = {
            self.gold[one.document].unit
            for one in self.found
            if any(mention.label in labels for mention in self.gold[one.document].mentions)
        }
        return len(having)

    def group(self, label: str) -> str:
        return tail_group(self.schema.mention_counts[self.schema.labels.index(label)])

    def fit(self, labels: tuple[str, ...], *, alpha: float, pooled: str) -> PromisedUnit:
        """A promise for labels that enough units have."""
        losses = by_unit(
            {one.document: self._found_at(one, labels) for one in self.found},
            {document: one.unit for document, one in self.gold.items()},
        )
        every = np.concatenate(losses)
        outcome = control(losses, alpha=alpha)
        if outcome.threshold is None:
            raise ValueError(f"{len(losses)} units are too few for alpha {alpha}")
        return PromisedUnit(
            labels=labels,
            alpha=alpha,
            units=len(losses),
            mentions=len(every),
            unreached=int((every == 0).sum()),
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
