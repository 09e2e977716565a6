"""Every objective by name: its settings, one line about it, and its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from raretag.errors import UsageError
from raretag.objectives.base import Objective
from raretag.objectives.cross_entropy import CrossEntropy
from raretag.objectives.weighted import Weighted


class NoOptions(BaseModel):
    """An objective without options."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PowerOptions(BaseModel):
    """Options of `weighted`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gamma: float = Field(default=0.5, ge=0, le=2, description="0 unweighted, 0.5 inverse square root, 1 inverse count")
    cap: float = Field(default=10.0, ge=1, description="largest ratio of a weight to the smallest")
    tie: bool = Field(default=True, description="whether B and I of a label share one weight")


class Entry(NamedTuple):
    """A registered objective."""

    options: type[BaseModel]
    build: Callable[[npt.ArrayLike, npt.ArrayLike | None, BaseModel], Objective]
    about: str
    source: str


def _cross_entropy(counts: npt.ArrayLike, _: npt.ArrayLike | None, __: BaseModel) -> Objective:
    return CrossEntropy(counts)


def _weighted(counts: npt.ArrayLike, groups: npt.ArrayLike | None, options: BaseModel) -> Objective:
    assert isinstance(options, PowerOptions)
    return Weighted(counts, groups=groups if options.tie else None, gamma=options.gamma, cap=options.cap)


OBJECTIVES: Mapping[str, Entry] = MappingProxyType(
    {
        "cross-entropy": Entry(
            NoOptions, _cross_entropy, "maximum likelihood; keeps the empirical probabilities", "standard"
        ),
        "weighted": Entry(
            PowerOptions,
            _weighted,
            "cross-entropy with weights n^-gamma, capped, B and I tied",
            "Mobasher et al. 2023, aclanthology.org/2023.bionlp-1.40 (INS, ISNS)",
        ),
    }
)


def objective(name: str, *, counts: npt.ArrayLike, groups: npt.ArrayLike | None = None, **options: object) -> Objective:
    """The objective `name`, ready as a Hugging Face `Trainer`'s `compute_loss_func`.

    counts: training tokens of each tag (tags,). groups: int (tags,), equal numbers for tags of one label
    (`Schema.groups`); None leaves every tag on its own. options: the objective's own, see docs/settings.md.
    Raises UsageError for a name or an option that does not exist or is out of range.
    """
    entry = OBJECTIVES.get(name)
    if entry is None:
        raise UsageError(f"there is no objective {name!r}", remedy=f"Choose one of: {', '.join(OBJECTIVES)}")
    try:
        checked = entry.options.model_validate(options)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        allowed = ", ".join(entry.options.model_fields) or "none"
        raise UsageError(f"objective {name!r}: {wrong}", remedy=f"Its options are: {allowed}") from error
    return entry.build(counts, groups, checked)
