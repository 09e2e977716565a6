"""Scores of many documents on the machines of a Ray cluster, a part of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from raretag.cluster import called_on_cluster
from raretag.corpus import Document
from raretag.probability import Scores, score
from raretag.training.precision import Precision, chosen_precision
from raretag.training.run_folder import RunFolder

if TYPE_CHECKING:
    from raretag.training.inference import Predictor

# of the documents in one call: some seconds of work, which is what the loss of a machine costs
_CHARACTERS: Final = 100_000

_Part = tuple[int, Sequence[Document]]


def scored_on_ray(
    run: RunFolder,
    documents: Sequence[Document],
    *,
    address: str,
    advance: Callable[[int], None] | None = None,
) -> Iterator[tuple[Sequence[Document], list[Scores]]]:
    """As `score` with the run's predictor, part by part as they are done; the run folder is shared by all machines.

    Numbers are of the format that the run asks for or that is fastest here, on every machine. Which windows share a
    batch depends on the parts, so that probabilities agree with those of one machine as far as rounding does. Raises as
    `called_on_cluster`.
    """
    parts = list(enumerate(_parts(documents)))
    if not parts:
        return
    calls = called_on_cluster(
        _score,
        lambda _: parts,
        shared=(run.path.resolve(), chosen_precision(run.manifest["settings"].get("precision", "auto"))),
        address=address,
        folder=run.path,
        name_of=lambda part: f"part {part[0] + 1} of {len(parts)}",
    )
    for (_, some), (scores, windows) in calls:
        yield some, scores
        if advance is not None:
            advance(windows)


def _parts(documents: Sequence[Document]) -> list[Sequence[Document]]:
    """Neighbours together, each part but the last just long enough."""
    parts: list[Sequence[Document]] = []
    start, size = 0, 0
    for place, document in enumerate(documents, start=1):
        size += len(document.text)
        if size >= _CHARACTERS or place == len(documents):
            parts.append(documents[start:place])
            start, size = place, 0
    return parts


def _score(shared: tuple[Path, Precision], part: _Part) -> tuple[list[Scores], int]:
    """In a worker: scores, and how many windows were judged."""
    windows: list[int] = []
    return score(_predictor(*shared), part[1], advance=windows.append), sum(windows)


@lru_cache(maxsize=1)
def _predictor(path: Path, precision: Precision) -> Predictor:
    """Loaded once in each worker, which lives no longer than the command."""
    return replace(RunFolder.open(path).predictor(), precision=precision)
