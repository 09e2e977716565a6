"""The policy of a run at work on documents with gold, and whether it was fixed before they were opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from raretag.corpus import Document, Mention
from raretag.decision.costs import Costs, DefaultCosts
from raretag.decision.decided import Decision
from raretag.decision.doubt import read_from
from raretag.decision.openings import Openings
from raretag.decision.policy import ArgmaxPolicy, CostPolicy
from raretag.decision.policy_file import PolicyFile
from raretag.evaluation.decision_report import DecisionReport, decision_report
from raretag.probability import Scores
from raretag.probability.calibrated import Calibrated


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunDecisions:
    """accepted: by document id, what stands. opened_before: how many of the documents were, before it was fixed."""

    policy: PolicyFile
    accepted: Mapping[str, tuple[Mention, ...]]
    opened_before: int
    report: DecisionReport

    def to_json(self) -> dict[str, Any]:
        """`decisions`, and `cost` where costs are given; built-in types only."""
        report = self.report.to_json()
        fixed = {
            "rule": self.policy.rule,
            "fixed_at": self.policy.fixed_at,
            "fixed_on": {"documents": len(self.policy.fixed_on.documents), "sha256": self.policy.fixed_on.sha256},
            "opened_before": self.opened_before,
        }
        told: dict[str, Any] = {"decisions": {"policy": fixed, **report}}
        cost, plain = report["used"]["cost"], report["argmax"]["cost"]
        if cost is not None:
            told["cost"] = {**cost, "argmax_per_1000_notes": plain["per_1000_notes"]}
        return told


def judge_policy(
    policy: PolicyFile,
    documents: Sequence[Document],
    scores: Sequence[Scores],
    argmax: Sequence[tuple[Mention, ...]],
    *,
    calibrated: Calibrated,
    openings: Openings,
    resamples: int = 2000,
    seed: int = 0,
) -> RunDecisions:
    """Decide about each document with its scores and its most probable mentions, and judge that by its gold.

    openings: before these documents were. Raises UsageError where reviews have no price.
    """
    schema = calibrated.schema
    found = [calibrated.candidates(raw) for raw in scores]
    paths = [calibrated.carried(raw, mentions) for raw, mentions in zip(scores, argmax, strict=True)]
    used, plain = dict[str, Decision](), dict[str, Decision]()
    for document, one, path in zip(documents, found, paths, strict=True):
        used[document.id] = policy.decide(one, schema=schema, argmax=path)
        plain[document.id] = ArgmaxPolicy().decide(one, schema=schema, argmax=path)

    def at_ratio(ratio: float) -> dict[str, Decision]:
        rule = CostPolicy(costs=costs_at(ratio, like=policy.costs))
        return {one.document: rule.decide(one, schema=schema) for one in found}

    def at_doubt(least: float) -> dict[str, Decision]:
        return {one.document: read_from(least, used[one.document], one, schema=schema) for one in found}

    promise = policy.promise
    known = {one.sha256 for one in policy.opened_before}
    # the policy's own list is not trusted alone: times tell, too
    before = [one for one in openings.openings if one.sha256 in known or one.at < policy.fixed_at]
    earlier = {text for one in before for text in one.documents.values()}
    return RunDecisions(
        policy=policy,
        accepted={name: decision.accepted for name, decision in used.items()},
        opened_before=sum(document.fingerprint in earlier for document in documents),
        report=decision_report(
            documents,
            used=used,
            argmax=plain,
            schema=schema,
            costs=policy.costs,
            promises=() if promise is None else promise.units,
            refused=() if promise is None else promise.refused,
            at_ratio=at_ratio,
            at_doubt=at_doubt,
            resamples=resamples,
            seed=seed,
        ),
    )


def costs_at(ratio: float, *, like: Costs | None) -> Costs:
    """A miss `ratio` > 0 times as dear as a false alarm, for every label; a review costs as many as in `like`."""
    alarm = like.default.false_alarm if like is not None else 0.0
    review = like.review / alarm if like is not None and like.review is not None and alarm else None
    return Costs(currency="false alarms", default=DefaultCosts(miss=float(ratio), false_alarm=1.0), review=review)
