"""Which documents a run is calibrated on, and their scores: none that its training or its test sees."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

from raretag.corpus import Corpus, Document
from raretag.errors import DataError, UsageError
from raretag.probability.calibration_gold import GoldDocument, with_ties
from raretag.probability.score_cache import ScoreCache
from raretag.probability.scores import Scores
from raretag.probability.scoring import score
from raretag.tagging import Schema, encode
from raretag.training.run_folder import RunFolder, read_json
from raretag.training.settings import TrainSettings

GOLD: Final = "calibration-gold.json"
SCORES: Final = "scores"
OUT_OF_FOLD: Final = "out-of-fold"
FOLDS: Final = ".folds"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibrationData:
    """Documents with gold, by id, and what a model says of them that has not seen them.

    gold: documents with one text are of one `group` here.
    tags: int64, one array a document, as `encode` gives them. folds: how many models judged them, each its own part;
    None where it was the run's own model.
    """

    schema: Schema
    gold: tuple[GoldDocument, ...]
    scores: Sequence[Scores]
    tags: tuple[npt.NDArray[np.int64], ...]
    folds: int | None

    def __post_init__(self) -> None:
        # what one copy of a text teaches is known of the other, so that they count once, as a patient does
        object.__setattr__(self, "gold", with_ties(self.gold))

    @property
    def has_gold(self) -> bool:
        """Whether any document has a gold mention: without, they are taken for notes that nobody has annotated."""
        return any(one.mentions for one in self.gold)

    def only(self, numbers: Sequence[int]) -> CalibrationData:
        """The same of some documents, by number."""
        return replace(
            self,
            gold=tuple(self.gold[number] for number in numbers),
            scores=[self.scores[number] for number in numbers],
            tags=tuple(self.tags[number] for number in numbers),
        )

    def parts(self, number: int, *, seed: int) -> list[list[int]]:
        """Numbers of documents, dealt into at most `number` parts at random; a patient's stay together."""
        units = {unit: place for place, unit in enumerate(sorted({one.blank.unit for one in self.gold}))}
        dealt = np.random.default_rng(seed).permutation(len(units)) % min(number, len(units))
        of_document = np.array([dealt[units[one.blank.unit]] for one in self.gold], dtype=np.int64)
        return [np.flatnonzero(of_document == part).tolist() for part in range(min(number, len(units)))]


def held_out_data(run: RunFolder, corpus: Corpus, *, advance: Callable[[int], None] | None = None) -> CalibrationData:
    """The documents of `corpus` that neither training nor early stopping saw and that are not the run's test part.

    They are judged by the run's model. Texts are compared, not names. Raises DataError where none is left.
    """
    data = run.manifest["data"]
    known = {text for part in ("train", "validation", "test") for text in data[part].values()}
    fresh = [document for document in corpus.documents if document.fingerprint not in known]
    if not fresh:
        raise DataError(
            f"all {len(corpus.documents)} documents of these data belong to the run's training, validation or test",
            remedy="Give others, or judge the training documents out of fold: --folds 5",
        )
    cache = ScoreCache(run.path / SCORES, schema=run.schema)
    if any(document not in cache for document in fresh):
        predictor = run.predictor()
        cache.add(fresh, lambda some: score(predictor, some, advance=advance))
    return _kept(run, fresh, folds=None)


def out_of_fold_data(
    run: RunFolder,
    corpus: Corpus,
    *,
    folds: int,
    announce: Callable[[str], None] = lambda _: None,
    callbacks: Callable[[], Sequence[Any]] = tuple,
) -> CalibrationData:
    """The run's training documents, each judged by a model that was trained on the other folds with its settings.

    Trains `folds` >= 2 times; what is finished when it is broken off is kept in the run folder and taken up again.
    Raises DataError where `corpus` lacks training documents of the run, and as `train_folds` does.
    """
    from raretag.training.folding import train_folds

    data = run.manifest["data"]
    train = _named(corpus, data["train"], part="training")
    validation = _named(corpus, data["validation"], part="validation")
    cache = _cache(run, folds=folds)
    folder = run.path / FOLDS / str(folds)
    if any(document not in cache for document in train):
        settings = TrainSettings.model_validate(run.manifest["settings"])
        trained = train_folds(
            Corpus(documents=train, format=corpus.format),
            folds=folds,
            out=folder,
            settings=settings,
            validation=validation,
            callbacks=callbacks,
            announce=announce,
        )
        for fold, held_out in trained:
            cache.add(held_out, _judge_of(fold, schema=run.schema))
        shutil.rmtree(folder)
        with suppress(OSError):
            # trainings of another number of folds may be under way
            folder.parent.rmdir()
    return _kept(run, train, folds=folds)


