"""From a corpus to a run folder: split, tag, train, save; interrupted at any moment, resumed where it stopped."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raretag.corpus import Corpus, Document
from raretag.corpus.splitting import Split, official_split, split_corpus
from raretag.errors import DataError, UsageError
from raretag.objectives import objective
from raretag.sampling import TokenBudget
from raretag.tagging import EncoderSource, capacity, load_tokenizer, resolve_encoder
from raretag.training.callbacks import (
    Checkpoints,
    EarlyStopping,
    History,
    last_checkpoint,
    recover,
    save_weights,
)
from raretag.training.dataset import TrainingData, prepare
from raretag.training.inference import Predictor
from raretag.training.manifest import describe_start, finish
from raretag.training.model import build_model, position_limit
from raretag.training.precision import Precision, fastest_precision
from raretag.training.run_folder import (
    HISTORY,
    MANIFEST,
    MODEL,
    RESUME,
    SCHEMA,
    RunFolder,
    read_json,
    write_json,
)
from raretag.training.settings import TrainSettings
from raretag.training.trainer import build_trainer, quiet
from raretag.training.validation import brier_score

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast, TrainerCallback


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that is settled before the first step; the same corpus and settings give the same plan."""

    settings: TrainSettings
    source: EncoderSource
    split: Split
    tokenizer: PreTrainedTokenizerFast
    model: PreTrainedModel
    capacity: int
    data: TrainingData


def train(
    corpus: Corpus,
    *,
    out: Path,
    settings: TrainSettings,
    resume: bool = False,
    callbacks: Sequence[TrainerCallback] = (),
    announce: Callable[[str], None] = lambda _: None,
) -> RunFolder:
    """Train a model on the training part of `corpus` and write the run folder `out`.

    With `resume` an interrupted run goes on from its last checkpoint; a finished one is returned as it is.
    `callbacks` are added to the trainer's (progress), `announce` is told each stage in a short sentence.
    Raises UsageError where `out` is taken or was begun with other settings, DataError where the corpus cannot be
    learned from.
    """
    quiet()
    begun = _begun(out, settings=settings, resume=resume)
    if begun is not None and begun.get("status") == "complete":
        return RunFolder.open(out)
    announce("preparing the documents and the encoder")
    plan = plan_training(corpus, settings=settings)
    precision: Precision = begun["precision"] if begun else fastest_precision_for(settings)
    start = describe_start(plan.split, settings=settings, source=plan.source, precision=precision, data=plan.data)
    if begun is not None and begun["data"] != start["data"]:
        raise UsageError(
            "this run was begun with other documents", remedy="Give the same data, or another --out", file=out
        )
    (out / RESUME).mkdir(parents=True, exist_ok=True)
    if begun is None:
        write_json(out / MANIFEST, start)
    write_json(out / SCHEMA, plan.data.schema.to_json())
    seconds = _fit(plan, out=out, precision=precision, callbacks=callbacks, announce=announce)
    announce("saving the model")
    save_weights(plan.model, out / MODEL, also=plan.tokenizer)
    write_json(out / MANIFEST, finish(start, seconds=seconds))
    shutil.rmtree(out / RESUME, ignore_errors=True)
    return RunFolder.open(out)


def plan_training(corpus: Corpus, *, settings: TrainSettings) -> Plan:
    """Split the corpus, load the encoder, tag and cut the training documents.

    Raises DataError where the training part holds no mention that a tag can express.
    """
    source = resolve_encoder(settings.encoder)
    split = official_split(corpus) or split_corpus(
        corpus, test=settings.split.test, validation=settings.split.validation, seed=settings.seed
    )
    _check_mentions(split.train)
    tokenizer = load_tokenizer(source)
    from transformers import AutoConfig

    limit = position_limit(AutoConfig.from_pretrained(source.location))
    room = capacity(settings.windows, tokenizer=tokenizer, positions=limit)
    data = prepare(
        split.train,
        labels=corpus.labels,
        tagging=settings.tagging,
        windows=settings.windows,
        capacity=room,
        tokenizer=tokenizer,
    )
    if not data.schema.seen[1:].any():
        raise DataError(
            "no mention of the training documents can be expressed by tags",
            remedy="Look at the Findings that raretag inspect lists",
        )
    model = build_model(source, schema=data.schema, seed=settings.seed)
    return Plan(
        settings=settings,
        source=source,
        split=split,
        tokenizer=tokenizer,
        model=model,
        capacity=room,
        data=data,
    )


