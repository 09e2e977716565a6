"""How training tokens vote."""

from __future__ import annotations

from typing import Literal, final

from pydantic import BaseModel, ConfigDict, Field

from raretag.errors import UsageError


@final
class NeighbourSettings(BaseModel):
    """How training tokens vote, and how much their vote counts."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    neighbours: int = Field(default=64, ge=1, description="how many of the nearest training tokens vote")
    temperature: float = Field(
        default=0.05, gt=0, description="of their votes exp(cos/T): small listens to the nearest, large to all alike"
    )
    weight: float = Field(default=0.3, ge=0, le=1, description="share λ of the votes in the mixture with the model")
    prior_exponent: float = Field(
        default=0.0, ge=0, le=1, description="γ: votes are divided by the tag's share of the store to the power of γ"
    )
    store: Literal["all", "mentions"] = Field(
        default="all", description="mentions: tokens outside all mentions have no vote, and P(O) stays the model's"
    )


def layered_refused() -> UsageError:
    """What to raise for a model that keeps labels apart."""
    return UsageError(
        "neighbours vote on one tag a token, but this model keeps labels apart",
        remedy="Use a head that gives a token one tag",
    )
