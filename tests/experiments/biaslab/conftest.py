"""Made-up notes cut once, subjects for measuring and short labs on them; what of two labs must be equal."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerFast, TrainerCallback

from raretag.corpus import Corpus, Document, Mention
from raretag.evaluation import Reading
from raretag.experiments import BiasLabResults, LabSettings
from raretag.experiments.biaslab.designs import Drawn, build_design, drawn_schema, tags_of
from raretag.experiments.biaslab.measuring import Measuring, Subject
from raretag.experiments.biaslab.mechanisms import Mechanism, named
from raretag.experiments.biaslab.models import CachedTokens, Trainable, bias_only, frozen
from raretag.experiments.biaslab.results import PARTS, PRIORS, READINGS, Cell, Measurement, Part, Prior, Run, Shares
from raretag.experiments.biaslab.text import Text, cut_text
from raretag.tagging import EncoderSource, load_tokenizer, resolve_encoder
from raretag.tagging.schema import Scheme
from raretag.training.dataset import TrainingData
from raretag.training.heads import HEADS
from raretag.training.history import History
from raretag.training.learner import build_learner
from raretag.training.methods import build_head
from raretag.training.model import tag_head

# words that are one token each, the frequent ones first
WORDS = ("the", "and", "patient", "has", "no", "daily", "mg", "in", "3", "a", "b", "twice", "fever", "é")
PHRASES = ("chest pain", "cough", "rash", "pain")
# windows of at most this many text tokens: two special ones are the encoder's
CAPACITY = 62


def make_note(number: int) -> Document:
    """Six lines of words, rarer the later they stand above; a phrase in every other line is a mention."""
    rng = np.random.default_rng([2, number])
    chances = 1 / np.arange(1, len(WORDS) + 1)
    text, mentions = "", []
    for line in range(6):
        words = [WORDS[n] for n in rng.choice(len(WORDS), int(rng.integers(4, 15)), p=chances / chances.sum())]
        text += " ".join(words)
        if line % 2:
            phrase = PHRASES[int(rng.integers(len(PHRASES)))]
            mentions.append(Mention(label="Any", start=len(text) + 1, end=len(text) + 1 + len(phrase)))
            text += f" {phrase}"
        text += "\n"
    return Document(id=f"note-{number:03}", text=text, mentions=tuple(mentions))


@pytest.fixture(scope="session", autouse=True)
def _quick_to_collect() -> Iterator[None]:
    """Each trainer collects garbage before it begins: all that was imported need not be looked through every time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def notes() -> Corpus:
    """320 notes of about 60 tokens."""
    return Corpus(documents=tuple(make_note(number) for number in range(320)), format="test")


@pytest.fixture(scope="session")
def source(tiny_encoder: Path) -> EncoderSource:
    return resolve_encoder(str(tiny_encoder))


@pytest.fixture(scope="session")
def tokenizer(source: EncoderSource) -> PreTrainedTokenizerFast:
    return load_tokenizer(source)


@pytest.fixture(scope="session")
def text(notes: Corpus, tokenizer: PreTrainedTokenizerFast, tiny_encoder: Path) -> Text:
    """All the notes: above 11,000 tokens to train on, above 5,000 held out."""
    settings = LabSettings(encoder=str(tiny_encoder), tokens=1_000_000)
    return cut_text(notes.documents, name="notes", tokenizer=tokenizer, capacity=CAPACITY, settings=settings)


@pytest.fixture(scope="session")
def small_text(notes: Corpus, tokenizer: PreTrainedTokenizerFast, tiny_encoder: Path) -> Text:
    """A few hundred tokens for what is trained only to see that it runs."""
    settings = LabSettings(encoder=str(tiny_encoder), tokens=600)
    return cut_text(notes.documents, name="notes", tokenizer=tokenizer, capacity=CAPACITY, settings=settings)


@pytest.fixture(scope="session")
def blank(text: Text) -> CachedTokens:
    """The bias-only model of all the notes."""
    return bias_only(text)


@pytest.fixture(scope="session")
def seen(small_text: Text, source: EncoderSource) -> CachedTokens:
    """The frozen model of the few."""
    return frozen(small_text, source=source, pad_id=0)


