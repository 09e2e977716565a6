"""From a corpus to a run folder: split, tag, train, save; interrupted at any moment, resumed where it stopped."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raretag.corpus import RULES, Corpus
from raretag.corpus.splitting import OFFICIAL, Split, split_corpus
from raretag.errors import UsageError
from raretag.training.checkpoints import recover, save_weights
from raretag.training.dataset import TrainingData
from raretag.training.early_stopping import EarlyStopping, out_of_patience, validation_scores
from raretag.training.ensemble import ENSEMBLE, prior_together
from raretag.training.exclusive import held_by_first
from raretag.training.fitting import Taken, fit
from raretag.training.heads import load_model
from raretag.training.history import History
from raretag.training.inference import Predictor
from raretag.training.manifest import describe_data, describe_encoder, describe_second_stage, describe_start, finish
from raretag.training.memory import forget_peak, peak_mib
from raretag.training.model import tag_head
from raretag.training.plan import Plan, plan_training
from raretag.training.precision import Precision
from raretag.training.processes import agreed, by_first, is_first, together
from raretag.training.resumption import begun_run, check_alike, check_recipe, check_same
from raretag.training.run_folder import HISTORY, MANIFEST, MODEL, RECIPE, RESUME, SCHEMA, RunFolder, write_json
from raretag.training.second_stage import extract_features, retrain_head
from raretag.training.second_stage.registry import second_stage
from raretag.training.settings import OptimiserSettings, SplitSettings, TrainSettings
from raretag.training.sharing import refuse_parts
from raretag.training.trainer import quiet
from raretag.training.validation import brier_score

if TYPE_CHECKING:
    from transformers import TrainerCallback


def train(
    corpus: Corpus,
    *,
    out: Path,
    settings: TrainSettings,
    resume: bool = False,
    recipe: Mapping[str, Any] | None = None,
    callbacks: Sequence[TrainerCallback] = (),
    announce: Callable[[str], None] = lambda _: None,
) -> RunFolder:
    """Train a model on the training part of `corpus` and write the run folder `out`.

    With `resume` an interrupted run goes on from its last checkpoint; a finished one is returned as it is.
    recipe: what `recipe.json` shall hold, `after` training among it; None: nothing is said of it, and nothing compared.
    `callbacks` are added to the trainer's (progress), `announce` is told each stage in a short sentence.
    Started by torchrun or accelerate in several processes, all train one model: each takes its share of every batch,
    the first one writes and announces.
    Raises UsageError where `out` is taken or was begun with other settings, or where processes differ in their data,
    DataError where the corpus cannot be learned from, or another process is lost.
    """
    quiet()
    with together():
        return _train(
            corpus,
            out=out,
            settings=settings,
            resume=resume,
            recipe=recipe,
            callbacks=callbacks,
            announce=announce if is_first() else lambda _: None,
        )


def _train(
    corpus: Corpus,
    *,
    out: Path,
    settings: TrainSettings,
    resume: bool,
    recipe: Mapping[str, Any] | None = None,
    callbacks: Sequence[TrainerCallback],
    announce: Callable[[str], None],
) -> RunFolder:
    begun = agreed(lambda: begun_run(out, settings=settings, resume=resume))
    if begun is not None and recipe is not None:
        check_recipe(out, recipe)
    split = _split(corpus, settings=settings, announce=announce)
    if begun is not None:
        check_same(begun, "data", describe_data(split), out=out)
        if begun["status"] == "complete":
            return RunFolder.open(out)
    with ExitStack() as held:
        if begun is not None:
            # nothing is prepared for a run that another process is at
            held.enter_context(held_by_first(out / RESUME))
        announce("preparing the documents and the encoder")
        plan = plan_training(corpus, split=split, settings=settings)
        refuse_parts(plan.learner.objective, name=settings.objective.name)
        start = agreed(
            lambda: (
                begun
                or describe_start(
                    split,
                    settings=settings,
                    source=plan.source,
                    data=plan.learner.data,
                    prior=plan.learner.prior(),
                    unique=plan.learner.objective.prior_is_unique,
                )
            )
        )
        check_alike(start, data=describe_data(split), encoder=describe_encoder(plan.source))
        check_same(start, "encoder", describe_encoder(plan.source), out=out)
        if begun is None:
            # not before: what cannot be planned leaves no folder
            held.enter_context(held_by_first(out / RESUME))
        # another process may have begun or finished this very run since it was looked at
        meanwhile = agreed(lambda: begun_run(out, settings=settings, resume=True))
        if meanwhile is not None:
            check_same(meanwhile, "data", describe_data(split), out=out)
            if meanwhile["status"] == "complete":
                by_first(lambda: shutil.rmtree(out / RESUME, ignore_errors=True))
                return RunFolder.open(out)
            start = meanwhile
        forget_peak()
        by_first(lambda: _begin(start, plan, recipe=recipe, out=out))
        further = _train_further(corpus, out=out, settings=settings, callbacks=callbacks, announce=announce)
        taken = _fit(plan, out=out, precision=start["precision"], callbacks=callbacks, announce=announce)
        by_first(lambda: _finish(start, plan, out=out, taken=taken, further=further, announce=announce))
        # while the lock in it is held: nobody else's checkpoints are there
        by_first(lambda: shutil.rmtree(out / RESUME, ignore_errors=True))
    return RunFolder.open(out)


def _train_further(
    corpus: Corpus,
    *,
    out: Path,
    settings: TrainSettings,
    callbacks: Sequence[TrainerCallback],
    announce: Callable[[str], None],
) -> list[RunFolder]:
    """The other models of an ensemble, each a run folder of its own; they come first, so that none is trained twice."""
    made = []
    for number, member in enumerate(settings.members[1:], start=2):
        announce(f"model {number} of {len(settings.members)}")
        folder = out / ENSEMBLE / str(number)
        made.append(_train(corpus, out=folder, settings=member, resume=True, callbacks=callbacks, announce=announce))
    if made:
        announce(f"model 1 of {len(settings.members)}")
    return made


def _begin(start: dict[str, Any], plan: Plan, *, recipe: Mapping[str, Any] | None, out: Path) -> None:
    """What is known of a run before its first step."""
    if recipe is not None and recipe["after"]:
        # before the manifest: where that is, a later command compares
        write_json(out / RECIPE, dict(recipe))
    write_json(out / MANIFEST, start)
    write_json(out / SCHEMA, plan.learner.data.schema.to_json())
    recover(_best(out))


def _finish(
    start: dict[str, Any],
    plan: Plan,
    *,
    out: Path,
    taken: Taken,
    further: Sequence[RunFolder],
    announce: Callable[[str], None],
) -> None:
    """From the last step to the run folder that is kept: best weights, second stage, model, manifest."""
    learner = plan.learner
    if plan.split.validation:
        learner.model.load_state_dict(load_model(_best(out), schema=learner.data.schema)[0].state_dict())
    start = _with_second_stage(start, plan, features=out / RESUME / "features.safetensors", announce=announce)
    announce("saving the model")
    save_weights(learner.model, out / MODEL, head=learner.head, also=plan.tokenizer)
    manifests = [one.manifest for one in further]
    if manifests:
        start = {**start, "prior": prior_together([start["prior"], *(one["prior"] for one in manifests)])}
    steps, seconds = (sum(one[name] for one in manifests) for name in ("steps", "seconds"))
    # each model's training forgets what was before it
    peak = max([peak_mib(), *(one["peak_mib"] for one in manifests)])
    told = finish(start, steps=taken.steps + steps, seconds=taken.seconds + seconds, peak_mib=peak)
    write_json(out / MANIFEST, told)


def _best(out: Path) -> Path:
    """The best weights so far, by the validation documents."""
    return out / RESUME / "best"


def _split(corpus: Corpus, *, settings: TrainSettings, announce: Callable[[str], None]) -> Split:
    """The parts of the corpus, told. Raises UsageError for settings of it that have no effect."""
    shares = settings.split
    split = split_corpus(corpus, test=shares.test, validation=shares.validation, seed=settings.seed)
    if split.origin == OFFICIAL and shares != SplitSettings():
        raise UsageError(
            "the corpus brings its own parts, so split.test and split.validation would have no effect",
            remedy="Leave them out, or take the names of the parts (train, dev, test) from folders or metadata",
        )
    if not split.validation and settings.optimiser.patience != OptimiserSettings().patience:
        raise UsageError(
            "no document validates, so optimiser.patience would have no effect",
            remedy="Leave it out, or set split.validation",
        )
    sizes = f"{len(split.train)} to train, {len(split.validation)} to validate, {len(split.test)} to test"
    announce(f"documents: {sizes} ({split.origin})")
    for rule, number in Counter(finding.rule for finding in split.findings).items():
        announce(f"{number} {rule}: {RULES[rule].meaning}; {RULES[rule].remedy}")
    return split


def _fit(
    plan: Plan,
    *,
    out: Path,
    precision: Precision,
    callbacks: Sequence[TrainerCallback],
    announce: Callable[[str], None],
) -> Taken:
    """Run the steps that are left."""
    learner, best = plan.learner, _best(out)

    def watchers(history: History) -> Sequence[TrainerCallback]:
        return [_early_stopping(plan, history=history, best=best, precision=precision, records=out / HISTORY)]

    def over() -> bool:
        return out_of_patience(validation_scores(out / HISTORY), patience=learner.settings.optimiser.patience)

    _tell_inexpressible(learner.data, announce)
    announce(f"training on {len(learner.data.dataset)} windows of {len(plan.split.train)} documents, {precision}")
    if not plan.split.validation:
        return fit(learner, out=out, precision=precision, callbacks=callbacks)
    return fit(learner, out=out, precision=precision, watchers=watchers, callbacks=callbacks, over=over)


def _with_second_stage(
    start: dict[str, Any], plan: Plan, *, features: Path, announce: Callable[[str], None]
) -> dict[str, Any]:
    """The manifest after the second stage that the settings ask for, if any; the plan's model then has its head.

    The features lie at `features` meanwhile: those of a large corpus do not fit into memory.
    """
    learner = plan.learner
    asked = learner.settings.second_stage
    if asked.name is None:
        return start
    announce(f"second stage: {asked.name}")
    made = retrain_head(
        learner.model,
        extract_features(
            learner.model,
            learner.data.dataset,
            pad_id=learner.pad_id,
            precision=start["precision"],
            path=features,
        ),
        schema=learner.data.schema,
        name=asked.name,
        options=asked.options,
        seed=learner.settings.seed,
    )
    tag_head(learner.model).load_state_dict(made.head.state_dict())
    stage = second_stage(asked.name, schema=learner.data.schema, options=asked.options)
    return describe_second_stage(
        start, made, schema=learner.data.schema, name=asked.name, options=stage.options, seed=learner.settings.seed
    )


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
        model=plan.learner.model,
        tokenizer=plan.tokenizer,
        windows=plan.learner.settings.windows,
        capacity=plan.capacity,
        precision=precision,
    )
    return EarlyStopping(
        score=lambda: brier_score(
            predictor,
            plan.split.validation,
            schema=plan.learner.data.schema,
            overlaps=plan.learner.settings.tagging.overlaps,
        ),
        head=plan.learner.head,
        history=history,
        patience=plan.learner.settings.optimiser.patience,
        best=best,
        records=records,
    )
