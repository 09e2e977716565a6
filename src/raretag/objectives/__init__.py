"""Loss calculation: one file a family, one registry, one contract."""

from raretag.entry import Entry
from raretag.objectives.base import IGNORE_INDEX, Objective
from raretag.objectives.registry import OBJECTIVES, REGULARISERS, ObjectiveEntry, objective

__all__ = ["IGNORE_INDEX", "OBJECTIVES", "REGULARISERS", "Entry", "Objective", "ObjectiveEntry", "objective"]
