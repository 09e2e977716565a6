"""Another head on an encoder that stays: what it saw is cached once, then any second stage takes seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, final

import torch
from filelock import FileLock
from torch import nn

from raretag.corpus import Corpus, Document
from raretag.errors import DataError
from raretag.experiments.cross_validation import Cell
from raretag.probability import ScoreCache, Scores
from raretag.probability.calibration_data import SCORES
from raretag.probability.calibrators import Context
from raretag.probability.run_context import context_of
from raretag.probability.scoring import score_with_hidden
from raretag.training.dataset import prepare
from raretag.training.heads import to_probabilities
from raretag.training.inference import Predictor
from raretag.training.run_folder import RunFolder
from raretag.training.second_stage import Features, extract_features
from raretag.training.second_stage.base import Retrained
from raretag.training.second_stage.registry import second_stage
from raretag.training.settings import SecondStageSettings

FEATURES: Final = "features.safetensors"
_LOCK: Final = ".features.lock"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Restaged:
    """A fold with another head: scores by document id, and what a calibrator may know of it."""

    scores: dict[str, Scores]
    context: Context


def restaged(cell: Cell, corpus: Corpus, *, stage: SecondStageSettings) -> Restaged:
    """The documents that the fold held out, as its encoder and the head of `stage` judge them.

    It is the head that training with this second stage ends with. Hidden states of held-out documents are kept as
    float16, so that probabilities are off by some thousandths at most, up as often as down. Raises DataError where the
    folder of the fold is damaged, UsageError for a stage that does not fit.
    """
    run, held_out = RunFolder.open(cell.run_path), cell.held_out(corpus)
    file = run.path / FEATURES
    # another trial of the same training may be at it; what is mapped stays readable when that one deletes it
    with FileLock(run.path / _LOCK):
        cache = ScoreCache(run.path / SCORES, schema=run.schema)
        if not file.is_file() or not all(cache.has_hidden(document) for document in held_out):
            # as the run itself was trained and judged, whichever machine this is
            predictor = replace(run.predictor(), precision=run.manifest["precision"])
            if not file.is_file():
                _extract(cell, corpus, run=run, predictor=predictor)
            cache.add_with_hidden(held_out, lambda some: score_with_hidden(predictor, some))
        features = Features.load(file)
    context = context_of(run)
    if stage.name is None or context.weight is None or context.bias is None:
        raise DataError(
            "the head of this fold is not the plain softmax one", remedy="Tune head.name apart", file=run.path
        )
    head: nn.Linear = nn.Linear(context.weight.shape[1], context.weight.shape[0])
    head.load_state_dict({"weight": torch.from_numpy(context.weight), "bias": torch.from_numpy(context.bias)})
    made = second_stage(stage.name, schema=run.schema, options=stage.options).retrain(
        head, features, seed=cell.settings.seed
    )
    return Restaged(
        scores={one.document: _judged(one, made.head) for one in cache.scores(held_out)},
        context=_context(made, known=context),
    )


def forget_features(cells: Sequence[Cell]) -> None:
    """Delete the training tokens' hidden states, which are large; they are made again where they are missed."""
    for cell in cells:
        file = cell.run_path / FEATURES
        if file.is_file():
            # not while another trial has yet to read them
            with FileLock(cell.run_path / _LOCK):
                file.unlink(missing_ok=True)


def _judged(raw: Scores, head: nn.Linear) -> Scores:
    if raw.hidden is None:
        raise ValueError("scores without hidden states")
    with torch.inference_mode():
        logits = head(torch.from_numpy(raw.hidden).float())
        return replace(raw, probabilities=to_probabilities(logits).numpy(), hidden=None)


def _context(made: Retrained, *, known: Context) -> Context:
    return Context(
        empirical=known.empirical,
        effective=made.prior,
        weight=made.head.weight.detach().double().numpy(),
        bias=made.head.bias.detach().double().numpy(),
        unique=made.unique,
    )


def _extract(cell: Cell, corpus: Corpus, *, run: RunFolder, predictor: Predictor) -> None:
    """Write the features of the fold's training windows, whole or not at all."""
    wanted = run.manifest["data"]["train"]
    there: dict[str, Document] = {document.id: document for document in corpus.documents}
    data = prepare(
        [there[name] for name in wanted],
        labels=run.schema.labels,
        tagging=cell.settings.tagging,
        windows=predictor.windows,
        capacity=predictor.capacity,
        tokenizer=predictor.tokenizer,
    )
    extract_features(
        predictor.model,
        data.dataset,
        pad_id=predictor.tokenizer.pad_token_id or 0,
        precision=predictor.precision,
        path=run.path / FEATURES,
    )
