from __future__ import annotations

import json

import numpy as np
import pytest

from raretag.evaluation.brier import brier_score, mention_brier_score
from raretag.evaluation.calibration_error import calibration_error, calibration_error_interval, calibration_noise
from raretag.evaluation.classwise_error import classwise_calibration_error
from raretag.evaluation.probability_figures import MentionConfidences, calibration_figures
from raretag.probability.evidence import Evidence
from raretag.tagging import build_schema


def made(tokens: int, mentions: int, *, layered: bool = False) -> tuple[Evidence, MentionConfidences]:
    rng = np.random.default_rng(0)
    schema = build_schema(("DRUG", "SIGN", "DEVICE"), mention_counts=(700, 60, 3), layered=layered)
    p = rng.dirichlet(np.full(schema.shape[-1], 0.5), (tokens, *schema.shape[:-1])).astype(np.float32)
    tags = (rng.random((*p.shape[:-1], 1)) > p.cumsum(axis=-1)).sum(axis=-1) - (rng.random(p.shape[:-1]) < 0.1)
    evidence = Evidence(
        schema=schema,
        probabilities=p,
        tags=np.where(tags < 0, -100, tags),
        owners=np.sort(rng.integers(0, 5, tokens)),
    )
    c = rng.random(mentions)
    told = MentionConfidences(
        confidences=c,
        correct=rng.random(mentions) < c,
        labels=rng.integers(0, 2, mentions),
        owners=rng.integers(0, 5, mentions),
    )
    return evidence, told


@pytest.mark.parametrize("layered", [False, True])
def test_every_figure_is_that_of_its_own_function(layered: bool) -> None:
    evidence, mentions = made(300, 80, layered=layered)
    found = calibration_figures(evidence, mentions, groups=[*range(5)], resamples=100, seed=1)
    p, tags = evidence.probabilities, evidence.tags
    c, right = mentions.confidences, mentions.correct
    assert (found.mentions, found.tokens) == (80, int((tags != -100).sum()))
    assert found.mention_ece == calibration_error(c, right)
    assert found.mention_adaptive_ece == calibration_error(c, right, binning="equal_mass")
    assert found.mention_ece_interval == calibration_error_interval(
        c, right, owners=mentions.owners, groups=[*range(5)], resamples=100, seed=1
    )
    assert found.mention_brier == mention_brier_score(c, right)
    judged = tags != -100
    top, top_right = p.max(axis=-1)[judged].astype(np.float64), (p.argmax(axis=-1) == tags)[judged]
    owners = np.broadcast_to(evidence.owners.reshape(-1, *[1] * layered), tags.shape)[judged]
    assert found.token_ece == calibration_error(top, top_right)
    assert found.adaptive_ece == calibration_error(top, top_right, binning="equal_mass")
    assert found.token_ece_interval == calibration_error_interval(
        top, top_right, owners=owners, groups=[*range(5)], resamples=100, seed=1
    )
    assert found.adaptive_ece != found.token_ece
    assert found.mention_ece_noise == calibration_noise(c)
    assert found.brier == brier_score(p, tags)
    assert found.classwise_ece == classwise_calibration_error(p, tags).mean
    assert found.classwise_ece_likely == classwise_calibration_error(p, tags, over="likely").mean
    assert found.classwise_ece_likely != found.classwise_ece
    assert found.classwise_ece_restricted == classwise_calibration_error(p, tags, over="likely_or_gold").mean
    assert [*found.groups] == ["head", "medium", "tail"]
    head = mentions.labels == 0
    assert found.groups["head"].ece == calibration_error(c[head], right[head])
    assert found.groups["tail"].count == 0
    assert found.reliability.count == sum(row.count for row in found.reliability.bins)


def test_json_has_built_in_types_and_the_names_that_others_read() -> None:
    evidence, mentions = made(50, 20)
    told = calibration_figures(evidence, mentions, groups=[*range(5)], resamples=50).to_json()
    assert json.loads(json.dumps(told)) == told
    assert {"mention_ece", "mention_ece_interval", "token_ece", "adaptive_ece", "classwise_ece", "brier"} <= {*told}
    assert isinstance(told["mention_ece_interval"], list)
    assert told["groups"]["tail"] == {
        "count": 0,
        "confidence": None,
        "correct": None,
        "ece": None,
        "adaptive_ece": None,
        "bins": [],
    }
    assert {*told["reliability"]["bins"][0]} == {"above", "up_to", "count", "confidence", "correct"}


def test_nothing_at_all_is_undefined() -> None:
    evidence, mentions = made(0, 0)
    told = calibration_figures(evidence, mentions, groups=[], resamples=50).to_json()
    undefined = [name for name, value in told.items() if value is None]
    assert len(undefined) == 12
    assert (told["mentions"], told["tokens"]) == (0, 0)
