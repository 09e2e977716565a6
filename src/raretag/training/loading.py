"""From a run folder's model back to something that judges documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForTokenClassification

from raretag.errors import DataError
from raretag.tagging import EncoderSource, WindowSettings, capacity, load_tokenizer
from raretag.training.inference import Predictor
from raretag.training.model import position_limit
from raretag.training.precision import fastest_precision
from raretag.training.trainer import quiet


def load_predictor(folder: Path, *, manifest: dict[str, Any], tags: tuple[str, ...]) -> Predictor:
    """Load weights and tokenizer. The number format is chosen for this machine, not the one that trained.

    Raises DataError where the model's tags are not the schema's.
    """
    quiet()
    model = AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    if tuple(model.config.id2label[number] for number in sorted(model.config.id2label)) != tags:
        raise DataError("the model's tags differ from the schema's", remedy="Train again", file=folder)
    tokenizer = load_tokenizer(EncoderSource(name=folder.name, location=str(folder), sha256=None))
    windows = WindowSettings.model_validate(manifest["settings"]["windows"])
    return Predictor(
        model=model.eval(),
        tokenizer=tokenizer,
        windows=windows,
        capacity=capacity(windows, tokenizer=tokenizer, positions=position_limit(model.config)),
        precision=fastest_precision(),
    )
