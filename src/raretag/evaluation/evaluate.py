"""Score predicted mentions against the untouched gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raretag.corpus.document import Document, Mention
from raretag.errors import DataError
from raretag.evaluation.counts import count_matches
from raretag.evaluation.figures import Evaluation, EvaluationCounts, Resampling, SchemeFigures
from raretag.evaluation.intervals import LEVEL
from raretag.evaluation.matching import Scheme
from raretag.evaluation.summary import scheme_figures


def evaluate(
    gold: Sequence[Document],
    predicted: Mapping[str, Sequence[Mention]],
    *,
    labels: Sequence[str],
    training_counts: Mapping[str, int],
    inexpressible: Mapping[str, int] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Evaluation:
    """All figures of `evaluation.json` that mentions alone can tell.

    `gold` are the untouched documents, at least one; every mention in them counts, also those that no window
    or tag can express: `inexpressible` says how many these are by label and changes no score. `predicted` maps
    document ids to mentions in code points of the same text; a missing document has no prediction. `labels`
    are those of the schema; others that occur in gold or predictions are added. `training_counts` are
    training mentions per label (absent: 0) and give the groups head, medium and tail. `resamples` >= 0 of
    documents (patients where named) give the intervals; 0 gives none. The result depends on no order of
    documents, mentions or labels.

    Raises DataError for no documents, repeated ids, predictions of an unknown document or beyond the end of
    its text; UsageError for a negative `resamples` or `seed`.
    """
    if not gold:
        raise DataError("there are no documents to evaluate", remedy="Give at least one with its gold mentions")
    groups: set[tuple[str, str]] = set()

    def figures(scheme: Scheme) -> SchemeFigures:
        counts = count_matches(gold, predicted, labels=labels, scheme=scheme)
        groups.update(counts.groups)
        return scheme_figures(counts, training_counts=training_counts, resamples=resamples, seed=seed)

    strict, overlap, by_type = figures("strict"), figures("overlap"), figures("type")
    return Evaluation(
        strict=strict,
        overlap=overlap,
        type=by_type,
        mean_recall=strict.macro.recall,
        counts=EvaluationCounts(
            documents=len(gold),
            mentions=strict.micro.gold,
            predicted=strict.micro.predicted,
            inexpressible=None if inexpressible is None else sum(inexpressible.values()),
            inexpressible_by_label=None if inexpressible is None else dict(sorted(inexpressible.items())),
        ),
        intervals=Resampling(
            unit="group" if any(kind == "group" for kind, _ in groups) else "document",
            units=len(groups),
            resamples=resamples,
            seed=seed,
            level=LEVEL,
        ),
    )
