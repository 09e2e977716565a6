"""Mark the mentions that a trained model finds, each with its probability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from raretag.corpus import Corpus
from raretag.decision import most_probable_mentions
from raretag.probability import score
from raretag.probability.calibrated import Calibrated
from raretag.training.run_folder import RunFolder


def annotate(run: RunFolder, corpus: Corpus, *, advance: Callable[[int], None] | None = None) -> Corpus:
    """The documents of `corpus` with the model's mentions in place of their own; `score` is a probability in [0, 1].

    It is calibrated where the run is. Else it is exact over the model's valid tag paths, and as good as the model:
    under an objective other than cross-entropy with the prior that the manifest tells as `effective`.

    What a format kept beside mentions (relations, events) belongs to the old mentions and is left out.
    `advance` is told how many windows each batch had.
    """
    scores = score(run.predictor(), corpus.documents, advance=advance)
    found = most_probable_mentions(scores, schema=run.schema)
    calibrated = Calibrated.of(run)
    if calibrated is not None:
        found = {one.document: calibrated.carried(one, found[one.document]) for one in scores}
    return replace(
        corpus,
        documents=tuple(replace(document, mentions=found[document.id], extras=()) for document in corpus.documents),
    )
