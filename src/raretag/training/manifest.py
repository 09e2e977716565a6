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

import torch

import raretag
from raretag.corpus import Document
from raretag.corpus.splitting import Split
from raretag.tagging import EncoderSource
from raretag.training.dataset import TrainingData
from raretag.training.precision import Precision
from raretag.training.settings import TrainSettings

_LIBRARIES = ("torch", "transformers", "accelerate", "tokenizers", "numpy")


def describe_start(
    split: Split, *, settings: TrainSettings, source: EncoderSource, precision: Precision, data: TrainingData
) -> dict[str, Any]:
    """The manifest of a run that begins; `data` names every document of each part with its sha256."""
    return {
        "raretag": raretag.__version__,
        "status": "training",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": settings.model_dump(mode="json"),
        "encoder": {"name": source.name, "sha256": source.sha256},
        "precision": precision,
        "data": {
            "sha256": _digest([*split.train, *split.validation, *split.test]),
            "train": _fingerprints(split.train),
            "validation": _fingerprints(split.validation),
            "test": _fingerprints(split.test),
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


def finish(start: dict[str, Any], *, seconds: float) -> dict[str, Any]:
    """The manifest of the same run once its model is saved."""
    return {
        **start,
        "status": "complete",
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
    }


def _fingerprints(documents: Sequence[Document]) -> dict[str, str]:
    return {document.id: document.fingerprint for document in documents}


def _digest(documents: Sequence[Document]) -> str:
    """One hash over texts and mentions, whatever the order of the documents."""
    rows = sorted(
        f"{document.id}\t{document.fingerprint}\t{sorted((m.label, m.parts) for m in document.mentions)}"
        for document in documents
    )
    return hashlib.sha256("\n".join(rows).encode("utf-8", "surrogatepass")).hexdigest()