def fastest_precision_for(settings: TrainSettings) -> Precision:
    """What the settings ask for; `auto` is measured."""
    return fastest_precision() if settings.precision == "auto" else settings.precision


def _fit(
    plan: Plan,
    *,
    out: Path,
    precision: Precision,
    callbacks: Sequence[TrainerCallback],
    announce: Callable[[str], None],
) -> float:
    """Run the steps that are left; afterwards the plan's model holds the weights to keep. Returns training seconds."""
    settings, dataset = plan.settings.optimiser, plan.data.dataset
    history = History(out / HISTORY)
    best = out / RESUME / "best"
    recover(best)
    watchers: list[TrainerCallback] = [history]
    if plan.split.validation:
        watchers.append(_early_stopping(plan, history=history, best=best, precision=precision, records=out / HISTORY))
    trainer = build_trainer(
        plan.model,
        dataset=dataset,
        batches=TokenBudget(dataset.lengths, tokens=settings.batch_tokens, seed=plan.settings.seed),
        objective=objective(
            plan.settings.objective.name,
            counts=plan.data.schema.tag_counts,
            groups=plan.data.schema.groups,
            **plan.settings.objective.options,
        ),
        settings=settings,
        precision=precision,
        seed=plan.settings.seed,
        pad_id=plan.tokenizer.pad_token_id or 0,
        folder=out / RESUME,
        callbacks=[*watchers, *callbacks, Checkpoints(seconds=plan.settings.checkpoint_seconds)],
    )
    if plan.data.findings:
        kinds = Counter(finding.rule.removeprefix("tagging.") for finding in plan.data.findings)
        told = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
        announce(f"{len(plan.data.findings)} training mentions cannot be expressed by tags: {told}")
    checkpoint = last_checkpoint(out / RESUME)
    announce(f"training on {len(dataset)} windows of {len(plan.split.train)} documents, {precision}")
    started = time.perf_counter()
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if best.exists():
        plan.model.load_state_dict(type(plan.model).from_pretrained(best).state_dict())
    return time.perf_counter() - started


def _early_stopping(plan: Plan, *, history: History, best: Path, precision: Precision, records: Path) -> EarlyStopping:
    predictor = Predictor(
        model=plan.model,
        tokenizer=plan.tokenizer,
        windows=plan.settings.windows,
        capacity=plan.capacity,
        precision=precision,
    )
    return EarlyStopping(
        score=lambda: brier_score(
            predictor,
            plan.split.validation,
            schema=plan.data.schema,
            overlaps=plan.settings.tagging.overlaps,
        ),
        history=history,
        patience=plan.settings.optimiser.patience,
        best=best,
        records=records,
    )


def _begun(out: Path, *, settings: TrainSettings, resume: bool) -> dict[str, Any] | None:
    """The manifest of a run to go on with, None for a new one. Raises UsageError where `out` is something else."""
    if out.exists() and not out.is_dir():
        raise UsageError("this is a file, not a folder", remedy="Choose another --out", file=out)
    if not out.exists() or not any(out.iterdir()):
        return None
    if not resume:
        raise UsageError(
            "this folder is not empty",
            remedy="Add --resume to go on with it, or choose another --out",
            file=out,
        )
    if not (out / MANIFEST).is_file():
        if {path.name for path in out.iterdir()} <= {RESUME, f".{MANIFEST}.writing"}:
            return None
        raise UsageError("this is not a run folder", remedy="Choose another --out", file=out)
    begun = read_json(out / MANIFEST)
    if begun.get("settings") != settings.model_dump(mode="json"):
        raise UsageError(
            "this run was begun with other settings",
            remedy="Repeat the first command and add --resume",
            file=out,
        )
    return begun


def _check_mentions(documents: Sequence[Document]) -> None:
    if not documents:
        raise DataError("no document is left for training", remedy="Lower split.test and split.validation")
    if not any(document.mentions for document in documents):
        raise DataError(
            f"the {len(documents)} training documents hold no mention at all",
            remedy="Check that the annotations lie beside the texts and which Findings raretag inspect lists",
        )
