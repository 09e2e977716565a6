"""Fix a policy on calibration documents, once, before any test document is opened."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, final, get_args

from raretag.corpus import Document, Mention
from raretag.corpus.fingerprints import fingerprints_hash
from raretag.decision.betas import betas_of, out_of_range
from raretag.decision.budget import fit_budget
from raretag.decision.by_label import ByLabel
from raretag.decision.cost_table import CostTable
from raretag.decision.costs import Costs
from raretag.decision.floors import Floors, alphas_of
from raretag.decision.policy import Rule
from raretag.decision.policy_file import FixedOn, PolicyFile
from raretag.decision.promising import fit_promise
from raretag.decision.threshold_fitting import fit_thresholds
from raretag.errors import DataError, UsageError
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema

_PARTS: Final = 2


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a policy shall do.

    rule: `costs` needs `costs`. floors: promised recalls in (0, 1), one for all labels or by label or tail group.
    budget: share of tokens that may be reviewed, in (0, 1). betas: of the rule `thresholds`, as `betas_of` has them.
    """

    rule: Rule
    costs: Costs | None = None
    floors: Floors | None = None
    budget: float | None = None
    betas: ByLabel | None = None


def policy_of(
    asked: Asked,
    *,
    found: Sequence[Candidates],
    gold: Sequence[Document],
    fingerprints: Mapping[str, str],
    schema: Schema,
    argmax: Mapping[str, Sequence[Mention]] | None = None,
    fixed_at: str | None = None,
) -> PolicyFile:
    """The policy that is asked for, fitted on calibration documents.

    found: their candidates, with calibrated probabilities. fingerprints: by document id, of the texts. argmax: by
    document id, which the rule `argmax` needs for a promise or a budget. fixed_at: ISO 8601, by default now in UTC.
    Thresholds with a promise share the units (patients, or documents of none) between them: what chose a threshold may
    not vouch for it. The budget is spent on doubt weighted by the cost of a miss, where costs are given.
    Raises UsageError for what cannot be asked, DataError for documents that do not fit each other.
    """
    check_asked(asked, schema=schema)
    by_id = {document.id: document for document in gold}
    documents = sorted(found, key=lambda one: one.document)
    _check(documents, by_id, fingerprints)
    if asked.rule == "argmax" and (asked.floors is not None or asked.budget is not None):
        _check_paths(documents, argmax)
    fitting, vouching = documents, documents
    if asked.rule == "thresholds" and asked.floors is not None:
        fitting, vouching = _parted(documents, by_id)
    fixed = PolicyFile(
        rule=asked.rule,
        labels=schema.labels,
        costs=asked.costs,
        thresholds=fit_thresholds(fitting, by_id, schema=schema, betas=betas_of(asked.betas, schema=schema))
        if asked.rule == "thresholds"
        else None,
        fixed_on=FixedOn(documents=dict(fingerprints), sha256=fingerprints_hash(fingerprints)),
        fixed_at=fixed_at or datetime.now(UTC).isoformat(timespec="seconds"),
    )
    paths = argmax or {}
    if asked.floors is not None:
        decisions = {
            one.document: fixed.policy.decide(one, schema=schema, argmax=paths.get(one.document)) for one in vouching
        }
        promise = fit_promise(vouching, decisions, by_id, floors=asked.floors, schema=schema)
        fixed = fixed.model_copy(update={"promise": promise})
    if asked.budget is not None:
        decisions = {
            one.document: fixed.decide(one, schema=schema, argmax=paths.get(one.document)) for one in documents
        }
        budget = fit_budget(
            documents, decisions, share=asked.budget, schema=schema, weights=_miss_costs(asked.costs, schema)
        )
        fixed = fixed.model_copy(update={"budget": budget})
    return fixed


def check_asked(asked: Asked, *, schema: Schema | None = None) -> None:
    """Raises UsageError for what cannot be asked, whatever the documents. schema: of the run; None: not known yet."""
    if asked.rule not in get_args(Rule):
        raise UsageError(f"there is no rule {asked.rule!r}", remedy=f"Give one of {', '.join(get_args(Rule))}")
    if asked.rule == "costs" and asked.costs is None:
        raise UsageError("the rule 'costs' needs costs", remedy="Give a costs.yaml, or another rule")
    if asked.rule == "costs" and asked.costs is not None and _for_free(asked.costs):
        raise UsageError(
            "no miss and no false alarm costs anything, so that every decision is as good as any other",
            remedy="Give costs above 0",
        )
    reviewing = asked.floors is not None or asked.budget is not None
    if reviewing and asked.costs is not None and asked.costs.review is None:
        raise UsageError(
            "a recall floor or a review budget sends text to review, but the costs name no price of a review",
            remedy="Give review in costs.yaml",
        )
    if asked.budget is not None and not 0 < asked.budget < 1:
        raise UsageError(
            f"a review budget of {asked.budget:g} is not between 0 and 1", remedy="Give a share of tokens such as 0.05"
        )
    if asked.betas is not None:
        _check_betas(asked, schema=schema)
    if schema is not None and asked.costs is not None:
        CostTable.of(asked.costs, schema)
    if schema is not None and asked.floors is not None:
        alphas_of(asked.floors, schema=schema)


def _check_betas(asked: Asked, *, schema: Schema | None) -> None:
    if asked.rule != "thresholds":
        raise UsageError(
            f"a beta is of the rule 'thresholds', not of {asked.rule!r}", remedy="Leave it out, or give that rule"
        )
    if schema is not None:
        betas_of(asked.betas, schema=schema)
    elif wrong := out_of_range(asked.betas or {}):
        raise UsageError("; ".join(wrong), remedy="Give betas such as 1.5")


def _for_free(costs: Costs) -> bool:
    default = costs.default.miss or costs.default.false_alarm
    return not default and not any(one.miss or one.false_alarm for one in costs.labels.values())


def _check(documents: Sequence[Candidates], gold: Mapping[str, Document], fingerprints: Mapping[str, str]) -> None:
    ids = [one.document for one in documents]
    if not ids:
        raise DataError("there is no calibration document", remedy="Give some that training did not see")
    if len({*ids}) != len(ids) or {*ids} != gold.keys() or {*ids} != fingerprints.keys():
        raise DataError(
            f"{len(ids)} scored documents, {len(gold)} with gold and {len(fingerprints)} with a fingerprint are not "
            "the same",
            remedy="Give each calibration document once, with its annotations",
        )


def _check_paths(documents: Sequence[Candidates], argmax: Mapping[str, Sequence[Mention]] | None) -> None:
    missing = [one.document for one in documents if one.document not in (argmax or {})]
    if missing:
        raise UsageError(
            f"the rule 'argmax' with a floor or a budget needs the most probable mentions of each document, and "
            f"{len(missing)} have none, such as {missing[0]!r}",
            remedy="Give argmax, as most_probable_mentions tells them",
        )


def _parted(documents: Sequence[Candidates], gold: Mapping[str, Document]) -> tuple[list[Candidates], list[Candidates]]:
    """Two halves, by a hash of what documents are drawn with: no order and no name decides."""
    ordered = sorted({one.unit for one in gold.values()}, key=lambda unit: hashlib.sha256(repr(unit).encode()).digest())
    first = {*ordered[::_PARTS]}
    return (
        [one for one in documents if gold[one.document].unit in first],
        [one for one in documents if gold[one.document].unit not in first],
    )


def _miss_costs(costs: Costs | None, schema: Schema) -> dict[str, float] | None:
    return None if costs is None else {label: costs.of_label(label).miss for label in schema.labels}
