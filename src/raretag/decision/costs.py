"""What a miss, a false alarm, a wrong label and one human review cost: fixed before any test document is opened."""

from __future__ import annotations

from typing import Annotated, final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class _Settings(BaseModel):
    # strict: `review: yes` in YAML is no price
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


@final
class LabelCosts(_Settings):
    """Costs of one label, in the currency; what is left out is the default's.

    But a label with a miss or a false alarm of its own does not take over the default's wrong label, which was weighed
    against other costs: without its own it is a miss and a false alarm.
    """

    miss: float | None = Field(default=None, ge=0, description="a mention of this label is neither found nor reviewed")
    false_alarm: float | None = Field(default=None, ge=0, description="this label is marked where it is not")
    wrong_label: float | None = Field(
        default=None, ge=0, description="a mention of this label is marked exactly, but as another label"
    )


@final
class DefaultCosts(_Settings):
    """Costs of every label that has none of its own."""

    miss: float = Field(ge=0, description="a mention is neither found nor reviewed")
    false_alarm: float = Field(ge=0, description="a label is marked where it is not")
    wrong_label: float | None = Field(
        default=None,
        ge=0,
        description="a mention is marked exactly, but as another label; None: a miss and a false alarm",
    )


@final
class Costs(_Settings):
    """The file `costs.yaml`."""

    currency: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        description="a unit for reports, e.g. EUR or minutes"
    )
    default: DefaultCosts
    labels: dict[str, LabelCosts] = Field(default={}, description="labels that cost more or less")
    review: float | None = Field(default=None, ge=0, description="one look at up to ten tokens; None: nobody reviews")

    def of_label(self, label: str) -> DefaultCosts:
        """All costs of a label; its wrong label is None where that is a miss and a false alarm."""
        own = self.labels.get(label)
        if own is None:
            return self.default
        wrong = self.default.wrong_label if own.miss is None and own.false_alarm is None else None
        return DefaultCosts(
            miss=self.default.miss if own.miss is None else own.miss,
            false_alarm=self.default.false_alarm if own.false_alarm is None else own.false_alarm,
            wrong_label=wrong if own.wrong_label is None else own.wrong_label,
        )
