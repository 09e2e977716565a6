"""All that is settled before the first step of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from raretag.corpus import Corpus, Document
from raretag.corpus.splitting import Split
from raretag.errors import DataError
from raretag.tagging import EncoderSource, capacity, load_tokenizer, resolve_encoder
from raretag.training.dataset import prepare
from raretag.training.heads import HEADS
from raretag.training.learner import Learner, build_learner
from raretag.training.methods import build_augmentation, build_head
from raretag.training.model import build_model, load_config, position_limit
from raretag.training.settings import TrainSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that is settled before the first step; the same corpus and settings give the same plan."""

    source: EncoderSource
    split: Split
    tokenizer: PreTrainedTokenizerFast
    capacity: int
    learner: Learner


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
        layered=HEADS[settings.head.name].method.layered,
    )
    if not data.schema.seen[1:].any():
        raise DataError(
            "no mention of the training documents can be expressed by tags",
            remedy="Look at the Findings that raretag inspect lists",
        )
    head = build_head(settings, schema=data.schema)
    return Plan(
        source=source,
        split=split,
        tokenizer=tokenizer,
        capacity=room,
        learner=build_learner(
            settings,
            model=build_model(source, head=head, seed=settings.seed),
            head=head,
            data=data,
            pad_id=tokenizer.pad_token_id or 0,
            augmentation=build_augmentation(settings, data=data, tokenizer=tokenizer, capacity=room),
        ),
    )


def _check_mentions(documents: Sequence[Document]) -> None:
    if not documents:
        raise DataError("no document is left for training", remedy="Lower split.test and split.validation")
    if not any(document.mentions for document in documents):
        raise DataError(
            f"the {len(documents)} training documents hold no mention at all",
            remedy="Check that the annotations lie beside the texts and which Findings raretag inspect lists",
        )
