"""Evaluate a run on documents that its training never saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from raretag.corpus import Corpus, Document, Mention
from raretag.corpus.fingerprints import fingerprints, fingerprints_hash
from raretag.decision import most_probable_mentions
from raretag.decision.openings import Openings, record_opening
from raretag.decision.policy_file import PolicyFile
from raretag.errors import DataError
from raretag.evaluation.calibration_report import ProbabilityFigures, probability_figures
from raretag.evaluation.evaluate import evaluate
from raretag.evaluation.figures import Evaluation
from raretag.evaluation.run_decisions import RunDecisions, judge_policy
from raretag.probability import ScoreCache, Scores, kept_scores
from raretag.probability.calibrated import Calibrated
from raretag.probability.calibration_data import SCORES
from raretag.tagging import encode
from raretag.training.run_folder import RunFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """The documents to evaluate on.

    `seen` were set aside because training or early stopping saw their text, `calibrated` because calibration or the
    policy did, whose gold they used. `shared` are the run's own test documents
    whose text also stands in training, as it happens in official splits: they are kept.
    """

    documents: tuple[Document, ...]
    seen: int
    calibrated: int
    shared: int

    def to_json(self) -> dict[str, Any]:
        """What was scored, for `evaluation.json`: one hash over the texts, and the counts."""
        return {
            "sha256": fingerprints_hash(fingerprints(self.documents)),
            "left_out": self.seen,
            "left_out_calibration": self.calibrated,
            "shared": self.shared,
        }


def unseen_documents(run: RunFolder, corpus: Corpus) -> Unseen:
    """Those of `corpus` that are the run's own test documents, or whose text its training never saw.

    Documents that calibration or policy were fitted on are left out in any case. Texts are compared, not names. Raises
    DataError where none is left.
    """
    data = run.manifest["data"]
    test = {(name, text) for name, text in data["test"].items()}
    learned = {*data["train"].values(), *data["validation"].values()}
    calibrated = Calibrated.of(run)
    fitted = set() if calibrated is None else {*calibrated.documents.values()} - learned
    policy = PolicyFile.of(run, calibration=None if calibrated is None else calibrated.identity)
    if policy is not None:
        fitted |= {*policy.fixed_on.documents.values()} - learned
    unlearned = [
        document
        for document in corpus.documents
        if (document.id, document.fingerprint) in test or document.fingerprint not in learned
    ]
    kept = tuple(document for document in unlearned if document.fingerprint not in fitted)
    if not kept:
        by = "training" if not unlearned else "training or calibration"
        raise DataError(
            f"{by} saw all {len(corpus.documents)} documents of these data",
            remedy="Give others, or train again with split.test above 0",
        )
    return Unseen(
        documents=kept,
        seen=len(corpus.documents) - len(unlearned),
        calibrated=len(unlearned) - len(kept),
        shared=sum(document.fingerprint in learned for document in kept),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvaluation:
    """All that `evaluation.json` tells.

    mentions: of those that the run marks, which its policy accepts where it has one. used: of the probabilities that
    the run gives, calibrated where it is. uncalibrated: of the model's own, None where these are they. decisions: of
    the policy, None where the run has none.
    """

    mentions: Evaluation
    used: ProbabilityFigures
    uncalibrated: ProbabilityFigures | None
    decisions: RunDecisions | None

    def to_json(self) -> dict[str, Any]:
        """Built-in types only."""
        plain = {**self.mentions.to_json(), **self.used.to_json()}
        if self.uncalibrated is not None:
            plain["uncalibrated"] = self.uncalibrated.to_json()
        if self.decisions is not None:
            plain |= self.decisions.to_json()
        return plain


def evaluate_run(
    run: RunFolder,
    documents: tuple[Document, ...],
    *,
    resamples: int = 2000,
    seed: int = 0,
    advance: Callable[[int], None] | None = None,
) -> RunEvaluation:
    """Annotate `documents` with the run's model and score them against their own mentions.

    See `evaluate` for the figures. Gold mentions that no window or tag can express count as missed, and how many
    there are is told. Scores are kept in the run folder, so that the same documents are judged once.
    """
    schema, overlaps = run.schema, run.manifest["settings"]["tagging"]["overlaps"]
    calibrated = Calibrated.of(run)
    policy = PolicyFile.of(run, calibration=None if calibrated is None else calibrated.identity)
    before = Openings.of(run)
    record_opening(run, fingerprints(documents))
    scores = kept_scores(run, documents, cache=ScoreCache(run.path / SCORES, schema=run.schema), advance=advance)
    training_counts = dict(zip(schema.labels, schema.mention_counts, strict=True))
    encoded = [
        encode(document, one.tokens, schema=schema, overlaps=overlaps, counts=training_counts)
        for document, one in zip(documents, scores, strict=True)
    ]
    paths = most_probable_mentions(scores, schema=schema)
    own = [paths[document.id] for document in documents]
    decisions = None
    if policy is not None and calibrated is not None:
        decisions = judge_policy(
            policy, documents, scores, own, calibrated=calibrated, openings=before, resamples=resamples, seed=seed
        )
    mentions = evaluate(
        documents,
        paths if decisions is None else decisions.accepted,
        labels=schema.labels,
        training_counts=training_counts,
        inexpressible=Counter(finding.label or "" for one in encoded for finding in one.findings),
        resamples=resamples,
        seed=seed,
    )

    def figures(given: Sequence[Scores], found: Sequence[Sequence[Mention]]) -> ProbabilityFigures:
        tags = [one.tags for one in encoded]
        return probability_figures(
            given, found, tags=tags, gold=documents, schema=schema, resamples=resamples, seed=seed
        )

    uncalibrated = figures(scores, own)
    if calibrated is None:
        return RunEvaluation(mentions=mentions, used=uncalibrated, uncalibrated=None, decisions=None)
    told = [calibrated.carried(raw, found) for raw, found in zip(scores, own, strict=True)]
    used = figures([calibrated.scores(raw) for raw in scores], told)
    return RunEvaluation(mentions=mentions, used=used, uncalibrated=uncalibrated, decisions=decisions)
