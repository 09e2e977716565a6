"""From a run folder's model back to something that judges documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from raretag.tagging import EncoderSource, Schema, WindowSettings, capacity, load_tokenizer
from raretag.training.heads import load_model
from raretag.training.inference import Predictor
from raretag.training.model import position_limit
from raretag.training.precision import chosen_precision
from raretag.training.trainer import quiet


def load_predictor(folder: Path, *, manifest: dict[str, Any], schema: Schema) -> Predictor:
    """Load weights and tokenizer. Where the settings name no number format, it is chosen for this machine.

    Raises DataError where the model's tags are not the schema's.
    """
    quiet()
    model, _ = load_model(folder, schema=schema)
    tokenizer = load_tokenizer(EncoderSource(name=folder.name, location=str(folder), sha256=None))
    windows = WindowSettings.model_validate(manifest["settings"]["windows"])
    return Predictor(
        model=model.eval(),
        tokenizer=tokenizer,
        windows=windows,
        capacity=capacity(windows, tokenizer=tokenizer, positions=position_limit(model.config)),
        precision=chosen_precision(manifest["settings"].get("precision", "auto")),
    )
