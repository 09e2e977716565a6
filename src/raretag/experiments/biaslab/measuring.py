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

from raretag.evaluation import Reading, fidelity
from raretag.experiments.biaslab.designs import Design, Drawn, tags_of
from raretag.experiments.biaslab.mechanisms import Mechanism
from raretag.experiments.biaslab.models import Trainable
from raretag.experiments.biaslab.restoring import Restoring
from raretag.experiments.biaslab.results import PARTS, READINGS, Cell, Measurement, Part, Prior
from raretag.experiments.biaslab.shares import by_label, counted_shares, decided, information, sampled
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
# planted shares nearer than this factor have no slope
_APART: Final = 1.2
# random streams end on a role of their own: one that another begins with would be the same stream
SAMPLED: Final = 2


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

    def judged(self, part: Part) -> npt.NDArray[np.bool_]:
        """bool (tokens,): where a tag tells the truth."""
        return np.asarray(self.drawn[part].outcomes != IGNORE)

    def tags(self, part: Part) -> Integers:
        """The gold tags of judged tokens, int64 (tokens,), or (tokens, labels) where labels are kept apart."""
        return tags_of(self.drawn[part], schema=self.learner.data.schema)[self.judged(part)]

    def outcomes(self, part: Part) -> Integers:
        """The label of each judged token, int64 (tokens,), 0 for `O`."""
        return self.drawn[part].outcomes[self.judged(part)]

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
        self._restoring = Restoring.of(subject.learner)
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
        restored = {part: self._restoring.restored(plain[part]) for part in PARTS}
        shifted = {part: self._restoring.shifted(plain[part]) for part in PARTS}
        for name, mechanism in self._mechanisms.items():
            votes = None if mechanism.neighbours is None else self._voted(name, mechanism.neighbours, hidden)
            versions: dict[Prior, Mapping[Part, Floats]] = {
                # votes have the empirical prior already, so that the model's alone is restored
                "raw": _with(votes, plain, mechanism.neighbours),
                "restored": _with(votes, restored, mechanism.neighbours),
            }
            cells = [
                cell
                for prior, probabilities in versions.items()
                for part in PARTS
                for cell in self._cells(part, prior, probabilities[part], mechanism=mechanism, step=step)
            ]
            known = self._known(_with(votes, shifted, mechanism.neighbours)["training"])
            found[name] = Measurement(step=step, memorised=_rounded(known), cells=tuple(cells))
        return found

    def _known(self, probabilities: Floats) -> float:
        """What probabilities on the training part tell of the labels that were drawn, see `Measurement`."""
        subject = self._subject
        outcomes, first = subject.outcomes("training"), subject.design.first
        drawn = outcomes >= first
        shares = by_label(probabilities[drawn], schema=subject.learner.data.schema)[:, first:]
        totals = shares.sum(axis=1, keepdims=True)
        shares = np.where(totals > 0, shares, 1.0) / np.where(totals > 0, totals, shares.shape[1])
        return information(shares, outcomes[drawn] - first)

    def _voted(self, name: str, settings: NeighbourSettings, hidden: Mapping[Part, Floats]) -> Mapping[Part, Votes]:
        """The votes of training tokens of other documents; where hidden states stay the same, so do they."""
        if name not in self._votes or not self._subject.trainable.fixed:
            self._votes[name] = self._counted(settings, hidden)
        return self._votes[name]

    def _counted(self, settings: NeighbourSettings, hidden: Mapping[Part, Floats]) -> Mapping[Part, Votes]:
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
        schema = subject.learner.data.schema
        empirical = counted_shares(subject.tags(part), schema=schema)
        names = ("O", *schema.labels)
        tokens, planted = len(probabilities), subject.design.planted(part)
        # the draws of a reading depend on where they are made, not on what was measured before
        place = [subject.seed, step, PARTS.index(part), int(prior == "restored"), SAMPLED]
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
                amplification=_defined(found.amplification, planted=planted),
                amplification_among_labels=_defined(found.amplification_among_labels, planted=planted[1:]),
                never_predicted=found.never_predicted,
            )

    def _predicted(
        self, reading: Reading, part: Part, probabilities: Floats, *, mechanism: Mechanism, place: list[int]
    ) -> npt.NDArray[np.float64]:
        schema = self._subject.learner.data.schema
        if reading == "soft":
            return np.asarray(by_label(probabilities, schema=schema).mean(axis=0))
        if reading == "sampled":
            return sampled(by_label(probabilities, schema=schema), rng=np.random.default_rng(place))
        tags = decided(
            probabilities, decision=mechanism.decision, documents=self._subject.documents(part), schema=schema
        )
        return counted_shares(tags, schema=schema)


def _probabilities(learner: Learner, hidden: Floats) -> Floats:
    """What the head makes of hidden states: float32 (tokens, *shape of a token's tags)."""
    layer = tag_head(learner.model)
    device, was_training = learner.model.device, layer.training
    layer.eval()
    with torch.inference_mode():
        pieces = [
            to_probabilities(layer(torch.from_numpy(hidden[start : start + _CHUNK]).to(device))).cpu().numpy()
            for start in range(0, len(hidden), _CHUNK)
        ]
    layer.train(was_training)
    return np.concatenate(pieces)


def _with(
    votes: Mapping[Part, Votes] | None, probabilities: Mapping[Part, Floats], settings: NeighbourSettings | None
) -> Mapping[Part, Floats]:
    """Probabilities with the votes of neighbours mixed in, if there are any."""
    if votes is None or settings is None:
        return probabilities
    return {part: mixed(probabilities[part], votes[part], weight=settings.weight) for part in PARTS}


def _rounded(value: float) -> float:
    """Seven significant digits: what is written is what is read."""
    return float(f"{value:.7g}")


def _defined(slope: float | None, *, planted: npt.NDArray[np.float64]) -> float | None:
    """A slope over planted shares, None where these are about equal: then it is that of noise over noise."""
    return None if slope is None or planted.max() < _APART * planted.min() else _rounded(slope)
