"""Evaluate a run on documents that its training never saw."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from raretag.corpus import Corpus, Document
from raretag.decision import most_probable_mentions
from raretag.errors import DataError
from raretag.evaluation.evaluate import evaluate
from raretag.evaluation.figures import Evaluation
from raretag.probability import score
from raretag.tagging import encode
from raretag.training.run_folder import RunFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """The documents to evaluate on.

    `seen` were set aside because training or early stopping saw their text. `shared` are the run's own test documents
    whose text also stands in training, as it happens in official splits: they are kept.
    """

    documents: tuple[Document, ...]
    seen: int
    shared: int

    def to_json(self) -> dict[str, Any]:
        """What was scored, for `evaluation.json`: one hash over the texts, and the two counts."""
        texts = "\n".join(sorted(f"{document.id}\t{document.fingerprint}" for document in self.documents))
        digest = hashlib.sha256(texts.encode("utf-8", "surrogatepass")).hexdigest()
        return {"sha256": digest, "left_out": self.seen, "shared": self.shared}


def unseen_documents(run: RunFolder, corpus: Corpus) -> Unseen:
    """Those of `corpus` that are the run's own test documents, or whose text its training never saw.

    Texts are compared, not names. Raises DataError where none is left.
    """
    data = run.manifest["data"]
    test = {(name, text) for name, text in data["test"].items()}
    learned = {*data["train"].values(), *data["validation"].values()}
    kept = tuple(
        document
        for document in corpus.documents
        if (document.id, document.fingerprint) in test or document.fingerprint not in learned
    )
    if not kept:
        raise DataError(
            f"training saw all {len(corpus.documents)} documents of these data",
            remedy="Give others, or train again with split.test above 0",
        )
    return Unseen(
        documents=kept,
        seen=len(corpus.documents) - len(kept),
        shared=sum(document.fingerprint in learned for document in kept),
    )


def evaluate_run(
    run: RunFolder,
    documents: tuple[Document, ...],
    *,
    resamples: int = 2000,
    seed: int = 0,
    advance: Callable[[int], None] | None = None,
) -> Evaluation:
    """Annotate `documents` with the run's model and score them against their own mentions.

    See `evaluate` for the figures. Gold mentions that no window or tag can express count as missed, and how many
    there are is told.
    """
    schema, overlaps = run.schema, run.manifest["settings"]["tagging"]["overlaps"]
    scores = score(run.predictor(), documents, advance=advance)
    training_counts = dict(zip(schema.labels, schema.mention_counts, strict=True))
    inexpressible = Counter(
        finding.label or ""
        for document, one in zip(documents, scores, strict=True)
        for finding in encode(document, one.tokens, schema=schema, overlaps=overlaps, counts=training_counts).findings
    )
    return evaluate(
        documents,
        most_probable_mentions(scores, schema=schema),
        labels=schema.labels,
        training_counts=training_counts,
        inexpressible=inexpressible,
        resamples=resamples,
        seed=seed,
    )
