"""What every second stage keeps, and what each promises of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from raretag.errors import DataError, UsageError
from raretag.objectives import objective
from raretag.tagging import Schema
from raretag.training.second_stage import SECOND_STAGES, Features, predicted_marginals
from raretag.training.second_stage.base import Retrained
from raretag.training.second_stage.registry import second_stage
from raretag.training.second_stage.token_sampling import TokenTrainingOptions, sampled_marginals, token_probabilities

Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def joint(features: Features, schema: Schema) -> nn.Linear:
    """A head trained on the tokens as they are."""
    return second_stage("crt", schema=schema, options={"power": 1.0}).retrain(nn.Linear(8, 7), features, seed=1).head


def retrained(name: str, joint: nn.Linear, features: Features, schema: Schema, **options: object) -> Retrained:
    return second_stage(name, schema=schema, options=options).retrain(joint, features, seed=3)


def predictions(head: nn.Linear, features: Features) -> Array:
    with torch.no_grad():
        return np.asarray(head(torch.from_numpy(features.hidden)).argmax(dim=1))


def recall(head: nn.Linear, features: Features, tags: list[int]) -> float:
    mine = np.isin(features.tags, tags)
    return float((predictions(head, features) == features.tags)[mine].mean())


@pytest.mark.parametrize("name", SECOND_STAGES)
def test_every_second_stage(name: str, joint: nn.Linear, features: Features, schema: Schema) -> None:
    before = {key: value.clone() for key, value in joint.state_dict().items()}
    random_state = torch.get_rng_state()
    first, second = (retrained(name, joint, features, schema) for _ in range(2))
    assert all(torch.equal(before[key], value) for key, value in joint.state_dict().items())
    assert torch.equal(random_state, torch.get_rng_state())
    assert type(first.head) is nn.Linear
    assert first.head.weight.dtype == torch.float32
    for key, value in first.head.state_dict().items():
        assert torch.equal(value, second.head.state_dict()[key])
    # unseen tags stay shut
    assert (first.head.weight[5:] == 0).all()
    assert (first.head.bias[5:] == -1e4).all()
    probabilities = torch.softmax(first.head(torch.from_numpy(features.hidden[:50])), dim=1)
    assert (probabilities[:, 5:] == 0).all()
    for prior in (first.prior, first.measured):
        assert prior.dtype == np.float64
        assert prior.shape == (7,)
        assert prior.sum() == pytest.approx(1)
        assert (prior[5:] == 0).all()
    np.testing.assert_array_equal(first.measured, predicted_marginals(first.head, features))
    if not first.closed_form:
        np.testing.assert_array_equal(first.prior, first.measured)


@pytest.mark.parametrize("name", SECOND_STAGES)
def test_what_does_not_fit_is_refused(name: str, features: Features, schema: Schema) -> None:
    stage = second_stage(name, schema=schema, options={})
    for wrong in (nn.Linear(9, 7), nn.Linear(8, 6), nn.Linear(8, 7, bias=False)):
        with pytest.raises(ValueError, match="from 8 to 7 tags"):
            stage.retrain(wrong, features, seed=0)
    for tag in (-1, 6, 7):
        odd = Features(
            hidden=features.hidden, tags=np.where(features.tags == 3, tag, features.tags), windows=features.windows
        )
        with pytest.raises(ValueError, match="hold a tag"):
            stage.retrain(nn.Linear(8, 7), odd, seed=0)


@pytest.mark.parametrize(("name", "gain"), [("crt", 0.1), ("lws", 0.02)])
def test_the_rare_label_is_found_more_often(
    name: str, gain: float, joint: nn.Linear, features: Features, unseen: Features, schema: Schema
) -> None:
    new = retrained(name, joint, features, schema).head
    assert recall(new, unseen, [3, 4]) > recall(joint, unseen, [3, 4]) + gain
    assert recall(new, unseen, [0]) > 0.85


def test_crt_learns_the_sampled_tokens(features: Features, schema: Schema) -> None:
    """With features that tell nothing, the head's marginals are those of the sample, as the prior says."""
    blank = Features(hidden=np.zeros_like(features.hidden), tags=features.tags, windows=features.windows)
    for options in ({}, {"objective": "balanced-softmax"}, {"outside": "balanced", "power": 0.5}):
        made = retrained("crt", nn.Linear(8, 7), blank, schema, epochs=30, **options)
        assert made.closed_form
        np.testing.assert_allclose(made.measured, made.prior, atol=0.01)


def test_another_seed_gives_another_crt_head(features: Features, schema: Schema) -> None:
    stage = second_stage("crt", schema=schema, options={"epochs": 1})
    heads = [stage.retrain(nn.Linear(8, 7), features, seed=seed).head for seed in (0, 1)]
    assert not torch.equal(heads[0].weight, heads[1].weight)


@pytest.mark.parametrize("name", ["focal", "soft-macro-f1", "seesaw"])
def test_crt_takes_any_objective(name: str, features: Features, schema: Schema) -> None:
    made = retrained("crt", nn.Linear(8, 7), features, schema, objective=name, epochs=2)
    assert recall(made.head, features, [0]) > 0.5


@pytest.mark.parametrize("scales", ["label", "tag"])
def test_lws_begins_at_the_head_as_it_is(scales: str, joint: nn.Linear, features: Features, schema: Schema) -> None:
    made = retrained("lws", joint, features, schema, scales=scales, learning_rate=1e-30, epochs=1).head
    assert torch.equal(made.weight, joint.weight)
    assert torch.equal(made.bias, joint.bias)


