"""Evidence whose truth is known: tags drawn from true probabilities, which are then distorted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from raretag.probability import Evidence, Scores
from raretag.probability.calibrators import Calibration, Context
from raretag.tagging import IGNORE, Schema, Tokens, build_schema

Array = npt.NDArray[np.float64]
LABELS = ("Often", "Seldom", "Rare")


@dataclass(frozen=True)
class World:
    """Tokens with their true tag probabilities, float64 (tokens, *shape), and tags drawn from them."""

    schema: Schema
    truth: Array
    tags: npt.NDArray[np.int64]
    hidden: npt.NDArray[np.float32]
    context: Context

    def evidence(self, p: Array | None = None, *, tags: npt.NDArray[np.int64] | None = None) -> Evidence:
        """Evidence with probabilities p (the true ones if None)."""
        return Evidence(
            schema=self.schema,
            probabilities=(self.truth if p is None else p).astype(np.float32),
            tags=self.tags if tags is None else tags,
            owners=np.arange(len(self.truth)) // 50,
            hidden=self.hidden,
        )

    def apply(self, fitted: Calibration, p: Array | None = None) -> npt.NDArray[np.float32]:
        """Calibrated probabilities of the same tokens."""
        p = self.truth if p is None else p
        n = len(p)
        ids = np.full(n, -1, dtype=np.int64)
        tokens = Tokens(ids=ids, starts=np.arange(n), ends=np.arange(n) + 1)
        scores = Scores(document="a", tokens=tokens, probabilities=p.astype(np.float32), hidden=self.hidden)
        return fitted.apply(scores, schema=self.schema).probabilities

    def loss(self, p: npt.NDArray[Any]) -> float:
        """Mean negative log-likelihood of the tags that tell the truth."""
        judged = self.tags != IGNORE
        gold = np.take_along_axis(p, np.maximum(self.tags, 0)[..., None], axis=-1)[..., 0]
        return float(-np.log(np.maximum(gold[judged], 1e-30)).mean())


def normalised(odds: Array) -> Array:
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


def make_world(kind: str, *, tokens: int = 2000, seed: int = 0, ignored: float = 0.1, signal: float = 1.0) -> World:
    """kind: `BIO`, `IO`, or `layered`, whose heads hold no weights. A width of 6 explains tags by `signal`."""
    layered, scheme = kind == "layered", "IO" if kind == "IO" else "BIO"
    schema = build_schema(LABELS, scheme=scheme, mention_counts=(900, 120, 8), layered=layered)  # type: ignore[arg-type]
    rng = np.random.default_rng(seed)
    shape = schema.shape
    weight = signal * rng.normal(size=(*shape, 6)) * np.linspace(1.5, 0.5, shape[-1])[:, None]
    bias = np.linspace(1.0, -1.5, shape[-1]) * np.ones(shape)
    hidden = rng.normal(size=(tokens, 6)).astype(np.float32)
    logits = np.einsum("tw,...w->t...", hidden.astype(np.float64), weight) + bias
    truth = normalised(np.exp(logits))
    tags = (rng.random((*truth.shape[:-1], 1)) > truth.cumsum(axis=-1)).sum(axis=-1).clip(max=shape[-1] - 1)
    context = Context(
        empirical=truth.mean(axis=0),
        effective=normalised(truth.mean(axis=0) ** 0.5),
        weight=None if layered else weight,
        bias=None if layered else bias,
    )
    tags[rng.random(tags.shape) < ignored] = IGNORE
    return World(schema=schema, truth=truth, tags=tags, hidden=hidden, context=context)


@pytest.fixture(scope="session")
def world() -> Callable[..., World]:
    return make_world
