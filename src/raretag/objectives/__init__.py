"""Loss calculation: one file a family, one registry, one contract."""

from raretag.objectives.base import IGNORE_INDEX, Objective
from raretag.objectives.cross_entropy import CrossEntropy
from raretag.objectives.registry import OBJECTIVES, Entry, objective
from raretag.objectives.weighted import Weighted, power_weights

__all__ = [
    "IGNORE_INDEX",
    "OBJECTIVES",
    "CrossEntropy",
    "Entry",
    "Objective",
    "Weighted",
    "objective",
    "power_weights",
]
