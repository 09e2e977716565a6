"""From a trained model to scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from raretag.corpus import Document
from raretag.probability.score_cache import ScoreCache
from raretag.probability.scores import Scores

if TYPE_CHECKING:
    from raretag.training.inference import Predictor, TokenProbabilities
    from raretag.training.run_folder import RunFolder


def score(
    predictor: Predictor, documents: Sequence[Document], *, advance: Callable[[int], None] | None = None
) -> list[Scores]:
    """Judge `documents` with a trained model, in their order. `advance` is told how many windows each batch had."""
    return [_scores(judged) for judged in predictor.predict(documents, advance=advance)]


def score_with_hidden(
    predictor: Predictor, documents: Sequence[Document], *, advance: Callable[[int], None] | None = None
) -> list[Scores]:
    """As `score`, and with each token what the head was given."""
    return [_scores(judged) for judged in predictor.predict_with_hidden(documents, advance=advance)]


def kept_scores(
    run: RunFolder,
    documents: Sequence[Document],
    *,
    cache: ScoreCache,
    advance: Callable[[int], None] | None = None,
) -> Sequence[Scores]:
    """Of `documents`, by the run's model: what `cache` lacks is judged, and kept there where it can be written."""
    if any(document not in cache for document in documents):
        predictor = run.predictor()
        try:
            cache.add(documents, lambda some: score(predictor, some, advance=advance))
        except OSError:
            return score(predictor, documents, advance=advance)
    return cache.scores(documents)


def _scores(judged: TokenProbabilities) -> Scores:
    return Scores(
        document=judged.document.id,
        tokens=judged.tokens,
        probabilities=judged.probabilities,
        hidden=judged.hidden,
    )
