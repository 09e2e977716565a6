"""From a corpus to a run folder: split, tag, train, save; interrupted at any moment, resumed where it stopped."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raretag.corpus import RULES, Corpus, Document
from raretag.corpus.splitting import OFFICIAL, Split, split_corpus
from raretag.errors import DataError, UsageError
from raretag.objectives import objective
from raretag.sampling import TokenBudget
from raretag.tagging import EncoderSource, capacity, load_tokenizer, resolve_encoder
from raretag.training.checkpoints import Checkpoints, last_checkpoint, recover, save_weights, steps_done
from raretag.training.dataset import TrainingData, prepare
from raretag.training.early_stopping import EarlyStopping, out_of_patience, validation_scores
from raretag.training.exclusive import alone, refuse_several_processes
from raretag.training.history import History
from raretag.training.inference import Predictor
from raretag.training.manifest import describe_data, describe_encoder, describe_start, finish
from raretag.training.model import build_model, load_config, position_limit
from raretag.training.precision import Precision
from raretag.training.run_folder import HISTORY, MANIFEST, MODEL, RESUME, SCHEMA, RunFolder, read_manifest, write_json
from raretag.training.settings import SplitSettings, TrainSettings
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
    refuse_several_processes()
    begun = _begun(out, settings=settings, resume=resume)
    split = _split(corpus, settings=settings, announce=announce)
    if begun is not None:
        _same(begun, "data", describe_data(split), out=out)
        if begun["status"] == "complete":
            return RunFolder.open(out)
    announce("preparing the documents and the encoder")
    plan = plan_training(corpus, split=split, settings=settings)
    start = begun or describe_start(split, settings=settings, source=plan.source, data=plan.data)
    _same(start, "encoder", describe_encoder(plan.source), out=out)
    (out / RESUME).mkdir(parents=True, exist_ok=True)
    with alone(out / RESUME):
        write_json(out / MANIFEST, start)
        write_json(out / SCHEMA, plan.data.schema.to_json())
        seconds = _fit(plan, out=out, precision=start["precision"], callbacks=callbacks, announce=announce)
        announce("saving the model")
        save_weights(plan.model, out / MODEL, also=plan.tokenizer)
        write_json(out / MANIFEST, finish(start, seconds=seconds))
    shutil.rmtree(out / RESUME, ignore_errors=True)
    return RunFolder.open(out)


def _split(corpus: Corpus, *, settings: TrainSettings, announce: Callable[[str], None]) -> Split:
    """The parts of the corpus, told. Raises UsageError for shares that the corpus' own parts would overrule."""
    shares = settings.split
    split = split_corpus(corpus, test=shares.test, validation=shares.validation, seed=settings.seed)
    if split.origin == OFFICIAL and shares != SplitSettings():
        raise UsageError(
            "the corpus brings its own parts, so split.test and split.validation would have no effect",
            remedy="Leave them out, or take the names of the parts (train, dev, test) from folders or metadata",
        )
    sizes = f"{len(split.train)} to train, {len(split.validation)} to validate, {len(split.test)} to test"
    announce(f"documents: {sizes} ({split.origin})")
    for rule, number in Counter(finding.rule for finding in split.findings).items():
        announce(f"{number} {rule}: {RULES[rule].meaning}; {RULES[rule].remedy}")
    return split


def plan_training(corpus: Corpus, *, split: Split, settings: TrainSettings) -> Plan:
    """Load the encoder, tag and cut the training documents of `split`; the labels are those of the whole corpus.

    Raises DataError where the training part holds no mention that a tag can express.
    """
    _check_mentions(split.train)
    source = resolve_encoder(settings.encoder)
    tokenizer = load_tokenizer(source)
    room = capacity(settings.windows, tokenizer=tokenizer, positions=position_limit(load_config(source)))
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
    checkpoint = last_checkpoint(out / RESUME)
    history = History(out / HISTORY, step=steps_done(checkpoint))
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
    _tell_inexpressible(plan.data, announce)
    if not out_of_patience(validation_scores(out / HISTORY), patience=settings.patience):
        announce(f"training on {len(dataset)} windows of {len(plan.split.train)} documents, {precision}")
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if plan.split.validation:
        plan.model.load_state_dict(type(plan.model).from_pretrained(best).state_dict())
    if not all(bool(parameter.isfinite().all()) for parameter in plan.model.parameters()):
        raise DataError(
            "training ended with weights that are no finite numbers",
            remedy="Lower optimiser.learning_rate and train anew",
            file=out,
        )
    return history.seconds


def _tell_inexpressible(data: TrainingData, announce: Callable[[str], None]) -> None:
    """How many mentions tags cannot express, and which labels lose more than a tenth of theirs by it."""
    if not data.findings:
        return
    kinds = Counter(finding.rule.removeprefix("tagging.") for finding in data.findings)
    told = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
    announce(f"training mentions that tags cannot express: {len(data.findings)} ({told})")
    lost = Counter(finding.label for finding in data.findings)
    counts = dict(zip(data.schema.labels, data.schema.mention_counts, strict=True))
    hard = [f"{label} {n} of {counts[label]}" for label, n in lost.most_common() if label and n > counts[label] / 10]
    if hard:
        announce(f"hardest hit: {', '.join(hard)}; another tagging.overlaps (shortest, rarest) may keep them")


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
    begun = read_manifest(out)
    if begun["settings"] != settings.model_dump(mode="json"):
        raise UsageError(
            "this run was begun with other settings", remedy="Repeat the first command and add --resume", file=out
        )
    return begun


def _same(begun: dict[str, Any], part: str, now: object, *, out: Path) -> None:
    """Raises UsageError where the data or the encoder is not what the run was begun with."""
    if begun[part] != now:
        what = {"data": "other documents", "encoder": "another encoder"}[part]
        raise UsageError(f"this run was begun with {what}", remedy=f"Give the same {part}, or another --out", file=out)


def _check_mentions(documents: Sequence[Document]) -> None:
    if not documents:
        raise DataError("no document is left for training", remedy="Lower split.test and split.validation")
    if not any(document.mentions for document in documents):
        raise DataError(
            f"the {len(documents)} training documents hold no mention at all",
            remedy="Check that the annotations lie beside the texts and which Findings raretag inspect lists",
        )