def make_subject(
    text: Text,
    trainable: Trainable,
    *,
    mechanism: str | Mechanism = "all-classes",
    design: str = "token",
    marginals: Sequence[float],
    drawn: Mapping[Part, Drawn] | None = None,
    scheme: Scheme = "IO",
    seed: int = 1,
) -> Subject:
    """What a measurement looks at, untrained; labels are drawn by the design unless they are given."""
    chosen = named(mechanism)[mechanism] if isinstance(mechanism, str) else mechanism
    settings = LabSettings.model_validate(
        {"mechanisms": {"chosen": chosen}, "scheme": scheme, "design": design, "batch_tokens": 128}
    )
    plan = build_design(design, text, marginals=marginals)
    drawn = plan.draw(seed=seed) if drawn is None else drawn
    schema = drawn_schema(
        drawn["training"], labels=plan.labels, scheme=scheme, layered=HEADS[chosen.head.name].method.layered
    )
    train = settings.training(chosen, seed=seed, epochs=1)
    head = build_head(train, schema=schema)
    dataset = trainable.parts["training"].labelled(tags_of(drawn["training"], schema=schema))
    learner = build_learner(
        train,
        model=trainable.build(head, seed=seed),
        head=head,
        data=TrainingData(schema=schema, dataset=dataset, findings=()),
        pad_id=trainable.pad_id,
    )
    return Subject(
        learner=learner,
        trainable=trainable,
        design=plan,
        drawn=drawn,
        precision="float32",
        seed=seed,
    )


def linear_of(model: PreTrainedModel) -> nn.Linear:
    """The model's last layer."""
    layer = tag_head(model)
    assert isinstance(layer, nn.Linear)
    return layer


def measure(subject: Subject, folder: Path, *, mechanisms: str = "all-classes", step: int = 0) -> Measurement:
    """The measurement of one mechanism, named like the group or preset that it is."""
    chosen = named(mechanisms)
    history = History(folder / "history.jsonl", step=0)
    return Measuring(subject, mechanisms=chosen, steps=set(), history=history).measured(step)[mechanisms]


def cell(measurement: Measurement, part: Part, reading: Reading, prior: Prior = "raw") -> Cell:
    """The one cell of the grid."""
    (found,) = [c for c in measurement.cells if (c.part, c.reading, c.prior) == (part, reading, prior)]
    return found


class Counting(TrainerCallback):
    """Counts trainings and steps; breaks off as a crash would, at a step of a training."""

    def __init__(self, *, stop: tuple[int, int] | None = None) -> None:
        """stop: the number of the training, from 1, and its step."""
        self.trainings = 0
        self.steps = 0
        self._stop = stop

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.trainings += 1

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.steps += 1
        if (self.trainings, state.global_step) == self._stop:
            raise KeyboardInterrupt


def timeless(results: BiasLabResults) -> dict[str, Any]:
    """Everything but the seconds."""
    content = results.model_dump(mode="json")
    for one in (*content["runs"], *content["summaries"]):
        del one["seconds"]
    return content


def make_measurement(
    step: int, *, memorised: float = 0.0, change: Mapping[Part, Any] | None = None, **figures: Any
) -> Measurement:
    """A measurement of two labels whose cells all say the same; `change` has what those of a part say instead."""
    plain = {
        "predicted": (0.8, 0.2), "tv": 0.1, "kl": 0.2, "relative_error": 0.3, "amplification": 1.4,
        "amplification_among_labels": None, "never_predicted": (), "p_value": 0.5, **figures,
    }  # fmt: skip
    cells = [
        Cell(part=part, reading=reading, prior=prior, **{**plain, **((change or {}).get(part, {}))})
        for part in PARTS
        for reading in READINGS
        for prior in PRIORS
    ]
    return Measurement(step=step, memorised=memorised, cells=tuple(cells))


def make_run(curve: Sequence[Measurement], **content: Any) -> Run:
    """A run of two labels, O and A."""
    nothing = Shares(labels=("O", "A"), steps=(), loss=(), gradient=(), pull=(), push=())
    return Run.model_validate(
        {
            "mechanism": "all-classes", "marginals": "70/30 %", "seed": 1, "labels": ("O", "A"),
            "tokens": {"training": 200, "held_out": 100},
            "planted": dict.fromkeys(PARTS, (0.7, 0.3)),
            "empirical": {"training": (0.72, 0.28), "held_out": (0.68, 0.32)},
            "effective_prior": (0.7, 0.3), "prior_is_unique": True, "steps": curve[-1].step, "seconds": 1.5,
            "curve": tuple(curve), "ledger": nothing, **content,
        }
    )  # fmt: skip
