"""Everything a training run can be told: one frozen object for the command line, YAML and Python."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from raretag.objectives.registry import OBJECTIVES
from raretag.tagging import OverlapPolicy, WindowSettings


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SplitSettings(_Settings):
    """Which share of the documents is kept for what. A corpus that brings its own split keeps it."""

    test: float = Field(default=0.2, ge=0, lt=1, description="share of documents that training never sees")
    validation: float = Field(
        default=0.0, ge=0, lt=1, description="share of documents for early stopping; 0 trains all epochs"
    )


class TaggingSettings(_Settings):
    """How mentions become tags."""

    scheme: Literal["BIO", "IO"] = Field(default="BIO", description="tag scheme")
    overlaps: OverlapPolicy = Field(default="longest", description="which of overlapping mentions is learned")


class ObjectiveSettings(BaseModel):
    """An objective by name, with its own options beside the name."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str = Field(default="cross-entropy", description="see docs/settings.md")

    @model_validator(mode="after")
    def _known_options(self) -> ObjectiveSettings:
        if self.name not in OBJECTIVES:
            raise ValueError(f"no such objective; there are: {', '.join(OBJECTIVES)}")
        OBJECTIVES[self.name].options.model_validate(self.options)
        return self

    @property
    def options(self) -> dict[str, Any]:
        """What stands beside the name."""
        return dict(self.model_extra or {})


class OptimiserSettings(_Settings):
    """AdamW with linear warm-up and decay."""

    epochs: int = Field(default=12, ge=1, le=1000, description="passes over the training windows")
    batch_tokens: int = Field(default=1024, ge=16, description="tokens in a batch, padding included")
    learning_rate: float | None = Field(
        default=None, gt=0, lt=1, description="peak rate of the encoder; None: 3e-4 · (384 / its width)²"
    )
    head_multiplier: float = Field(default=5.0, gt=0, description="the new head learns this much faster")
    warmup: float = Field(default=0.1, ge=0, lt=1, description="share of the steps with a rising rate")
    weight_decay: float = Field(default=0.01, ge=0, description="decoupled, not on biases and norms")
    max_gradient_norm: float = Field(default=1.0, gt=0, description="longer gradients are scaled down")
    patience: int = Field(
        default=3, ge=1, description="epochs without a better Brier score on validation before stopping"
    )


class TrainSettings(_Settings):
    """Settings of `raretag train`. Every option that is accepted is used; unknown ones are errors."""

    encoder: str = Field(default="minilm", min_length=1, description="minilm, a folder, or a hub id")
    seed: int = Field(default=13, ge=0, lt=2**32, description="of the split, the head, the batches and dropout")
    split: SplitSettings = SplitSettings()
    tagging: TaggingSettings = TaggingSettings()
    windows: WindowSettings = WindowSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        default="auto", description="auto takes bfloat16 where this CPU multiplies it faster"
    )
    checkpoint_seconds: float = Field(default=120.0, ge=0, description="how often an unfinished run is saved")
