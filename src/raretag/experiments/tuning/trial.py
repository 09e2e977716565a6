"""One trial: the folds of some settings, one after another, and what they come to so far."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, final

from raretag.corpus import Corpus
from raretag.errors import DataError
from raretag.experiments.comparison.contestant import Contestant
from raretag.experiments.cross_validation import TRAININGS, Cell, pool, run_cells
from raretag.experiments.tuning.cheap import Restaged, forget_features, restaged
from raretag.experiments.tuning.verdict import Verdict, verdict_of
from raretag.probability.run_context import context_of
from raretag.training.settings import SecondStageSettings

if TYPE_CHECKING:
    from transformers import TrainerCallback

_RESAMPLES: Final = 1000


class Judge(Protocol):
    """What tells, fold by fold, what settings come to; None where documents are too few to tell yet."""

    def __call__(self, who: Contestant, /) -> Generator[Verdict | None, None, None]:
        """One after each fold; the last is of all documents and has intervals."""
        ...


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Folds:
    """The judge that trains.

    Trainings lie under a hash of settings and data, without what comes after training: settings that differ in
    second stage, calibration or policy alone share them, and so do trials that were pruned or broken off. decides:
    whether mentions are decided after each fold, and not only after the last. keep_features: whether the features of a
    second stage stay for the next trial.
    """

    corpus: Corpus
    folds: int
    data: str
    out: Path
    decides: bool
    keep_features: bool
    callbacks: Callable[[], Sequence[TrainerCallback]] = tuple
    announce: Callable[[str], None] = lambda _: None

    def cells(self, who: Contestant) -> list[Cell]:
        """Its trainings, the second stage left to later."""
        settings = who.for_folds().settings.model_copy(update={"second_stage": SecondStageSettings()})
        plain = replace(who, settings=settings)
        folder = self.out / TRAININGS / plain.key(seed=plain.settings.seed, data=self.data, folds=self.folds)
        return [
            Cell(folder=folder, settings=plain.settings, number=number + 1, folds=self.folds)
            for number in range(self.folds)
        ]

    def __call__(self, who: Contestant, /) -> Generator[Verdict | None, None, None]:
        """Raises what training, calibrating and deciding raise."""
        cells, stage = self.cells(who), who.settings.second_stage
        again: list[Restaged] = []
        try:
            for number, cell in enumerate(cells, start=1):
                run_cells([cell], self.corpus, callbacks=self.callbacks, announce=self.announce)
                if stage.name is not None:
                    again.append(restaged(cell, self.corpus, stage=stage))
                yield self._verdict(who, cells[:number], again)
        finally:
            if not self.keep_features:
                forget_features(cells)

    def _verdict(self, who: Contestant, cells: Sequence[Cell], again: Sequence[Restaged]) -> Verdict | None:
        pooled = pool(cells, self.corpus)
        data, context = pooled.data, context_of(pooled.runs[0])
        if again:
            scores = {name: one for part in again for name, one in part.scores.items()}
            data, context = replace(data, scores=[scores[one.id] for one in data.gold]), again[0].context
        last = len(cells) == self.folds
        try:
            return verdict_of(
                data,
                after=who.after,
                context=context,
                decides=self.decides or last,
                needed=self.decides,
                resamples=_RESAMPLES if last else 0,
            )
        except DataError:
            if last:
                raise
            # a few documents may be too few to fit on
            return None
