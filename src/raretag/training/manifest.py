"""What the manifest says: settings, data, split, software, hardware and time; never the text of a note."""

from __future__ import annotations

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
from raretag.corpus.fingerprints import fingerprints, gold_hash
from raretag.corpus.splitting import Split
from raretag.options import Options
from raretag.tagging import EncoderSource, Schema
from raretag.training.dataset import TrainingData
from raretag.training.precision import chosen_precision
from raretag.training.second_stage import Retrained
from raretag.training.settings import TrainSettings

_LIBRARIES = ("torch", "transformers", "accelerate", "tokenizers", "numpy")


def describe_start(
    split: Split,
    *,
    settings: TrainSettings,
    source: EncoderSource,
    data: TrainingData,
    prior: npt.NDArray[np.float64],
    unique: bool,
) -> dict[str, Any]:
    """The manifest of a run that begins.

    `data` names every document of each part with the hash of its text. `prior` tells the tags' empirical probabilities
    in the training part, and `prior`, those that the optimum of objective and sampler has instead: by tag, or by label
    and its own tags where labels are kept apart. `unique` is false where that optimum is one of many.
    """
    schema = data.schema
    counts = schema.label_tag_counts if schema.layered else np.asarray(schema.tag_counts)
    return {
        "raretag": raretag.__version__,
        "status": "training",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": settings.model_dump(mode="json"),
        "encoder": describe_encoder(source),
        "precision": chosen_precision(settings.precision),
        "data": describe_data(split),
        "prior": {
            "empirical": _by_tag(schema, counts / counts.sum(axis=-1, keepdims=True)),
            "effective": _by_tag(schema, prior),
            "unique": unique,
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
        "sha256": gold_hash([*split.train, *split.validation, *split.test]),
        "train": fingerprints(split.train),
        "validation": fingerprints(split.validation),
        "test": fingerprints(split.test),
    }


def describe_encoder(source: EncoderSource) -> dict[str, Any]:
    """The encoder's name and its hash as `EncoderSource` has it."""
    return {"name": source.name, "sha256": source.sha256}


def describe_second_stage(
    start: dict[str, Any], made: Retrained, *, schema: Schema, name: str, options: Options, seed: int
) -> dict[str, Any]:
    """The manifest of a run whose head was made anew: the effective prior is the new head's.

    It is known from a formula or, where there is none, measured on the training tokens.
    """
    measured = _by_tag(schema, made.measured)
    told = {
        "name": name,
        "options": options.model_dump(mode="json"),
        "seed": seed,
        "seconds": round(made.seconds, 1),
        "known_from": "formula" if made.closed_form else "measure",
        "measured": measured,
    }
    return {
        **start,
        "prior": {**start.get("prior", {}), "effective": _by_tag(schema, made.prior), "unique": made.unique},
        "second_stage": told,
    }


def finish(start: dict[str, Any], *, steps: int, seconds: float, peak_mib: int) -> dict[str, Any]:
    """The manifest of the same run once its model is saved. steps, seconds, and the most memory: of all its models."""
    return {
        **start,
        "status": "complete",
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "steps": steps,
        "seconds": round(seconds, 1),
        "peak_mib": peak_mib,
    }


def _by_tag(schema: Schema, values: npt.NDArray[np.float64]) -> dict[str, Any]:
    """`values` (tags,), or (labels, tags of a label), under their names."""
    if schema.layered:
        names = ("O", "B", "I") if schema.scheme == "BIO" else ("O", "I")
        return {label: _rounded(names, row) for label, row in zip(schema.labels, values, strict=True)}
    return _rounded(schema.tags, values)


def _rounded(names: Sequence[str], values: npt.NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(value), 8) for name, value in zip(names, values, strict=True)}
