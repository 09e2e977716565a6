"""Mark the mentions that a trained model finds, each with its probability; doubtful ones are routed by the policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

from raretag.corpus import Corpus, Mention
from raretag.decision import most_probable_mentions
from raretag.decision.cost_table import CostTable
from raretag.decision.decided import Decision
from raretag.decision.dropped import with_dropped
from raretag.decision.policy_file import PolicyFile
from raretag.probability import Scores, score
from raretag.probability.calibrated import Calibrated
from raretag.serving.scoring_on_ray import score_on_ray
from raretag.training.run_folder import RunFolder


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
    least: float = 0.05,
    ray: str | None = None,
    advance: Callable[[int], None] | None = None,
) -> Annotated:
    """The documents of `corpus` with the run's mentions in place of their own; `score` is a probability in [0, 1].

    It is calibrated where the run is. Else it is exact over the model's valid tag paths, and as good as the model:
    under an objective other than cross-entropy with the prior that the manifest tells as `effective`. Mentions are
    those that the run's policy accepts, and without one those on the most probable path. least: what is dropped is
    listed in `decisions` from this probability on, in [0, 1]. ray: the cluster that judges, see `score_on_ray`.

    What a format kept beside mentions (relations, events) belongs to the old mentions and is left out.
    `advance` is told how many windows each batch had. Raises DataError where calibration or policy are damaged, and as
    `score_on_ray` does.
    """
    calibrated = Calibrated.of(run)
    policy = PolicyFile.of(run, calibration=None if calibrated is None else calibrated.identity)
    if ray is None:
        scores = score(run.predictor(), corpus.documents, advance=advance)
    else:
        scores = score_on_ray(run, corpus.documents, address=ray, advance=advance)
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
