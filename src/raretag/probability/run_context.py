"""What a calibrator may know of a run's training: priors from the manifest, the head from the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from raretag.errors import DataError
from raretag.probability.calibrators import Context
from raretag.probability.calibrators.base import from_tags
from raretag.training.run_folder import MODEL, RunFolder

_WEIGHTS = "model.safetensors"


def context_of(run: RunFolder) -> Context:
    """Priors, and the head where it is a plain softmax layer. Raises DataError where the run folder is damaged."""
    prior, schema = run.manifest.get("prior"), run.schema
    try:
        told: Any = prior
        empirical = from_tags(told["empirical"], schema=schema)
        effective = from_tags(told["effective"], schema=schema)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("the manifest tells no priors", remedy="Train again", file=run.path) from error
    # the heads of an ensemble are no one head
    weight, bias = (None, None) if run.further else _head(run)
    unique = told.get("unique") is not False
    return Context(empirical=empirical, effective=effective, weight=weight, bias=bias, unique=unique)


def _head(run: RunFolder) -> tuple[npt.NDArray[np.float64] | None, npt.NDArray[np.float64] | None]:
    file = run.path / MODEL / _WEIGHTS
    names = ("classifier.weight", "classifier.bias")
    try:
        with safe_open(file, framework="numpy") as tensors:
            if not set(names) <= set(tensors.keys()):
                return None, None
            weight, bias = (tensors.get_tensor(name).astype(np.float64) for name in names)
    except (OSError, SafetensorError) as error:
        raise DataError("the weights cannot be read", remedy="Train again", file=file) from error
    # other heads leave a classifier of another size beside their own file
    return (weight, bias) if len(bias) == len(run.schema.tags) and not run.schema.layered else (None, None)
