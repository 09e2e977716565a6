"""Which predicted mentions find which gold mentions: order-free, in character space, one to one.

Each scheme first says which pairs of the same label may match and then takes as many pairs as can be taken at
once (a maximum matching of the bipartite graph, Hopcroft & Karp 1973). The number of pairs per label is
therefore unique: no order of mentions or labels changes it. Labels are compared whole. A duplicate needs its
own partner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from raretag.corpus.document import Mention

Scheme = Literal["strict", "overlap", "type"]
Matches = tuple[tuple[int, int], ...]


def strict_matches(gold: Sequence[Mention], predicted: Sequence[Mention]) -> Matches:
    """Pairs (index in gold, index in predicted) with the same label that cover exactly the same characters.

    A correct pair is COR of the strict scheme of SemEval-2013 task 9; gold, predicted and COR give the same
    precision, recall and F1. Implementations that pair greedily can report fewer COR than there are.
    """
    return _matching(gold, predicted, fits=lambda g, p: g.covered == p.covered)


def overlap_matches(gold: Sequence[Mention], predicted: Sequence[Mention]) -> Matches:
    """Pairs (index in gold, index in predicted) with the same label and Dice >= 0.5 of the covered
    characters.

    Dice = 2 |G ∩ P| / (|G| + |P|) over the characters of the parts. SemEval-2013 has no such scheme: stricter
    than its type scheme, where one shared character is enough.
    """
    return _matching(gold, predicted, fits=lambda g, p: 4 * _shared(g, p) >= _size(g) + _size(p))


def type_matches(gold: Sequence[Mention], predicted: Sequence[Mention]) -> Matches:
    """Pairs (index in gold, index in predicted) with the same label that share at least one character.

    A correct pair is COR of the type scheme of SemEval-2013 task 9, with two differences: pairs are as many
    as can be, not the first found, and an overlap with another label never takes a mention away from its own
    label.
    """
    return _matching(gold, predicted, fits=lambda g, p: _shared(g, p) > 0)


SCHEMES: Mapping[Scheme, Callable[[Sequence[Mention], Sequence[Mention]], Matches]] = MappingProxyType(
    {"strict": strict_matches, "overlap": overlap_matches, "type": type_matches}
)


def _matching(
    gold: Sequence[Mention], predicted: Sequence[Mention], *, fits: Callable[[Mention, Mention], bool]
) -> Matches:
    # a canonical order, so that also the pairs and not only their number are independent of the order given
    rows, columns = _ordered(gold), _ordered(predicted)
    pairs = _overlapping([gold[i] for i in rows], [predicted[j] for j in columns])
    edges = sorted((i, j) for i, j in pairs if fits(gold[rows[i]], predicted[columns[j]]))
    if not edges:
        return ()
    row, column = np.array(edges, dtype=np.int32).T
    graph = csr_array((np.ones(len(edges), dtype=np.int8), (row, column)), shape=(len(rows), len(columns)))
    partner = maximum_bipartite_matching(graph, perm_type="column")
    return tuple(sorted((rows[i], columns[j]) for i, j in enumerate(partner.tolist()) if j >= 0))


def _ordered(mentions: Sequence[Mention]) -> list[int]:
    return sorted(range(len(mentions)), key=lambda i: (mentions[i].label, mentions[i].start, mentions[i].parts))


def _overlapping(gold: Sequence[Mention], predicted: Sequence[Mention]) -> Iterator[tuple[int, int]]:
    """Pairs of one label whose extents overlap, by a sweep from left to right: no other pair is looked at."""
    sides = (gold, predicted)
    starts = sorted((m.label, m.start, side, i) for side in (0, 1) for i, m in enumerate(sides[side]))
    open_ones: tuple[list[int], list[int]] = ([], [])
    for label, start, side, index in starts:
        others, mentions = open_ones[1 - side], sides[1 - side]
        others[:] = [o for o in others if mentions[o].label == label and mentions[o].end > start]
        yield from ((index, o) if side == 0 else (o, index) for o in others)
        open_ones[side].append(index)


def _size(mention: Mention) -> int:
    return sum(end - start for start, end in mention.parts)


def _shared(one: Mention, other: Mention) -> int:
    """The number of characters that both cover, in one pass over the two lists of parts."""
    total = i = j = 0
    left, right = one.parts, other.parts
    while i < len(left) and j < len(right):
        total += max(0, min(left[i][1], right[j][1]) - max(left[i][0], right[j][0]))
        if left[i][1] <= right[j][1]:
            i += 1
        else:
            j += 1
    return total
