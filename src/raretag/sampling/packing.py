"""Windows of about equal length into batches that fill a budget of tokens."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

# enough to mix neighbours in length; more of it turns batches into padding
_JITTER = 0.05


def pack(lengths: Integers, *, tokens: int) -> list[Integers]:
    """Positions into `lengths` (windows,), shortest first, in batches of padded size (windows x longest) <= `tokens`.

    A window longer than that forms a batch of its own.
    """
    order = np.argsort(lengths, kind="stable")
    return [order[piece] for piece in consecutive(lengths[order], tokens=tokens)]


def bucket(lengths: Integers, *, batches: int, rng: np.random.Generator) -> list[Integers]:
    """Positions into `lengths` (windows,) in exactly `batches` batches, in random order; each position once.

    Windows of about equal length share a batch, so little is padding; see `about_by_length`, `divide`.
    batches: 1 to the number of windows.
    """
    order = about_by_length(lengths, rng=rng)
    pieces = divide(lengths[order], batches=batches)
    return [order[pieces[number]] for number in rng.permutation(len(pieces))]


def about_by_length(lengths: Integers, *, rng: np.random.Generator) -> Integers:
    """Positions, shortest first, after each length is jittered by 5 %, so that neighbours differ from time to time."""
    return np.argsort(lengths * rng.uniform(1 - _JITTER, 1 + _JITTER, len(lengths)), kind="stable")


def consecutive(lengths: Integers, *, tokens: int) -> list[Integers]:
    """0, 1, 2 … in pieces, each as long as its padded size (windows x longest) allows; a longer window is alone."""
    return np.split(np.arange(len(lengths)), _starts(lengths.tolist(), tokens)[1:]) if len(lengths) else []


def divide(lengths: Integers, *, batches: int) -> list[Integers]:
    """0, 1, 2 … in exactly `batches` pieces whose largest padded size is within 1 % of the least possible.

    Pieces of a single window do not count towards the largest. batches: 1 to the number of windows.
    """
    if not 1 <= batches <= len(lengths):
        raise ValueError(f"{len(lengths)} windows cannot make {batches} batches, none of them empty")
    known = lengths.tolist()
    # the number of pieces falls with the budget, so the least budget is found by halving
    low, high = 0, max(1, sum(known) // batches)
    while len(_starts(known, high)) > batches:
        low, high = high, 2 * high
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if len(_starts(known, middle)) <= batches else (middle, high)
    edges = [*_starts(known, high), len(known)]
    while len(edges) <= batches:
        largest = int(np.argmax(np.diff(edges)))
        edges.insert(largest + 1, (edges[largest] + edges[largest + 1]) // 2)
    return np.split(np.arange(len(known)), edges[1:-1])


def _starts(lengths: list[int], budget: int) -> list[int]:
    """Starts of consecutive batches whose count times longest stays within `budget`."""
    starts: list[int] = []
    start = longest = 0
    for position, length in enumerate(lengths):
        longest = max(length, longest)
        if not starts or (position - start + 1) * longest > budget:
            starts.append(position)
            start, longest = position, length
    return starts
