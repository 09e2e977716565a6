"""What every calibrator answers to: fitted on evidence, it turns scores into scores, and says what it found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar, final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from raretag.errors import DataError, UsageError
from raretag.options import Options
from raretag.probability.evidence import Evidence
from raretag.probability.scores import Scores
from raretag.tagging import Schema

OptionsT = TypeVar("OptionsT", bound=Options)
Array = npt.NDArray[np.float64]


class Calibration(BaseModel, ABC):
    """A fitted map from probabilities to probabilities: frozen, as JSON in and out, of plain numbers.

    Fields hold parameters under the names of tags or labels, so that a person can read them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @final
    def apply(self, scores: Scores, *, schema: Schema) -> Scores:
        """The same document with other probabilities, float32; the last axis sums to 1.

        Tags at 0 stay at 0: those that training never saw. Raises ValueError where scores do not fit the schema, and
        DataError where the map was fitted on other labels, or needs hidden states that the scores lack.
        """
        if scores.probabilities.shape[1:] != schema.shape:
            raise ValueError(f"probabilities {scores.probabilities.shape} do not fit a schema of tokens {schema.shape}")
        try:
            p = self._apply(scores.probabilities.astype(np.float64), hidden=scores.hidden, schema=schema)
        except KeyError as error:
            raise DataError("the calibration was fitted on other labels", remedy="Calibrate again") from error
        return replace(scores, probabilities=p.astype(np.float32))

    @abstractmethod
    def _apply(self, probabilities: Array, *, hidden: npt.NDArray[Any] | None, schema: Schema) -> Array:
        """float64 (tokens, *schema.shape) to the same shape."""


class Calibrator(ABC, Generic[OptionsT]):
    """A method of calibration: options in, a `Calibration` of `calibration_type` out.

    needs_gold: whether it learns from gold tags; the others look at probabilities alone. needs_hidden: whether it
    learns from hidden states. needs_taught_prior: whether it divides by the prior that training taught.
    """

    options_type: ClassVar[type[Options]] = Options
    calibration_type: ClassVar[type[Calibration]]
    needs_gold: ClassVar[bool] = True
    needs_hidden: ClassVar[bool] = False
    needs_taught_prior: ClassVar[bool] = False

    def __init__(self, *, options: OptionsT) -> None:
        self.options = options

    @final
    def check(self, *, unique: bool) -> None:
        """Raises UsageError where it needs the prior that training taught, and this is not that of the only optimum."""
        if self.needs_taught_prior and not unique:
            raise UsageError(
                "this calibration needs the prior that training taught, and the objective has several optima",
                remedy="Choose another calibration, one that learns from gold, or marginal-matching",
            )

    @final
    def fit(self, evidence: Evidence, *, context: Context) -> Calibration:
        """Learn from documents that training did not see.

        Raises DataError where they hold too little to learn from, UsageError as `check`.
        """
        self.check(unique=context.unique)
        judged = int(evidence.judged.sum())
        if not len(evidence) or (self.needs_gold and not judged):
            raise DataError(
                f"a calibrator needs tokens{' with a gold tag' if self.needs_gold else ''}, and there are none",
                remedy="Give documents with annotations that training did not see",
            )
        if self.needs_hidden and evidence.hidden is None:
            raise DataError(
                "this calibrator needs hidden states, which these scores lack",
                remedy="Score the documents again and keep them, or choose another calibrator",
            )
        return self._fit(evidence, context=context)

    @abstractmethod
    def _fit(self, evidence: Evidence, *, context: Context) -> Calibration:
        """The fitted map."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Context:
    """What a calibrator may know of the training: priors as the manifest tells them, and the head.

    empirical, effective: shares of tags, nested as `schema.shape`. weight (tags, width) and bias (tags,): of a softmax
    head, else None. unique: whether the effective prior is that of the only optimum.
    """

    empirical: npt.NDArray[np.float64]
    effective: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64] | None = None
    bias: npt.NDArray[np.float64] | None = None
    unique: bool = True


def by_tag(values: Array, *, schema: Schema) -> Mapping[str, Any]:
    """`values` of `schema.shape` under the names of tags, or of labels and then O, B, I where labels are kept apart."""
    if schema.layered:
        names = ("O", "B", "I") if schema.scheme == "BIO" else ("O", "I")
        return {
            label: dict(zip(names, row.tolist(), strict=True)) for label, row in zip(schema.labels, values, strict=True)
        }
    return dict(zip(schema.tags, values.tolist(), strict=True))


def from_tags(named: Mapping[str, Any], *, schema: Schema) -> Array:
    """The inverse of `by_tag`, float64 of `schema.shape`. Raises KeyError where a name is missing."""
    if schema.layered:
        names = ("O", "B", "I") if schema.scheme == "BIO" else ("O", "I")
        return np.array([[named[label][name] for name in names] for label in schema.labels], dtype=np.float64)
    return np.array([named[tag] for tag in schema.tags], dtype=np.float64)
