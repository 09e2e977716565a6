"""The grid, measured along training: parts by readings, raw and with the prior restored."""

# ruff: noqa: ARG002
# the signatures are Hugging Face's

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
import numpy.typing as npt
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from raretag.evaluation import fidelity, planted_p_value
from raretag.experiments.biaslab.designs import Design, Drawn, tags_of
from raretag.experiments.biaslab.mechanisms import Mechanism
from raretag.experiments.biaslab.models import Trainable
from raretag.experiments.biaslab.restoring import Restoring
from raretag.experiments.biaslab.results import PARTS, READINGS, Cell, Measurement, Part, Prior, Reading
from raretag.experiments.biaslab.shares import counted_shares, decided, expected_shares, information, sampled
from raretag.probability import Datastore, mixed
from raretag.tagging import IGNORE
from raretag.training.heads import to_probabilities
from raretag.training.history import History
from raretag.training.learner import Learner
from raretag.training.model import tag_head
from raretag.training.precision import Precision

if TYPE_CHECKING:
    from raretag.probability import NeighbourSettings

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Votes = npt.NDArray[np.float64]

RECORD: Final = "biaslab"
_CHUNK = 16384


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Everything that a measurement looks at: what learns, the text as it sees it, and the labels as drawn."""

    learner: Learner
    trainable: Trainable
    design: Design
    drawn: Mapping[Part, Drawn]
    precision: Precision
    seed: int
    simulations: int

    def judged(self, part: Part) -> npt.NDArray[np.bool_]:
        """bool (tokens,): where a tag tells the truth."""
        return np.asarray(self.drawn[part].outcomes != IGNORE)

    def tags(self, part: Part) -> Integers:
        """The gold tags of judged tokens, int64 (tokens,), or (tokens, labels) where labels are kept apart."""
        return tags_of(self.drawn[part], schema=self.learner.data.schema)[self.judged(part)]

    def documents(self, part: Part) -> Integers:
        """The document of each judged token, int64 (tokens,)."""
        return self.trainable.parts[part].documents[self.judged(part)]


@final
class Measuring(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """At chosen steps, write what each mechanism predicts into the history."""

    def __init__(
        self, subject: Subject, *, mechanisms: Mapping[str, Mechanism], steps: Set[int], history: History
    ) -> None:
        self._subject = subject
        self._mechanisms = mechanisms
        self._restoring = {
            name: Restoring.of(subject.learner, neighbours=one.neighbours) for name, one in mechanisms.items()
        }
        self._steps = steps
        self._history = history
        self._votes: dict[str, Mapping[Part, Votes]] = {}

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Measure if it is time."""
        if state.global_step in self._steps:
            found = self.measured(state.global_step)
            self._history.add(state, **{RECORD: {name: one.model_dump(mode="json") for name, one in found.items()}})

    def measured(self, step: int) -> dict[str, Measurement]:
        """What each mechanism predicts with the model as it is; `step` says when, for the record and for draws."""
        subject = self._subject
        found: dict[str, Measurement] = {}
        hidden = {
            part: subject.trainable.hidden(subject.learner.model, part, precision=subject.precision)[
                subject.judged(part)
            ]
            for part in PARTS
        }
        plain = {part: _probabilities(subject.learner, hidden[part]) for part in PARTS}
        for name, mechanism in self._mechanisms.items():
            raw = plain if mechanism.neighbours is None else self._mixed(name, mechanism.neighbours, plain, hidden)
            restored = {part: self._restoring[name].restored(raw[part]) for part in PARTS}
            versions: dict[Prior, Mapping[Part, Floats]] = {"raw": raw, "restored": restored}
            cells = [
                cell
                for prior, probabilities in versions.items()
                for part in PARTS
                for cell in self._cells(part, prior, probabilities[part], mechanism=mechanism, step=step)
            ]
            known = information(self._restoring[name].shifted(raw["training"]), subject.tags("training"))
            found[name] = Measurement(step=step, memorised=_rounded(known), cells=tuple(cells))
        return found

    def _mixed(
        self, name: str, settings: NeighbourSettings, plain: Mapping[Part, Floats], hidden: Mapping[Part, Floats]
    ) -> Mapping[Part, Floats]:
        """The model's probabilities with the votes of training tokens of other documents."""
        votes = self._votes.get(name) or self._voted(settings, hidden)
        if self._subject.trainable.fixed:
            self._votes[name] = votes
        return {part: mixed(plain[part], votes[part], weight=settings.weight) for part in PARTS}

    def _voted(self, settings: NeighbourSettings, hidden: Mapping[Part, Floats]) -> Mapping[Part, Votes]:
        subject = self._subject
        number = len(subject.learner.data.schema.tags)
        owners = subject.documents("training")
        store = Datastore(hidden["training"], subject.tags("training"), owners=owners)
        # where all tokens look alike, each is as near as any other: the vote is the store's shares
        if not hidden["training"].any():
            return {part: np.tile(store.shares(tags=number), (len(hidden[part]), 1)) for part in PARTS}
        return {
            "training": store.votes(hidden["training"], tags=number, settings=settings, owners=owners),
            "held_out": store.votes(hidden["held_out"], tags=number, settings=settings),
        }

    def _cells(
        self, part: Part, prior: Prior, probabilities: Floats, *, mechanism: Mechanism, step: int
    ) -> Iterator[Cell]:
        subject = self._subject
        schema, units = subject.learner.data.schema, subject.design.units[part]
        empirical = counted_shares(subject.tags(part), schema=schema)
        names = ("O", *schema.labels)
        planted = np.zeros(len(names))
        planted[subject.design.first :] = subject.design.probabilities
        fixed = np.zeros(len(names))
        fixed[0] = units.outside
        tokens = len(probabilities)
        # the draws of a reading depend on where they are made, not on what was measured before
        place = [subject.seed, step, PARTS.index(part), prior == "restored"]
        for reading in READINGS:
            predicted = self._predicted(reading, part, probabilities, mechanism=mechanism, place=place)
            found = fidelity(predicted, empirical, labels=names, tokens=tokens)
            yield Cell(
                part=part,
                reading=reading,
                prior=prior,
                predicted=tuple(_rounded(share) for share in found.predicted),
                tv=_rounded(found.tv),
                kl=_rounded(found.kl),
                relative_error=_rounded(found.relative_error),
                amplification=_defined(found.amplification),
                amplification_among_labels=_defined(found.amplification_among_labels),
                never_predicted=found.never_predicted,
                p_value=planted_p_value(
                    predicted,
                    empirical,
                    planted=planted,
                    sizes=units.sizes[units.sizes > 0],
                    reading=reading,
                    fixed=fixed,
                    simulations=subject.simulations,
                    seed=subject.seed,
                ),
            )

    def _predicted(
        self, reading: Reading, part: Part, probabilities: Floats, *, mechanism: Mechanism, place: list[int]
    ) -> npt.NDArray[np.float64]:
        schema = self._subject.learner.data.schema
        if reading == "soft":
            return expected_shares(probabilities, schema=schema)
        if reading == "sampled":
            return counted_shares(sampled(probabilities, rng=np.random.default_rng(place)), schema=schema)
        tags = decided(
            probabilities, decision=mechanism.decision, documents=self._subject.documents(part), schema=schema
        )
        return counted_shares(tags, schema=schema)


def _probabilities(learner: Learner, hidden: Floats) -> Floats:
    """What the head makes of hidden states: float32 (tokens, *shape of a token's tags)."""
    layer = tag_head(learner.model)
    was_training = layer.training
    layer.eval()
    with torch.inference_mode():
        pieces = [
            to_probabilities(layer(torch.from_numpy(hidden[start : start + _CHUNK]))).numpy()
            for start in range(0, len(hidden), _CHUNK)
        ]
    layer.train(was_training)
    return np.concatenate(pieces)


def _rounded(value: float) -> float:
    """Seven significant digits: what is written is what is read."""
    return float(f"{value:.7g}")


def _defined(value: float | None) -> float | None:
    return None if value is None else _rounded(value)
