from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from raretag.evaluation.fidelity import fidelity
from raretag.evaluation.probability_fidelity import fidelity_of, mention_fidelity
from raretag.probability.evidence import Evidence
from raretag.tagging import build_schema

BIO = build_schema(("DRUG", "SIGN"))
LAYERED = build_schema(("DRUG", "SIGN"), layered=True)


def evidence(tokens: int, *, seed: int = 0, layered: bool = False) -> Evidence:
    """Random probabilities, with tags drawn from them; a fifth is not judged."""
    rng = np.random.default_rng(seed)
    schema = LAYERED if layered else BIO
    p = rng.dirichlet(np.full(schema.shape[-1], 0.4), (tokens, *schema.shape[:-1]))
    tags = (rng.random((*p.shape[:-1], 1)) > p.cumsum(axis=-1)).sum(axis=-1)
    tags[rng.random(tags.shape) < 0.2] = -100
    return Evidence(
        schema=schema, probabilities=p.astype(np.float32), tags=tags, owners=np.zeros(tokens, dtype=np.int64)
    )


def test_soft_and_hard_shares_are_those_counted_token_by_token() -> None:
    found = evidence(200)
    soft: dict[str, float] = dict.fromkeys(("O", "DRUG", "SIGN"), 0.0)
    hard, gold = Counter[str](), Counter[str]()
    label = {tag: tag.split("-")[-1] for tag in BIO.tags}
    for p, tag in zip(found.probabilities, found.tags, strict=True):
        if tag != -100:
            gold[label[BIO.tags[tag]]] += 1
            hard[label[BIO.tags[int(p.argmax())]]] += 1
            for name, value in zip(BIO.tags, p, strict=True):
                soft[label[name]] += float(value)
    told = fidelity_of(found, seed=0)
    tokens = gold.total()
    for found_shares, counts in ((told["soft"], soft), (told["hard"], hard)):
        assert found_shares.predicted == pytest.approx([counts[n] / tokens for n in ("O", "DRUG", "SIGN")], rel=1e-5)
        assert found_shares.empirical == pytest.approx([gold[n] / tokens for n in ("O", "DRUG", "SIGN")])
    assert (
        told["hard"].kl
        == fidelity(
            np.array([hard[n] for n in ("O", "DRUG", "SIGN")], dtype=np.float64),
            np.array([gold[n] for n in ("O", "DRUG", "SIGN")], dtype=np.float64),
            labels=("O", "DRUG", "SIGN"),
            tokens=tokens,
        ).kl
    )


def test_presences_where_labels_are_apart() -> None:
    found = evidence(200, layered=True)
    soft, gold = np.zeros(3), np.zeros(3)
    for p, tags in zip(found.probabilities.astype(np.float64), found.tags, strict=True):
        if -100 not in tags:
            soft += [p[0, 0] * p[1, 0], 1 - p[0, 0], 1 - p[1, 0]]
            gold += [not tags.any(), tags[0] > 0, tags[1] > 0]
    told = fidelity_of(found, seed=0)
    assert told["soft"].predicted == pytest.approx(soft / soft.sum())
    assert told["sampled"].empirical == pytest.approx(gold / gold.sum())


@pytest.mark.parametrize("layered", [False, True])
def test_true_probabilities_are_true_by_soft_and_sampled_not_by_hard(layered: bool) -> None:
    many = evidence(40_000, layered=layered)
    told = fidelity_of(many, seed=1)
    assert told["soft"].tv < 0.01
    assert told["sampled"].tv < 0.01
    # more blocks than one, none of which loses a token, and a draw of its own
    if not layered:
        whole = many.probabilities[many.judged].mean(axis=0, dtype=np.float64)
        assert told["soft"].predicted == pytest.approx([whole[0], whole[1] + whole[2], whole[3] + whole[4]], rel=1e-8)
    assert told["sampled"].predicted != told["soft"].predicted
    constant = Evidence(
        schema=BIO,
        probabilities=np.tile(np.array([0.8, 0.1, 0, 0.1, 0], dtype=np.float32), (20_000, 1)),
        tags=np.repeat(np.array([0, 1, 3]), [16_000, 2000, 2000]),
        owners=np.zeros(20_000, dtype=np.int64),
    )
    told = fidelity_of(constant, seed=1)
    assert told["soft"].tv == pytest.approx(0, abs=1e-6)
    assert told["hard"].tv == pytest.approx(0.2)
    assert told["hard"].never_predicted == ("DRUG", "SIGN")
    assert told["sampled"].tv < 0.02


def test_what_has_no_probability_is_never_drawn_and_the_seed_tells_the_draw() -> None:
    p = np.zeros((500, 5), dtype=np.float32)
    p[:, 3] = 1
    sure = Evidence(schema=BIO, probabilities=p, tags=np.full(500, 3), owners=np.zeros(500, dtype=np.int64))
    assert fidelity_of(sure, seed=0)["sampled"].predicted == (0, 0, 1)
    found = evidence(300)
    assert fidelity_of(found, seed=2) == fidelity_of(found, seed=2)
    assert fidelity_of(found, seed=2)["sampled"] != fidelity_of(found, seed=3)["sampled"]


def test_without_a_judged_token_there_is_nothing_to_tell() -> None:
    found = evidence(5)
    found.tags[:] = -100
    assert fidelity_of(found, seed=0) == {}


def test_numbers_of_mentions_by_hand() -> None:
    found = mention_fidelity(np.array([6.0, 3.0, 0.0]), np.array([5, 4, 1]), labels=("A", "B", "C"))
    assert (found.expected, found.gold, found.ratio) == (9, 10, 0.9)
    assert found.tv == pytest.approx(2 / 3 - 0.5)
    assert found.amplification == pytest.approx(np.log(2) / np.log(5 / 4))
    assert found.never_predicted == ("C",)


def test_one_side_without_mentions() -> None:
    lost = mention_fidelity(np.zeros(2), np.array([3, 0]), labels=("A", "B"))
    assert (lost.ratio, lost.tv, lost.never_predicted) == (0, None, ("A",))
    none = mention_fidelity(np.array([0.5, 0]), np.zeros(2), labels=("A", "B"))
    assert (none.ratio, none.kl, none.never_predicted) == (None, None, ())
    assert mention_fidelity(np.zeros(0), np.zeros(0), labels=()).ratio is None


def test_shapes_and_values_that_are_no_counts_are_refused() -> None:
    for wrong in (np.array([1.0]), np.array([-1.0, 2.0]), np.array([np.nan, 1.0])):
        with pytest.raises(ValueError, match="numbers of mentions"):
            mention_fidelity(wrong, np.array([1.0, 2.0]), labels=("A", "B"))
