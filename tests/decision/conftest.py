"""Small documents to decide about: tokens of three characters with a blank between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
import pytest

from raretag.corpus import Document, Mention
from raretag.decision.costs import Costs
from raretag.decision.decided import Decision
from raretag.decision.scheduling import best_together
from raretag.decision.stretches import decided
from raretag.probability import Candidates, Scores
from raretag.tagging import Schema, Tokens, build_schema


@final
class Make:
    """Makes small documents, their candidates and costs."""

    @staticmethod
    def scored(p: npt.NDArray[np.float64]) -> Scores:
        """A document of `p`, (tokens, *schema.shape)."""
        starts = 4 * np.arange(len(p), dtype=np.int64)
        tokens = Tokens(ids=np.full(len(p), -1, dtype=np.int64), starts=starts, ends=starts + 3)
        return Scores(document="a", tokens=tokens, probabilities=p.astype(np.float32))

    @staticmethod
    def of_rows(rows: Sequence[tuple[int, int, int, float]], *, tokens: int, document: str = "a") -> Candidates:
        """Candidates from (label, first, last, probability)."""
        table = np.array(sorted(rows, key=lambda row: (row[1], row[2], row[0])), dtype=np.float64).reshape(-1, 4)
        labels, firsts, lasts = table[:, :3].T.astype(np.int64)
        return Candidates(
            document=document,
            tokens=tokens,
            characters=(0, max(0, 4 * tokens - 1)),
            labels=labels,
            firsts=firsts,
            lasts=lasts,
            starts=4 * firsts,
            ends=4 * lasts + 3,
            probabilities=table[:, 3],
        )

    @staticmethod
    def span(label: str, first: int, last: int) -> Mention:
        """A mention of whole tokens."""
        return Mention(label=label, start=4 * first, end=4 * last + 3)

    @staticmethod
    def random_candidates(rng: np.random.Generator, *, labels: int, tokens: int, number: int) -> Candidates:
        """Different candidates whose probabilities sum to less than 1 on every token."""
        rows = {}
        for _ in range(number):
            first = int(rng.integers(tokens))
            last = min(tokens - 1, first + int(rng.integers(3)))
            rows[int(rng.integers(labels)), first, last] = float(rng.random())
        crowd = np.zeros(tokens)
        for (_, first, last), p in rows.items():
            crowd[first : last + 1] += p
        scale = max(1.0, float(crowd.max(initial=0.0)))
        return Make.of_rows([(*key, p / scale) for key, p in rows.items()], tokens=tokens)

    @staticmethod
    def mixed_candidates(rng: np.random.Generator, *, tokens: int, number: int, longest: int) -> Candidates:
        """Sure candidates of two labels among doubtful ones, up to `longest` tokens each."""
        rows = {}
        for _ in range(number):
            first = int(rng.integers(tokens))
            last = min(tokens - 1, first + int(rng.integers(longest)))
            sure, doubtful = float(rng.uniform(0.6, 0.95)), float(rng.uniform(0.01, 0.3))
            rows[int(rng.integers(2)), first, last] = sure if rng.random() < 0.5 else doubtful
        crowd = np.zeros(tokens)
        for (_, first, last), p in rows.items():
            crowd[first : last + 1] += p
        return Make.of_rows(
            [(*key, p / max(1.0, float(crowd[key[1] : key[2] + 1].max()))) for key, p in rows.items()], tokens=tokens
        )

    @staticmethod
    def random_costs(rng: np.random.Generator, schema: Schema, *, wrong: bool, review: float | None) -> Costs:
        """Costs of their own for every label."""
        labels = {
            label: {"miss": float(rng.uniform(1, 10)), "false_alarm": float(rng.uniform(0.5, 5))}
            for label in schema.labels
        }
        if wrong:
            for own in labels.values():
                own["wrong_label"] = float(rng.uniform(0, 4))
        return Costs.model_validate(
            {"currency": "EUR", "default": {"miss": 5.0, "false_alarm": 1.0}, "labels": labels, "review": review}
        )


@pytest.fixture(scope="session")
def make() -> type[Make]:
    """What tests of decisions make their documents with."""
    return Make


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """Synthetic documents with candidates and gold, and what a rule accepts in them."""

    found: tuple[Candidates, ...]
    gold: dict[str, Document]
    decisions: dict[str, Decision]


LABELS = build_schema(["A", "B", "C", "D"], mention_counts=[900, 30, 10, 5])


@pytest.fixture(scope="session")
def notes() -> Notes:
    """300 documents of 200 patients: true mentions have likelier candidates, some the wrong bounds, a few none."""
    rng = np.random.default_rng(7)
    found, gold, decisions = [], {}, {}
    for number in range(300):
        name, rows, mentions = f"n{number}", {}, []
        hard = float(rng.beta(2, 3))
        for first in range(0, 40, 4):
            label = int(rng.choice(4, p=[0.6, 0.2, 0.12, 0.08]))
            is_there = rng.random() < 0.3
            if is_there:
                mentions.append(Make.span(LABELS.labels[label], first, first + 1))
            if is_there and rng.random() < 0.005:
                continue
            p = float(np.clip(rng.beta(6, 1 + 4 * hard) if is_there else rng.beta(1, 6), 0.002, 0.998))
            rows[label, first, first + 1] = 0.8 * p
            rows[label, first, first + (2 if rng.random() < 0.5 else 0)] = 0.1 * p
            rows[int(rng.integers(4)), first + 1, first + 1] = 0.02
        one = Make.of_rows([(*key, p) for key, p in rows.items()], tokens=40, document=name)
        accepted = best_together(one.firsts, one.lasts, one.probabilities - 0.5)
        found.append(one)
        gold[name] = Document(id=name, text=" " * 400, mentions=tuple(mentions), metadata={"group": f"p{number % 200}"})
        decisions[name] = decided(one, accepted=accepted, reviewed=np.zeros(40, dtype=bool), schema=LABELS)
    return Notes(found=tuple(found), gold=gold, decisions=decisions)


@pytest.fixture(scope="session")
def schema() -> Schema:
    """The labels of `notes`: one head label, three of the tail."""
    return LABELS