@pytest.mark.parametrize("scales", ["label", "tag"])
def test_lws_scales_whole_logits(scales: str, joint: nn.Linear, features: Features, schema: Schema) -> None:
    made = retrained("lws", joint, features, schema, scales=scales, epochs=1).head
    ratios = (made.weight / joint.weight)[:5].detach().numpy()
    bias = (made.bias / joint.bias)[:5].detach().numpy()
    np.testing.assert_allclose(ratios, np.broadcast_to(bias[:, None], ratios.shape), rtol=1e-4)
    assert (bias > 0).all()
    assert abs(bias - 1).max() > 0.01
    tied = np.isclose(bias[1], bias[2], rtol=1e-4) and np.isclose(bias[3], bias[4], rtol=1e-4)
    assert tied == (scales == "label")


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 2.0])
def test_tau_normalisation_is_what_numpy_says(tau: float, joint: nn.Linear, features: Features, schema: Schema) -> None:
    made = retrained("tau-norm", joint, features, schema, tau=tau).head
    for tag in range(5):
        row, bias = joint.weight[tag].detach().numpy().astype(float), joint.bias[tag].item()
        factor = sum(row**2) ** (-tau / 2)
        np.testing.assert_allclose(made.weight[tag].detach().numpy(), row * factor, rtol=1e-5)
        assert made.bias[tag].item() == pytest.approx(bias * factor, rel=1e-5)
    if tau == 0:
        assert torch.equal(made.weight, joint.weight)
        assert torch.equal(made.bias, joint.bias)


def test_tau_normalisation_leaves_a_row_without_length(joint: nn.Linear, features: Features, schema: Schema) -> None:
    flat = nn.Linear(8, 7)
    with torch.no_grad():
        flat.weight.zero_()
        flat.bias.copy_(torch.arange(7.0))
    made = retrained("tau-norm", flat, features, schema, tau=1.0).head
    assert torch.equal(made.bias[:5], torch.arange(5.0))


def test_sampled_tokens_keep_what_is_outside_and_balance_the_rest() -> None:
    counts, groups = np.array([600, 200, 100, 75, 25, 0, 0]), np.array([0, 1, 1, 2, 2, 3, 3])

    def shares(**options: Any) -> Array:
        return sampled_marginals(counts, groups=groups, options=TokenTrainingOptions(**options))

    np.testing.assert_allclose(shares(), [0.6, 0.2 * 2 / 3, 0.2 / 3, 0.15, 0.05, 0, 0])
    np.testing.assert_allclose(shares(power=1), counts / 1000)
    np.testing.assert_allclose(shares(outside="balanced", power=1), counts / 1000)
    np.testing.assert_allclose(shares(outside="balanced"), np.array([1, 2 / 3, 1 / 3, 3 / 4, 1 / 4, 0, 0]) / 3)
    root = np.sqrt([300, 100])
    np.testing.assert_allclose(shares(power=0.5)[1:3].sum(), 0.4 * root[0] / root.sum())
    alone = sampled_marginals(np.array([9, 0, 0]), groups=np.array([0, 1, 1]), options=TokenTrainingOptions())
    assert alone.tolist() == [1, 0, 0]
    none = sampled_marginals(np.array([0, 3, 1]), groups=np.array([0, 1, 1]), options=TokenTrainingOptions())
    assert none.tolist() == [0, 0.75, 0.25]
    tags = np.array([0, 0, 1, 2, 0])
    np.testing.assert_allclose(
        token_probabilities(tags, marginals=np.array([0.6, 0.3, 0.1])), [0.2, 0.2, 0.3, 0.1, 0.2]
    )


def test_measured_marginals_are_the_mean_of_the_probabilities(joint: nn.Linear, features: Features) -> None:
    z = features.hidden.astype(float) @ joint.weight.detach().numpy().astype(float).T + joint.bias.detach().numpy()
    p = np.exp(z - z.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        predicted_marginals(joint, features), (p / p.sum(axis=1, keepdims=True)).mean(axis=0), atol=1e-6
    )


def test_a_head_that_diverges_is_an_error(features: Features, schema: Schema) -> None:
    broken = Features(
        hidden=np.full_like(features.hidden, np.float32(np.inf)), tags=features.tags, windows=features.windows
    )
    with pytest.raises(DataError, match="no finite numbers"):
        retrained("crt", nn.Linear(8, 7), broken, schema, epochs=1)


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("none", {}, "Choose one of: crt, lws, tau-norm"),
        ("crt", {"power": 2}, "power"),
        ("crt", {"objective": "nothing"}, "no such objective"),
        ("crt", {"objective": "ldam"}, "no such objective for a softmax head"),
        ("crt", {"objective": "focal", "objective_options": {"gamma": -1}}, "gamma"),
        ("crt", {"objective": "boundary-smoothing"}, "neighbouring"),
        ("lws", {"scales": "none"}, "scales"),
        ("tau-norm", {"tau": 3}, "tau"),
        ("tau-norm", {"epochs": 3}, "epochs"),
    ],
)
def test_unusable_options_are_refused(name: str, options: dict[str, object], told: str, schema: Schema) -> None:
    with pytest.raises(UsageError, match=told):
        second_stage(name, schema=schema, options=options)


def test_registered_objectives_do_not_share_state(features: Features, schema: Schema) -> None:
    """An objective with running statistics is made anew each time, so that a second call gives the same head."""
    stage = second_stage("crt", schema=schema, options={"objective": "soft-macro-f1", "epochs": 1})
    first, second = (stage.retrain(nn.Linear(8, 7), features, seed=0).head for _ in range(2))
    assert torch.equal(first.weight, second.weight)
    assert objective("soft-macro-f1", counts=schema.tag_counts, groups=schema.groups).state_dict()
