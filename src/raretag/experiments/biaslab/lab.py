"""The whole lab: every mechanism at all marginals with all seeds, resumed where it stopped; what follows from it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import raretag
from raretag.corpus import Corpus
from raretag.corpus.demo import demo_corpus
from raretag.errors import DataError, UsageError
from raretag.experiments.biaslab.conclusions import conclude
from raretag.experiments.biaslab.designs import build_design
from raretag.experiments.biaslab.judging import judged
from raretag.experiments.biaslab.mechanisms import Mechanism
from raretag.experiments.biaslab.models import Trainable, WholeEncoder, bias_only, frozen
from raretag.experiments.biaslab.results import BiasLabResults, Run
from raretag.experiments.biaslab.settings import LabSettings
from raretag.experiments.biaslab.summaries import summarise
from raretag.experiments.biaslab.text import Text, cut_text
from raretag.experiments.biaslab.training import Training
from raretag.tagging import EncoderSource, capacity, load_tokenizer, resolve_encoder
from raretag.training.exclusive import alone, refuse_several_processes
from raretag.training.model import load_config, position_limit
from raretag.training.precision import Precision, chosen_precision
from raretag.training.run_folder import write_json
from raretag.training.trainer import quiet

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, TrainerCallback

RESULTS: Final = "biaslab.json"
RUNS: Final = "runs"


def bias_lab(
    corpus: Corpus | None = None,
    *,
    out: Path,
    settings: LabSettings | None = None,
    name: str = "demo",
    resume: bool = False,
    callbacks: Sequence[TrainerCallback] = (),
    announce: Callable[[str], None] = lambda _: None,
) -> BiasLabResults:
    """Train on randomised labels by each mechanism and compare what is predicted with what was planted.

    corpus: where the text comes from, and the mentions for the design that labels these; None: the demo's notes. name:
    what the results call it. `out` receives `biaslab.json`, rewritten after each training, and, under `runs`, what
    is kept of each; with `resume` finished trainings are taken from there and an interrupted one goes on, and settings
    may have grown. A training belongs to all mechanisms that share it: one more of these, and it is done again.
    `callbacks` are added to every trainer's, `announce` is told each stage in a short sentence.
    The same settings, text and machine give the same results, seconds aside.
    Raises UsageError where `out` is taken, DataError where the text is too little to show what is planted, where a
    kept record is damaged, or where a loss is no finite number.
    """
    quiet()
    refuse_several_processes("the bias lab")
    settings = LabSettings() if settings is None else settings
    _check_folder(out, resume=resume)
    announce("preparing the text and the encoder")
    source = resolve_encoder(settings.encoder)
    tokenizer = load_tokenizer(source)
    room = capacity(settings.windows, tokenizer=tokenizer, positions=position_limit(load_config(source)))
    documents = (demo_corpus() if corpus is None else corpus).documents
    text = cut_text(documents, name=name, tokenizer=tokenizer, capacity=room, settings=settings)
    designs = {row: build_design(settings.design, text, marginals=row) for row in settings.marginals}
    _check_batch(text, settings=settings)
    (out / RUNS).mkdir(parents=True, exist_ok=True)
    with alone(out / RUNS):
        trainings = _trainings(settings, text=text, source=source, precision=_precision(settings))
        trainable: Trainable | None = None
        runs: list[Run] = []
        clock = _Clock(len(trainings))
        results: BiasLabResults | None = None
        for number, training in enumerate(trainings, start=1):
            found = training.finished(out / RUNS)
            if found is None:
                trainable = trainable or _trainable(settings, text=text, source=source, tokenizer=tokenizer)
                announce(f"training {number} of {len(trainings)}: {training.name}{clock.left(number)}")
                found = training.carry_out(
                    out / RUNS, trainable=trainable, design=designs[training.marginals], callbacks=callbacks
                )
                clock.done()
            runs += [
                judged(
                    run,
                    design=designs[training.marginals],
                    mechanism=settings.mechanisms[run.mechanism],
                    simulations=settings.draws,
                )
                for run in found
            ]
            results = _results(runs, settings=settings, text=text, complete=number == len(trainings))
            write_json(out / RESULTS, results.model_dump(mode="json"))
    assert results is not None
    return results


def _results(runs: Sequence[Run], *, settings: LabSettings, text: Text, complete: bool) -> BiasLabResults:
    summaries = summarise(runs, mechanisms=settings.mechanisms)
    return BiasLabResults(
        raretag=raretag.__version__,
        complete=complete,
        text=text.facts,
        settings=settings.model_dump(mode="json"),
        runs=tuple(runs),
        summaries=summaries,
        conclusions=tuple(conclude(one, outside_is_drawn=settings.design != "mention") for one in summaries),
    )


def _check_folder(out: Path, *, resume: bool) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError("this is a file, not a folder", remedy="Choose another --out", file=out)
    if out.exists() and any(out.iterdir()):
        if not resume:
            raise UsageError(
                "this folder is not empty", remedy="Add --resume to go on with it, or choose another --out", file=out
            )
        if not (out / RUNS).is_dir():
            raise UsageError("this is not a folder of the bias lab", remedy="Choose another --out", file=out)


def _check_batch(text: Text, *, settings: LabSettings) -> None:
    """Raises DataError where the training part does not fill a batch, before anything is written."""
    windows = text.parts["training"].windows
    # special tokens and context are seen by a whole encoder only
    tokens = sum(len(one.input_ids) for one in windows) if settings.model == "full" else len(text.parts["training"])
    if tokens < settings.batch_tokens:
        raise DataError(
            f"the training part has {tokens:,} tokens, which is no batch of {settings.batch_tokens:,}",
            remedy="Give more text, or lower batch_tokens",
        )


def _trainable(
    settings: LabSettings, *, text: Text, source: EncoderSource, tokenizer: PreTrainedTokenizerFast
) -> Trainable:
    pad_id = tokenizer.pad_token_id or 0
    if settings.model == "bias-only":
        return bias_only(text)
    if settings.model == "frozen":
        return frozen(text, source=source, pad_id=pad_id)
    return WholeEncoder(text, source=source, pad_id=pad_id)


def _precision(settings: LabSettings) -> Precision:
    return chosen_precision(settings.precision) if settings.model == "full" else "float32"


def _trainings(settings: LabSettings, *, text: Text, source: EncoderSource, precision: Precision) -> list[Training]:
    """Seed by seed, so that an early look shows every mechanism."""
    return [
        Training(
            mechanisms=group,
            marginals=marginals,
            seed=seed,
            settings=settings,
            text=text.facts,
            encoder=source.sha256,
            precision=precision,
        )
        for seed in settings.seeds
        for marginals in settings.marginals
        for group in _sharing(settings)
    ]


def _sharing(settings: LabSettings) -> list[dict[str, Mechanism]]:
    """Mechanisms by what is trained: they differ in what becomes of its probabilities."""
    groups: dict[str, dict[str, Mechanism]] = {}
    for name, mechanism in settings.mechanisms.items():
        groups.setdefault(json.dumps(mechanism.training, sort_keys=True), {})[name] = mechanism
    return list(groups.values())


class _Clock:
    """How long what is left will take, by what has been done."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._started = time.monotonic()
        self._done = 0

    def done(self) -> None:
        """One more is done."""
        self._done += 1

    def left(self, number: int) -> str:
        """What to add to the announcement of training `number`."""
        if not self._done:
            return ""
        seconds = (time.monotonic() - self._started) / self._done * (self._number - number + 1)
        return f" (about {seconds / 60:.0f} min left)" if seconds >= 90 else f" (about {seconds:.0f} s left)"
