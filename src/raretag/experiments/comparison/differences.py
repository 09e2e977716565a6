"""Each recipe against the baseline: the difference, its interval, and whether chance explains it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from raretag.evaluation.intervals import percentile_interval, resample
from raretag.evaluation.significance import holm, paired_p_value, total
from raretag.experiments.comparison.estimate import Estimate
from raretag.experiments.comparison.rows import Row, figure, for_figure
from raretag.tagging import Schema

# what is tested; each is a family of its own for Holm's correction
TESTED: Final = ("micro", "macro", "macro10", "mean_recall", "rare_recall")
COST: Final = "cost"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Recipe minus baseline. p: two-sided, of swapping documents (patients); adjusted: by Holm over the recipes."""

    recipe: str
    figure: str
    difference: Estimate
    p: float | None
    adjusted: float | None

    def to_json(self) -> dict[str, Any]:
        """Built-in types only."""
        return {
            "recipe": self.recipe,
            "figure": self.figure,
            "difference": self.difference.to_json(),
            "p": self.p,
            "p_holm": self.adjusted,
        }


def differences(
    rows: Sequence[Row],
    *,
    baseline: str,
    schema: Schema,
    resamples: int = 2000,
    permutations: int = 10_000,
    seed: int = 0,
) -> tuple[Difference, ...]:
    """Of every other row, by figure. The same documents are drawn, or swapped, in both, so that they are paired."""
    base = next(row for row in rows if row.name == baseline)
    others = [row for row in rows if row.name != baseline]
    names = [*TESTED, *([COST] if base.costs is not None else [])]
    found = []
    for name in names:
        pairs = [
            _difference(row, base, name, schema=schema, resamples=resamples, permutations=permutations, seed=seed)
            for row in others
        ]
        known = [p for _, p in pairs if p is not None]
        adjusted = iter(holm(known))
        found += [
            Difference(
                recipe=row.name,
                figure=name,
                difference=difference,
                p=p,
                adjusted=None if p is None else next(adjusted),
            )
            for row, (difference, p) in zip(others, pairs, strict=True)
        ]
    return tuple(found)


def _difference(
    row: Row, base: Row, name: str, *, schema: Schema, resamples: int, permutations: int, seed: int
) -> tuple[Estimate, float | None]:
    groups = base.counts.groups
    if name == COST:
        if row.costs is None or base.costs is None:
            raise ValueError("a row without costs")
        values = np.stack([row.costs, base.costs, np.ones(len(groups))], axis=1)
        drawn = resample(values, groups=groups, resamples=resamples, seed=seed)
        apart = 1000 * (drawn[:, 0] - drawn[:, 1]) / drawn[:, 2]
        value = 1000 * float((row.costs - base.costs).mean())
        p = paired_p_value(row.costs, base.costs, groups=groups, figure=total, permutations=permutations, seed=seed)
        return Estimate(value=value, interval=percentile_interval(apart) if len(drawn) else None), p
    of = figure(name, base.counts, schema=schema)
    both = np.stack([row.counts.values, base.counts.values], axis=1)
    drawn = resample(both, groups=groups, resamples=resamples, seed=seed)
    told, usual = (for_figure(name, drawn[:, side], whole=one.counts) for side, one in enumerate((row, base)))
    sides = [of(one.counts.values.sum(axis=0)[None].astype(np.float64))[0] for one in (row, base)]
    value = float(sides[0] - sides[1])
    p = paired_p_value(
        row.counts.values, base.counts.values, groups=groups, figure=of, permutations=permutations, seed=seed
    )
    return (
        Estimate(
            value=None if np.isnan(value) else value,
            interval=percentile_interval(of(told) - of(usual)) if len(drawn) else None,
        ),
        p,
    )
