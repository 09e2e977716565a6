"""Token masking, and both steps together: alike for the same seed, epoch and window."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from raretag.errors import UsageError
from raretag.tagging import IGNORE, SpecialTokens, build_schema
from raretag.training.augmentation import Augmentation, MentionReplacement, TokenMasking
from raretag.training.dataset import TaggedWindow
from raretag.training.methods import build_augmentation
from raretag.training.settings import TrainSettings

SPECIAL = SpecialTokens(prefix=np.array([1]), suffix=np.array([2]))
MASK = 4


def long_window(length: int = 400) -> TaggedWindow:
    ids = np.concatenate([[1], np.arange(10, 10 + length), [2]])
    labels = np.concatenate([[IGNORE], np.tile([1, 2, 0, 0], length // 4), [IGNORE]])
    return TaggedWindow(input_ids=ids, labels=labels)


def test_masking_hides_the_share_that_is_asked_for() -> None:
    mask, window = TokenMasking(mask_id=MASK, special=SPECIAL), long_window()
    rng = np.random.default_rng(0)
    made = [mask(window, share=0.2, rng=rng) for _ in range(400)]
    shares = np.array([(one.input_ids == MASK).mean() for one in made])
    assert shares.mean() == pytest.approx(0.2, abs=0.015)
    assert shares.min() < 0.02 < 0.38 < shares.max() < 0.5
    for one in made:
        assert (one.input_ids[0], one.input_ids[-1]) == (1, 2)
        assert np.array_equal(one.labels, window.labels)
        assert np.isin(one.input_ids, [*window.input_ids, MASK]).all()


def test_a_form_depends_on_seed_epoch_and_window_alone() -> None:
    window = long_window(40)
    schema = build_schema(["A"])

    def made(*, seed: int = 0, epoch: int = 0, index: int = 0) -> tuple[int, ...]:
        augment = Augmentation(
            replacement=MentionReplacement([window], schema=schema, most_tokens=99),
            replacement_chance=0.5,
            masking=TokenMasking(mask_id=MASK, special=SPECIAL),
            masked_share=0.2,
            seed=seed,
        )
        return tuple(int(token) for token in augment(window, epoch=epoch, index=index).input_ids)

    assert made() == made()
    assert len({made(seed=a, epoch=b, index=c) for a in (0, 1) for b in (0, 1) for c in (0, 1)}) == 8


_ENCODING = SimpleNamespace(ids=(1, 10, 2), special_tokens_mask=(1, 0, 1))
# a tokenizer without a mask token, as far as it is asked
_NO_MASK: Any = SimpleNamespace(mask_token_id=None, backend_tokenizer=SimpleNamespace(encode=lambda _: _ENCODING))
_NO_DATA: Any = None


def test_masking_without_a_mask_token_is_refused() -> None:
    settings = TrainSettings.model_validate({"augmentation": {"masking": 0.1}})
    with pytest.raises(UsageError, match="has none"):
        build_augmentation(settings, data=_NO_DATA, tokenizer=_NO_MASK, capacity=9)
    assert build_augmentation(TrainSettings(), data=_NO_DATA, tokenizer=_NO_MASK, capacity=9) is None


def test_replacement_is_refused_where_labels_are_kept_apart() -> None:
    with pytest.raises(ValidationError, match="keeps"):
        TrainSettings.model_validate({"augmentation": {"replacement": 0.5}, "head": {"name": "per-label"}})
