"""A corpus so small that a tiny encoder trains on it in a second; a training broken off; what a run has learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from transformers import TrainerCallback

from raretag.corpus import Corpus, Document, Mention
from raretag.training import RunFolder
from raretag.training.settings import TrainSettings

LINES = ("the patient has fever and cough", "no rash", "pain in chest twice daily", "3 mg daily")
LABELS = {"fever": "Symptom", "cough": "Symptom", "rash": "Rare-sign", "chest": "Site", "3 mg": "Dose"}


def _document(number: int) -> Document:
    lines = [LINES[(number + shift) % len(LINES)] for shift in range(2)]
    text = "\n".join(lines)
    mentions = tuple(
        Mention(label=label, start=text.index(word), end=text.index(word) + len(word))
        for word, label in LABELS.items()
        if word in text
    )
    # the number makes every text its own
    return Document(id=f"note-{number:02}", text=f"{text}\n{number}", mentions=mentions)


@pytest.fixture
def small_corpus() -> Corpus:
    """Twenty notes of three lines, five labels' words, one label with a dash in its name."""
    return Corpus(documents=tuple(_document(number) for number in range(20)), format="test")


@pytest.fixture
def small_settings(tiny_encoder: Path) -> dict[str, Any]:
    """Settings for a run of a second or two, as a file would hold them."""
    return {
        "encoder": str(tiny_encoder),
        "precision": "float32",
        "optimiser": {"epochs": 3, "batch_tokens": 64, "learning_rate": 0.01},
    }


@pytest.fixture
def settings(small_settings: dict[str, Any]) -> TrainSettings:
    """The same as an object."""
    return TrainSettings.model_validate(small_settings)


class StopAt(TrainerCallback):
    """Break off training as a crash would, after a given step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == self.step:
            raise KeyboardInterrupt


def weights(run: RunFolder) -> dict[str, np.ndarray[Any, Any]]:
    """All weights of the run's model, also of a head that is kept beside the encoder."""
    folder = run.path / "model"
    head = folder / "head.safetensors"
    return {**load_file(folder / "model.safetensors"), **(load_file(head) if head.exists() else {})}
