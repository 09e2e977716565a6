"""Recall against the share of text that a person is asked to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from raretag.decision.outcomes import Outcomes


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPoint:
    """What one threshold comes to; shares in [0, 1], None where they are of nothing.

    found: of gold mentions, accepted exactly and with their label. recall: found or sent to review, which is what a
    reviewer who errs never reaches. reviewed: of tokens. false_alarms: their number.
    """

    threshold: float
    recall: float | None
    found: float | None
    reviewed: float | None
    reviews: int
    false_alarms: int


def review_curve(decided: Iterable[tuple[float, Outcomes]]) -> tuple[ReviewPoint, ...]:
    """A point for each threshold and its outcomes, by reviewed share, recall, and from high to low thresholds."""
    points = [
        ReviewPoint(
            threshold=threshold,
            recall=_share(int(one.found.sum() + one.reviewed.sum()), int(one.gold.sum())),
            found=_share(int(one.found.sum()), int(one.gold.sum())),
            reviewed=_share(int(one.reviewed_tokens.sum()), int(one.tokens.sum())),
            reviews=int(one.reviews.sum()),
            false_alarms=int(one.false_alarms.sum()),
        )
        for threshold, one in decided
    ]
    return tuple(sorted(points, key=lambda point: (point.reviewed or 0.0, point.recall or 0.0, -point.threshold)))


def least_review(curve: Sequence[ReviewPoint], *, recall: float) -> ReviewPoint | None:
    """The point with the least reviewed share, then the fewest false alarms, whose recall is at least this, in [0, 1].

    None where no point reaches it. Choose it on documents that are not reported: the best of many is flattered.
    """
    if not 0 <= recall <= 1:
        raise ValueError(f"recall must be in [0, 1], not {recall}")
    enough = [point for point in curve if point.recall is not None and point.recall >= recall]
    return min(enough, key=lambda point: (point.reviewed or 0.0, point.false_alarms), default=None)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
