"""Mark the mentions that a trained model finds, each with its probability; doubtful ones are routed by the policy."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, final

from raretag.corpus import Corpus, Document, Mention
from raretag.decision import most_probable_mentions
from raretag.decision.cost_table import CostTable
from raretag.decision.decided import Decision
from raretag.decision.dropped import with_dropped
from raretag.decision.policy_file import PolicyFile
from raretag.probability import ScoreCache, Scores, kept_scores
from raretag.probability.calibrated import Calibrated
from raretag.probability.calibration_data import SCORES
from raretag.probability.score_cache import text_key
from raretag.serving.scoring_on_ray import scored_on_ray
from raretag.training.exclusive import BusyError, alone
from raretag.training.run_folder import RunFolder

# below it, what is dropped is hardly worth a look
LEAST: Final = 0.05


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """corpus: with what stands. decisions: by document id, with what is dropped; None where the run has no policy."""

    corpus: Corpus
    decisions: Mapping[str, Decision] | None


def annotate(
    run: RunFolder,
    corpus: Corpus,
    *,
    least: float = LEAST,
    ray: str | None = None,
    advance: Callable[[int], None] | None = None,
) -> Annotated:
    """The documents of `corpus` with the run's mentions in place of their own; `score` is a probability in [0, 1].

    It is calibrated where the run is. Else it is exact over the model's valid tag paths, and as good as the model:
    under an objective other than cross-entropy with the prior that the manifest tells as `effective`. Mentions are
    those that the run's policy accepts, and without one those on the most probable path. least: what is dropped is
    listed in `decisions` from this probability on, in [0, 1]. ray: the cluster that judges, see `scored_on_ray`.

    What a format kept beside mentions (relations, events) belongs to the old mentions and is left out.
    Scores are kept in the run folder until all are there: broken off, the same call goes on. `advance` is told how many
    windows each batch had. Raises DataError where calibration or policy are damaged, and as `scored_on_ray` does.
    """
    calibrated = Calibrated.of(run)
    policy = PolicyFile.of(run, calibration=None if calibrated is None else calibrated.identity)
    with _kept_meanwhile(run, corpus.documents) as folder:
        scores = _scores(run, corpus.documents, folder=folder, ray=ray, advance=advance)
        return _annotated(run, corpus, scores, calibrated=calibrated, policy=policy, least=least)


@contextmanager
def _kept_meanwhile(run: RunFolder, documents: Sequence[Document]) -> Iterator[Path]:
    """Where scores of these texts lie until all is done, so that what is broken off goes on: in the run folder.

    Where that cannot be written, or another process is at the same texts, a folder that is gone in any case.
    """
    texts = hashlib.sha256("\n".join(sorted(map(text_key, documents))).encode()).hexdigest()[:16]
    folder = run.path / SCORES / f"annotating-{texts}"
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(alone(folder))
        except (OSError, BusyError):
            yield Path(held.enter_context(TemporaryDirectory()))
            return
        yield folder
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            # where nothing else has been judged
            folder.parent.rmdir()


def _scores(
    run: RunFolder,
    documents: Sequence[Document],
    *,
    folder: Path,
    ray: str | None,
    advance: Callable[[int], None] | None,
) -> Sequence[Scores]:
    """Judge what `folder` does not hold yet, some documents at a time, and read all from there."""
    cache = ScoreCache(folder, schema=run.schema)
    if ray is not None:
        missing = [document for document in documents if document not in cache]
        for some, told in scored_on_ray(run, missing, address=ray, advance=advance):
            found = {one.document: one for one in told}
            cache.add(some, lambda part, found=found: [found[one.id] for one in part])
    return kept_scores(run, documents, cache=cache, advance=advance)


def _annotated(
    run: RunFolder,
    corpus: Corpus,
    scores: Sequence[Scores],
    *,
    calibrated: Calibrated | None,
    policy: PolicyFile | None,
    least: float,
) -> Annotated:
    found = most_probable_mentions(scores, schema=run.schema)
    decisions = None
    if calibrated is not None:
        found = {one.document: calibrated.carried(one, found[one.document]) for one in scores}
        if policy is not None:
            decisions = _decided(policy, scores, found, calibrated=calibrated, least=least)
            found = {name: decision.accepted for name, decision in decisions.items()}
    documents = tuple(replace(document, mentions=found[document.id], extras=()) for document in corpus.documents)
    return Annotated(corpus=replace(corpus, documents=documents), decisions=decisions)


def _decided(
    policy: PolicyFile,
    scores: Sequence[Scores],
    paths: Mapping[str, tuple[Mention, ...]],
    *,
    calibrated: Calibrated,
    least: float,
) -> dict[str, Decision]:
    schema = calibrated.schema
    table = None if policy.costs is None else CostTable.of(policy.costs, schema)
    decisions = {}
    for raw in scores:
        found = calibrated.candidates(raw)
        decision = policy.decide(found, schema=schema, argmax=paths[raw.document])
        decisions[raw.document] = with_dropped(decision, found, schema=schema, least=least, table=table)
    return decisions
