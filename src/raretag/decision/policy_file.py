"""The file `policy.json`: what was fixed, when, on which documents, before any test document was opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from raretag.corpus import Mention
from raretag.corpus.fingerprints import fingerprints_hash
from raretag.decision.budget import Budget
from raretag.decision.cost_table import CostTable
from raretag.decision.costs import Costs
from raretag.decision.decided import Decision
from raretag.decision.expected_cost import priced
from raretag.decision.policy import ArgmaxPolicy, CostPolicy, Policy, Rule, ThresholdPolicy
from raretag.decision.promise import Promise
from raretag.decision.thresholds import Thresholds
from raretag.errors import DataError
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema
from raretag.training.run_folder import RunFolder, read_json

POLICY: Final = "policy.json"
CROSS_FITTED: Final = "cross_fitted"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@final
class FixedOn(_Record):
    """The calibration documents."""

    documents: Mapping[str, str] = Field(description="id to the fingerprint of the text")
    sha256: str = Field(description="one hash over them")


@final
class OpenedBefore(_Record):
    """Test documents that had been judged before the policy was fixed."""

    at: str = Field(description="ISO 8601 in UTC")
    documents: int = Field(ge=0)
    sha256: str = Field(description="one hash over them")


@final
class PolicyFile(_Record):
    """A rule, then a promise, then a budget, each of the latter two if given, and how it was fixed.

    labels: of the run, in any order. costs: of the rule, or to price the decisions of another rule with. thresholds: of
    the rule. calibration: `identity`
    of the calibration whose probabilities it reads; None where these are no run's. opened_before: empty where the
    policy was fixed before any test document was opened, as it should be.
    """

    rule: Rule
    labels: tuple[str, ...]
    costs: Costs | None = None
    thresholds: Thresholds | None = None
    promise: Promise | None = None
    budget: Budget | None = None
    fixed_on: FixedOn
    fixed_at: str = Field(description="ISO 8601 in UTC")
    calibration: str | None = None
    opened_before: tuple[OpenedBefore, ...] = ()

    @model_validator(mode="after")
    def _rule_has_what_it_needs(self) -> PolicyFile:
        if (self.rule == "thresholds") != (self.thresholds is not None):
            raise ValueError("thresholds belong to the rule of thresholds")
        if self.rule == "costs" and self.costs is None:
            raise ValueError("the rule of costs needs costs")
        # text that is no time, or is without a zone, could not be compared with the openings
        if datetime.fromisoformat(self.fixed_at).tzinfo is None:
            raise ValueError("fixed_at names no time zone")
        if self.fixed_on.sha256 != fingerprints_hash(self.fixed_on.documents):
            raise ValueError("the calibration documents are not those of their hash")
        return self

    @property
    def policy(self) -> Policy:
        """The rule alone."""
        if self.thresholds is not None:
            return ThresholdPolicy(thresholds=self.thresholds)
        if self.rule == "costs" and self.costs is not None:
            return CostPolicy(costs=self.costs)
        return ArgmaxPolicy()

    def decide(self, found: Candidates, *, schema: Schema, argmax: Sequence[Mention] | None = None) -> Decision:
        """What becomes of a document; expected costs where there are costs.

        Raises DataError where the schema has other labels, ValueError as `Policy.decide`.
        """
        self._check(schema)
        decision = self.policy.decide(found, schema=schema, argmax=argmax)
        if self.promise is not None:
            decision = self.promise.apply(decision, found, schema=schema)
        if self.budget is not None:
            decision = self.budget.apply(decision, found, schema=schema)
        if self.costs is None:
            return decision
        return priced(decision, found, table=CostTable.of(self.costs, schema), schema=schema)

    def _check(self, schema: Schema, *, file: Path | None = None) -> None:
        if {*schema.labels} == {*self.labels}:
            return
        odd = sorted({*schema.labels} ^ {*self.labels})
        raise DataError(
            f"the policy was fixed on other labels: {', '.join(map(repr, odd[:5]))}{' …' if len(odd) > 5 else ''} "
            f"{'is' if len(odd) == 1 else 'are'} not in both",
            remedy="Fix it again: raretag decide RUN",
            file=file,
        )

    def to_json(self) -> dict[str, Any]:
        """Built-in types only."""
        return self.model_dump(mode="json")

    @staticmethod
    def of(run: RunFolder, *, calibration: str | None) -> PolicyFile | None:
        """The run's policy, None where it has none. calibration: `identity` of the run's calibration.

        Raises DataError where the file is damaged, or was fixed on another calibration or on other labels.
        """
        file = run.path / POLICY
        if not file.is_file():
            return None
        content = read_json(file, remedy="Fix it again: raretag decide RUN")
        # what it came to on the calibration documents is for people
        content.pop(CROSS_FITTED, None)
        policy = PolicyFile.from_json(content, file=file)
        if calibration is None:
            raise DataError(
                "the policy reads calibrated probabilities, and this run has no calibration",
                remedy="Calibrate and fix it again: raretag calibrate, raretag decide",
                file=file,
            )
        if policy.calibration != calibration:
            raise DataError(
                "the policy was fixed on probabilities of another calibration",
                remedy="Fix it again: raretag decide RUN",
                file=file,
            )
        policy._check(run.schema, file=file)
        return policy

    @staticmethod
    def from_json(content: object, *, file: Path | None = None) -> PolicyFile:
        """Read what `to_json` wrote. Raises DataError for anything else."""
        try:
            return PolicyFile.model_validate(content)
        except ValidationError as error:
            places = ", ".join(
                sorted({".".join(map(str, one["loc"])) or "the whole" for one in error.errors(include_url=False)})
            )
            raise DataError(f"the policy is damaged ({places})", remedy="Fix the policy again", file=file) from error
