"""Which characters mentions cover: what makes two of them the same, and how much of one lies in stretches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from raretag.corpus import Mention


def exactly_found(gold: Sequence[Mention], accepted: Sequence[Mention]) -> list[bool]:
    """Whether each gold mention has a partner with its label and exactly its characters, one to one."""
    left = Counter((one.label, one.covered) for one in accepted)
    found = []
    for mention in gold:
        key = (mention.label, mention.covered)
        found.append(left[key] > 0)
        left[key] -= 1
    return found


def mostly_inside(mention: Mention, stretches: Sequence[tuple[int, int]]) -> bool:
    """Whether more than half of the mention's characters lie in the stretches, which must not overlap."""
    inside = sum(
        max(0, min(end, right) - max(start, left)) for start, end in mention.parts for left, right in stretches
    )
    return 2 * inside > sum(end - start for start, end in mention.parts)


def joined(stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same characters as stretches that do not overlap, in order."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
