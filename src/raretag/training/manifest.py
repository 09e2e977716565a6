"""What the manifest says: settings, data, split, software, hardware and time; never the text of a note."""

from __future__ import annotations

import hashlib
import os
import platform
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

import raretag
from raretag.corpus import Document
from raretag.corpus.splitting import Split
from raretag.objectives import CrossEntropy, objective
from raretag.tagging import EncoderSource
from raretag.training.dataset import TrainingData
from raretag.training.precision import fastest_precision
from raretag.training.settings import TrainSettings

_LIBRARIES = ("torch", "transformers", "accelerate", "tokenizers", "numpy")


def describe_start(
    split: Split, *, settings: TrainSettings, source: EncoderSource, data: TrainingData
) -> dict[str, Any]:
    """The manifest of a run that begins.

    `data` names every document of each part with the hash of its text. `prior` tells the tags' empirical probabilities
    in the training part and those that the objective's optimum has instead; the two agree for cross-entropy alone.
    """
    schema, chosen = data.schema, settings.objective
    loss = objective(chosen.name, counts=schema.tag_counts, groups=schema.groups, **chosen.options)
    empirical = CrossEntropy(schema.tag_counts)
    return {
        "raretag": raretag.__version__,
        "status": "training",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": settings.model_dump(mode="json"),
        "encoder": describe_encoder(source),
        "precision": fastest_precision() if settings.precision == "auto" else settings.precision,
        "data": describe_data(split),
        "prior": {
            "empirical": _by_tag(schema.tags, empirical.effective_prior()),
            "effective": _by_tag(schema.tags, loss.effective_prior()),
        },
        "training": {
            "windows": len(data.dataset),
            "tokens": sum(data.dataset.lengths),
            "mentions": sum(data.schema.mention_counts),
            "findings": dict(sorted(Counter(finding.rule for finding in data.findings).items())),
        },
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
        "hardware": {
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
        },
    }


def describe_data(split: Split) -> dict[str, Any]:
    """One hash over everything, and every document of each part with the hash of its text."""
    return {
        "sha256": _digest([*split.train, *split.validation, *split.test]),
        "train": _fingerprints(split.train),
        "validation": _fingerprints(split.validation),
        "test": _fingerprints(split.test),
    }


def describe_encoder(source: EncoderSource) -> dict[str, Any]:
    """The encoder's name and the hash of its weights, None for a hub id."""
    return {"name": source.name, "sha256": source.sha256}


def finish(start: dict[str, Any], *, seconds: float) -> dict[str, Any]:
    """The manifest of the same run once its model is saved."""
    return {
        **start,
        "status": "complete",
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
    }


def _by_tag(tags: Sequence[str], values: npt.NDArray[np.float64]) -> dict[str, float]:
    return {tag: round(float(value), 8) for tag, value in zip(tags, values, strict=True)}


def _fingerprints(documents: Sequence[Document]) -> dict[str, str]:
    return {document.id: document.fingerprint for document in documents}


def _digest(documents: Sequence[Document]) -> str:
    """One hash over texts and mentions, whatever the order of the documents."""
    rows = sorted(
        f"{document.id}\t{document.fingerprint}\t{sorted((m.label, m.parts) for m in document.mentions)}"
        for document in documents
    )
    return hashlib.sha256("\n".join(rows).encode("utf-8", "surrogatepass")).hexdigest()
