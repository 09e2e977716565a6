"""A head is named in settings like any other method, and a loss made for another head is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from raretag.objectives import OBJECTIVES
from raretag.training.heads import HEADS
from raretag.training.settings import TrainSettings


def test_a_head_with_its_options() -> None:
    assert TrainSettings().head.name == "softmax"
    settings = TrainSettings.model_validate({"head": {"name": "cosine", "scale": 10}})
    assert settings.head.options == {"scale": 10}
    assert TrainSettings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    "head", [{"name": "crf"}, {"name": "softmax", "scale": 3}, {"name": "cosine", "scale": 0}, {"scale": 16}]
)
def test_what_no_head_has_is_refused(head: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="head"):
        TrainSettings.model_validate({"head": head})


def test_a_mistyped_head_is_told_at_its_name() -> None:
    with pytest.raises(ValidationError, match="did you mean cosine") as caught:
        TrainSettings.model_validate({"head": {"name": "cosin"}})
    assert caught.value.errors()[0]["loc"] == ("head", "name")


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("head", HEADS)
def test_an_objective_goes_with_the_heads_it_is_made_for(name: str, head: str) -> None:
    content = {"objective": {"name": name}, "head": {"name": head}}
    if OBJECTIVES[name].fits(head):
        TrainSettings.model_validate(content)
    else:
        with pytest.raises(ValidationError, match=f"objective '{name}' needs head.name to be"):
            TrainSettings.model_validate(content)


def test_every_objective_has_a_head() -> None:
    assert all(any(map(entry.fits, HEADS)) for entry in OBJECTIVES.values())
