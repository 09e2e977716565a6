"""The tokenizers that the tests of this room share."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from raretag.tagging import load_tokenizer, resolve_encoder


@pytest.fixture(scope="session")
def wordpiece(tiny_encoder: Path) -> PreTrainedTokenizerFast:
    """Words and their pieces, as BERT has them."""
    return load_tokenizer(resolve_encoder(str(tiny_encoder)))


@pytest.fixture(scope="session")
def bytewise() -> PreTrainedTokenizerFast:
    """One token a byte, as RoBERTa has for rare characters: several tokens share one character."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["<s>", "</s>", "<pad>"]
    vocabulary = {piece: n for n, piece in enumerate([*special, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    backend = Tokenizer(models.BPE(vocabulary, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", pad_token="<pad>")


@pytest.fixture(scope="session", params=["wordpiece", "bytewise"])
def tokenizer(request: pytest.FixtureRequest) -> PreTrainedTokenizerFast:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, PreTrainedTokenizerFast)
    return found
