"""The negative log-likelihood of gold under scaled and shifted logits, its gradient, and its minimum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from raretag.probability.calibrators.rows import Rows

Array = npt.NDArray[np.float64]

# cells that are held at once beside the rows themselves: 2 MiB as float64, which stays in cache
_CELLS: Final = 2**18
_ITERATIONS: Final = 300
# the slope, in tokens, at which a minimum is taken for found
_SLOPE: Final = 1e-3
_LEAST: Final = float(np.finfo(np.float64).tiny)


def negative_log_likelihood(rows: Rows, *, scales: Array, biases: Array) -> tuple[float, Array, Array]:
    """−Σ log softmax(a∘z + b)[gold] in nats, and its derivatives by a and b; all float64 (layers, tags).

    Holds nothing of the size of the rows. Time is one exponential a cell.
    """
    # gold enters by sums that do not depend on the parameters but linearly
    counts, sums = rows.counts, rows.gold_sums
    value = -float((scales * sums + biases * counts).sum())
    by_scale, by_bias = -sums, -counts
    for part, p, logs in _softmax(rows, scales=scales, biases=biases):
        value += float((rows.weights[part] * logs).sum())
        p *= rows.weights[part][..., None]
        by_bias += p.sum(axis=0)
        p *= rows.z[part]
        by_scale += p.sum(axis=0)
    return value, by_scale, by_bias


def expected_counts(rows: Rows, *, biases: Array) -> Array:
    """Σ softmax(z + b) over the rows that count, float64 (layers, tags)."""
    found = np.zeros(rows.z.shape[1:])
    for part, p, _ in _softmax(rows, scales=np.ones_like(found), biases=biases):
        found += (p * rows.weights[part][..., None]).sum(axis=0)
    return found


def likeliest_counts(rows: Rows, *, biases: Array) -> Array:
    """How often each tag is the likeliest under softmax(z + b), float64 (layers, tags), in the rows that count."""
    found, step = np.zeros(rows.z.shape[1:], dtype=np.float64), _step(rows)
    layers, tags = rows.z.shape[1:]
    cells = np.arange(layers) * tags
    for first in range(0, len(rows), step):
        part = slice(first, first + step)
        logits = np.where(rows.shut[part], -np.inf, rows.z[part] + biases)
        places = (cells + logits.argmax(axis=2)).ravel()
        found += np.bincount(places, weights=rows.weights[part].ravel(), minlength=found.size).reshape(found.shape)
    return found


def curvature(rows: Rows) -> tuple[Array, Array]:
    """Σ p (1 − p) z² and Σ p (1 − p), float64 (layers, tags): the second derivatives by a and b at a = 1, b = 0."""
    by_scale, by_bias = np.zeros(rows.z.shape[1:]), np.zeros(rows.z.shape[1:])
    for part, p, _ in _softmax(rows, scales=np.ones_like(by_bias), biases=np.zeros_like(by_bias)):
        spread = p * (1 - p) * rows.weights[part][..., None]
        by_bias += spread.sum(axis=0)
        by_scale += (spread * rows.z[part] ** 2).sum(axis=0)
    return by_scale, by_bias


def minimum(
    loss: Callable[[Array], tuple[float, Array]], *, start: Array, curvatures: Array, bounds: list[tuple[float, float]]
) -> Array:
    """Where `loss`, which gives its value and gradient, is least: L-BFGS-B on parameters in units of 1/√curvature.

    Never worse than `start`. All float64 (parameters,).
    """
    units = np.sqrt(np.maximum(curvatures, 1e-3))

    def scaled(parameters: Array) -> tuple[float, Array]:
        value, slope = loss(parameters / units)
        return value, slope / units

    limits = [(low * unit, high * unit) for (low, high), unit in zip(bounds, units.tolist(), strict=True)]
    options = {
        "maxiter": _ITERATIONS,
        "maxcor": 20,
        "ftol": 1e-13,
        "gtol": _SLOPE / max(1.0, float(units.max(initial=1))),
    }
    result: Any = minimize(scaled, start * units, jac=True, method="L-BFGS-B", bounds=limits, options=options)
    return np.asarray(result.x / units, dtype=np.float64)


def _softmax(rows: Rows, *, scales: Array, biases: Array) -> Iterator[tuple[slice, Array, Array]]:
    """Block by block: which rows, softmax(a∘z + b) and the log of what it was normalised by."""
    step = _step(rows)
    any_shut = bool(rows.shut.any())
    for first in range(0, len(rows), step):
        part = slice(first, first + step)
        p = rows.z[part] * scales + biases
        if any_shut:
            p[rows.shut[part]] = -np.inf
        largest = p.max(axis=2, keepdims=True)
        # a row of nothing but shut tags has no weight, and must not turn the sums into NaN
        largest[np.isneginf(largest)] = 0.0
        p -= largest
        np.exp(p, out=p)
        norm = np.maximum(p.sum(axis=2, keepdims=True), _LEAST)
        p /= norm
        yield part, p, (largest + np.log(norm))[..., 0]


def _step(rows: Rows) -> int:
    """How many rows are looked at together."""
    _, layers, tags = rows.z.shape
    return max(1, _CELLS // max(1, int(layers * tags)))
