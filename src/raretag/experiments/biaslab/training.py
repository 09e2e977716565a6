"""One training on labels drawn once, measured on the way; a finished one is kept, an interrupted one goes on."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

import raretag
from raretag.errors import DataError
from raretag.experiments.biaslab.designs import Design, Drawn, drawn_schema, tags_of
from raretag.experiments.biaslab.measuring import RECORD, Measuring, Subject
from raretag.experiments.biaslab.mechanisms import Mechanism
from raretag.experiments.biaslab.models import Trainable
from raretag.experiments.biaslab.restoring import Restoring
from raretag.experiments.biaslab.results import PARTS, LabText, Measurement, Run, Shares
from raretag.experiments.biaslab.settings import LabSettings
from raretag.experiments.biaslab.shares import counted_shares
from raretag.objectives import OBJECTIVES, REGULARISERS
from raretag.sampling import SAMPLERS, pack
from raretag.training.dataset import TrainingData
from raretag.training.fitting import fit
from raretag.training.heads import HEADS
from raretag.training.history import read_history
from raretag.training.learner import Learner, build_learner
from raretag.training.ledger_records import read_ledger
from raretag.training.methods import build_head
from raretag.training.precision import Precision
from raretag.training.run_folder import HISTORY, RESUME, read_json, write_json

if TYPE_CHECKING:
    from transformers import TrainerCallback

_RUNS = "runs.json"
_LIBRARIES = ("torch", "transformers", "numpy")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What one training is told: mechanisms that differ only in what becomes of its probabilities share it."""

    mechanisms: Mapping[str, Mechanism]
    marginals: tuple[float, ...]
    seed: int
    settings: LabSettings
    text: LabText
    encoder: str | None
    precision: Precision

    @property
    def name(self) -> str:
        """For people: the first mechanism, the probabilities, the seed."""
        return f"{next(iter(self.mechanisms))}, {shown_marginals(self.marginals)}, seed {self.seed}"

    @property
    def identity(self) -> dict[str, Any]:
        """All that its record depends on, but for the machine: options at their defaults and versions too."""
        settings = self.settings
        mechanism = next(iter(self.mechanisms.values()))
        told = settings.training(mechanism, seed=self.seed, epochs=1)
        return {
            "training": told.model_dump(mode="json", exclude={"precision", "checkpoint_seconds", "encoder"}),
            "options": {
                "objective": OBJECTIVES[told.objective.name]
                .options.model_validate(told.objective.options)
                .model_dump(),
                "sampler": SAMPLERS[told.sampler_name].options.model_validate(told.sampler.options).model_dump(),
                "head": HEADS[told.head.name].options.model_validate(told.head.options).model_dump(),
                "regularisers": {
                    name: REGULARISERS[name].options.model_validate(options).model_dump()
                    for name, options in told.regularisers.items()
                },
            },
            "readings": {
                name: one.model_dump(mode="json", include={"decision", "neighbours"})
                for name, one in self.mechanisms.items()
            },
            "model": settings.model,
            "design": settings.design,
            "marginals": list(self.marginals),
            "steps": settings.least_steps,
            "measurements": settings.measurements,
            "text": self.text.sha256,
            "encoder": self.encoder or settings.encoder,
            "precision": self.precision,
            "versions": {"raretag": raretag.__version__, **{name: version(name) for name in _LIBRARIES}},
        }

    @property
    def folder(self) -> str:
        """Its own name in the lab's folder; other settings have another."""
        digest = hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()
        first = next(iter(self.mechanisms)).replace("/", "-")
        # file systems take 255 bytes, and a name may be any text
        return f"{first}-{slug(self.marginals)}".encode()[:120].decode(errors="ignore") + f"-{self.seed}-{digest[:10]}"

    def finished(self, out: Path) -> list[Run] | None:
        """The runs that `out` holds of this training, None where it has not finished."""
        path = out / self.folder / _RUNS
        if not path.exists():
            return None
        try:
            runs = [Run.model_validate(run) for run in read_json(path)["runs"]]
            if [run.mechanism for run in runs] != list(self.mechanisms):
                raise ValueError("runs of other mechanisms")
            return runs
        except (DataError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                "the record of a finished training is damaged", remedy="Delete it and repeat the command", file=path
            ) from error

    def carry_out(
        self, out: Path, *, trainable: Trainable, design: Design, callbacks: Sequence[TrainerCallback]
    ) -> list[Run]:
        """Train, or go on training, and keep the runs in `out`: one for each mechanism, not yet judged.

        Raises DataError where training ends in no finite numbers.
        """
        folder = out / self.folder
        (folder / RESUME).mkdir(parents=True, exist_ok=True)
        drawn = design.draw(seed=self.seed)
        learner, steps = self._learner(trainable, design, drawn["training"])
        subject = Subject(
            learner=learner,
            trainable=trainable,
            design=design,
            drawn=drawn,
            precision=self.precision,
            seed=self.seed,
        )
        when = measured_steps(steps, number=self.settings.measurements)
        taken = fit(
            learner,
            out=folder,
            precision=self.precision,
            watchers=lambda history: [Measuring(subject, mechanisms=self.mechanisms, steps=set(when), history=history)],
            callbacks=callbacks,
        )
        runs = self._runs(subject, folder / HISTORY, steps=steps, seconds=taken.seconds)
        write_json(folder / _RUNS, {"runs": [run.model_dump(mode="json") for run in runs]})
        shutil.rmtree(folder / RESUME, ignore_errors=True)
        return runs

    def _learner(self, trainable: Trainable, design: Design, drawn: Drawn) -> tuple[Learner, int]:
        """A fresh learner, and how many steps it will take: whole epochs."""
        mechanism = next(iter(self.mechanisms.values()))
        schema = drawn_schema(
            drawn,
            labels=design.labels,
            scheme=self.settings.scheme,
            layered=HEADS[mechanism.head.name].method.layered,
        )
        dataset = trainable.parts["training"].labelled(tags_of(drawn, schema=schema))
        batches = len(pack(np.asarray(dataset.lengths, dtype=np.int64), tokens=self.settings.batch_tokens))
        epochs = math.ceil(self.settings.least_steps / batches)
        settings = self.settings.training(mechanism, seed=self.seed, epochs=epochs)
        head = build_head(settings, schema=schema)
        learner = build_learner(
            settings,
            model=trainable.build(head, seed=self.seed),
            head=head,
            data=TrainingData(schema=schema, dataset=dataset, findings=()),
            pad_id=trainable.pad_id,
        )
        return learner, epochs * batches

    def _runs(self, subject: Subject, history: Path, *, steps: int, seconds: float) -> list[Run]:
        records = [record[RECORD] for record in read_history(history) if RECORD in record]
        schema = subject.learner.data.schema
        restoring = Restoring.of(subject.learner)
        return [
            Run(
                mechanism=name,
                marginals=shown_marginals(self.marginals),
                seed=self.seed,
                labels=("O", *schema.labels),
                tokens={part: int(subject.judged(part).sum()) for part in PARTS},
                planted={part: tuple(subject.design.planted(part).tolist()) for part in PARTS},
                empirical={part: tuple(counted_shares(subject.tags(part), schema=schema).tolist()) for part in PARTS},
                effective_prior=tuple(
                    restoring.effective_shares(
                        votes=0.0 if mechanism.neighbours is None else mechanism.neighbours.weight
                    ).tolist()
                ),
                prior_is_unique=subject.learner.objective.prior_is_unique,
                steps=steps,
                seconds=round(seconds, 2),
                curve=tuple(Measurement.model_validate(record[name]) for record in records),
                ledger=_shares(history),
            )
            for name, mechanism in self.mechanisms.items()
        ]


def measured_steps(steps: int, *, number: int) -> list[int]:
    """At most `number` steps, the last among them, about equally far apart on a log scale."""
    return sorted({round(step) for step in np.geomspace(max(1, steps / 50), steps, number)} | {steps})[-number:]


def shown_marginals(marginals: Sequence[float]) -> str:
    """In per cent, as people write them: 60/25/10/4/1 %."""
    return "/".join(f"{100 * one:.6g}" for one in marginals) + " %"


def slug(marginals: Sequence[float]) -> str:
    """The same for a file's name: 60-25-10-4-1."""
    return "-".join(f"{100 * one:.6g}" for one in marginals)


def _shares(history: Path) -> Shares:
    """The ledger as a history holds it, undefined figures as None."""
    books = read_ledger(history)

    def rows(figures: npt.NDArray[np.float64]) -> tuple[tuple[float | None, ...], ...]:
        return tuple(tuple(float(x) if np.isfinite(x) else None for x in row) for row in figures)

    return Shares(
        labels=books.labels,
        steps=tuple(books.steps.tolist()),
        loss=rows(books.loss_share),
        gradient=rows(books.gradient_share),
        pull=rows(books.pull),
        push=rows(books.push),
    )