def load_data(run: RunFolder) -> CalibrationData:
    """What `save_data` left in the run folder; no text is needed.

    Raises UsageError where the run was not calibrated, DataError where its files are damaged.
    """
    file = run.path / GOLD
    if not file.is_file():
        raise UsageError(
            "this run has not been calibrated on annotated documents",
            remedy="First: raretag calibrate RUN DATA",
            file=run.path,
        )
    content = read_json(file, remedy="Calibrate again")
    try:
        gold = tuple(GoldDocument.from_json(one) for one in content["documents"])
        return _read(run, gold, folds=content["folds"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError("the calibration documents are damaged", remedy="Calibrate again", file=file) from error


def save_data(run: RunFolder, data: CalibrationData) -> None:
    """Write down which documents these are, for `load_data`."""
    run.write(GOLD, {"folds": data.folds, "documents": [one.to_json() for one in data.gold]})


def _kept(run: RunFolder, documents: Sequence[Document], *, folds: int | None) -> CalibrationData:
    """The documents as any later command will read them."""
    gold = sorted((GoldDocument.of(document) for document in documents), key=lambda one: one.id)
    return _read(run, tuple(gold), folds=folds)


def _read(run: RunFolder, gold: tuple[GoldDocument, ...], *, folds: int | None) -> CalibrationData:
    """Scores and tags of the documents. Raises KeyError where one has not been judged."""
    cache = _cache(run, folds=folds)
    scores = [cache.read_key(one.text, document=one.id) for one in gold]
    return CalibrationData(schema=run.schema, gold=gold, scores=scores, tags=_tags(run, gold, scores), folds=folds)


def _cache(run: RunFolder, *, folds: int | None) -> ScoreCache:
    folder = run.path / SCORES
    # what models of other folds say is something else
    return ScoreCache(folder if folds is None else folder / OUT_OF_FOLD / str(folds), schema=run.schema)


def _tags(run: RunFolder, gold: Sequence[GoldDocument], scores: Sequence[Scores]) -> tuple[npt.NDArray[np.int64], ...]:
    schema, overlaps = run.schema, run.manifest["settings"]["tagging"]["overlaps"]
    counts = dict(zip(schema.labels, schema.mention_counts, strict=True))
    return tuple(
        encode(one.blank, said.tokens, schema=schema, overlaps=overlaps, counts=counts).tags
        for one, said in zip(gold, scores, strict=True)
    )


def _named(corpus: Corpus, part_of: Mapping[str, str], *, part: str) -> tuple[Document, ...]:
    """The documents of a part of the run, by name and text."""
    there = {document.id: document for document in corpus.documents}
    missing = sorted(name for name, text in part_of.items() if name not in there or there[name].fingerprint != text)
    if missing:
        raise DataError(
            f"{len(missing)} of the run's {len(part_of)} {part} documents are not in these data, the first of them "
            f"{missing[0]!r}",
            remedy="Give the data that the run was trained on",
        )
    return tuple(there[name] for name in sorted(part_of))


def _judge_of(fold: RunFolder, *, schema: Schema) -> Callable[[Sequence[Document]], list[Scores]]:
    """What judges documents with the model of a fold, in the tags of `schema`."""
    predictor, own = fold.predictor(), fold.schema

    def judge(documents: Sequence[Document], /) -> list[Scores]:
        return [_in_tags_of(schema, one, own) for one in score(predictor, documents)]

    return judge


def _in_tags_of(schema: Schema, scores: Scores, own: Schema) -> Scores:
    """The same scores with a place for each tag of `schema`; one whose label the fold did not hold is impossible."""
    if own.labels == schema.labels:
        return scores
    p = np.zeros((len(scores.tokens), *schema.shape), dtype=np.float32)
    if schema.layered:
        p[..., 0] = 1
        p[:, [schema.labels.index(label) for label in own.labels]] = scores.probabilities
    else:
        p[:, [schema.tags.index(tag) for tag in own.tags]] = scores.probabilities
    return replace(scores, probabilities=p)
