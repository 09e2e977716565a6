"""Everything a training run can be told: one frozen object for the command line, YAML and Python."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails

from raretag.objectives import OBJECTIVES, REGULARISERS, Entry
from raretag.objectives.ldam import LDAMOptions
from raretag.sampling import SAMPLERS
from raretag.tagging import OverlapPolicy, WindowSettings
from raretag.training.heads import HEADS
from raretag.training.heads.cosine import CosineOptions
from raretag.training.second_stage.registry import SECOND_STAGES


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


def _refuse(message: str, *location: str, value: object) -> ValidationError:
    """An error about what stands at `location`, where a validator sees more than that."""
    error = InitErrorDetails(type="value_error", loc=location, input=value, ctx={"error": ValueError(message)})
    return ValidationError.from_exception_data("settings", [error])


def _under(prefix: str, error: ValidationError) -> list[InitErrorDetails]:
    """What is wrong, told where it stands."""
    return [
        InitErrorDetails(type=e["type"], loc=(prefix, *e["loc"]), input=e["input"], ctx=e.get("ctx", {}))
        for e in error.errors()
    ]


def _check(
    registry: Mapping[str, Entry[Any]],
    role: str,
    name: str,
    options: dict[str, Any],
    *,
    at: tuple[str, ...] = ("name",),
) -> None:
    """Raises ValidationError for a name that is not registered, told at `at`, and for options that are not its own."""
    if name not in registry:
        near = difflib.get_close_matches(name, registry, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(registry)}"
        raise _refuse(f"there is no {role} {name!r}; {hint}", *at, value=name)
    registry[name].options.model_validate(options)


class _MethodSettings(BaseModel):
    """A method by name, with its own options beside the name."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    @property
    def options(self) -> dict[str, Any]:
        """What stands beside the fields that every method of the role has."""
        return dict(self.model_extra or {})


class ObjectiveSettings(_MethodSettings):
    """How the loss is calculated."""

    name: str = Field(default="cross-entropy", description="see raretag objectives")
    start: float = Field(default=0.0, ge=0, lt=1, description="share of the steps before which it is cross-entropy")

    @model_validator(mode="after")
    def _known_options(self) -> ObjectiveSettings:
        _check(OBJECTIVES, "objective", self.name, self.options)
        if self.start > 0 and self.name == "cross-entropy":
            raise _refuse("has no effect on cross-entropy, for before it there is the same", "start", value=self.start)
        return self


class SamplerSettings(_MethodSettings):
    """How the loss is propagated: which windows share a batch, and how often each comes.

    Options without a name are those of the objective's sampler; `TrainSettings` checks them, as it knows both.
    """

    name: str | None = Field(default=None, description="see raretag samplers; None: the one the objective is made with")
    start: float = Field(default=0.0, ge=0, lt=1, description="share of the steps before which it is length-bucketed")

    @model_validator(mode="after")
    def _known_options(self) -> SamplerSettings:
        if self.name is not None:
            _check(SAMPLERS, "sampler", self.name, self.options)
        return self


class AugmentationSettings(_Settings):
    """How windows differ from the notes while training; prediction sees the notes as they are."""

    replacement: float = Field(
        default=0.0, ge=0, le=1, description="chance that another training mention of its label stands for a mention"
    )
    masking: float = Field(
        default=0.0, ge=0, le=0.5, description="mean share of tokens that are hidden behind the mask token"
    )


class HeadSettings(_MethodSettings):
    """What turns the encoder's view of a token into tags."""

    name: str = Field(default="softmax", description="see raretag heads")

    @model_validator(mode="after")
    def _known_options(self) -> HeadSettings:
        _check(HEADS, "head", self.name, self.options)
        return self


class SecondStageSettings(_MethodSettings):
    """What becomes of the head once the encoder is trained."""

    name: str | None = Field(default=None, description="crt, lws or tau-norm; None: the head stays")

    @model_validator(mode="after")
    def _known_options(self) -> SecondStageSettings:
        if self.name is not None:
            _check(SECOND_STAGES, "second stage", self.name, self.options)
        elif self.options:
            raise ValueError(f"options without a second stage's name: {', '.join(self.options)}")
        return self


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


# what another model of the same run may learn by; the rest decides which documents and tags it is about
_OF_A_MEMBER: Final = ("objective", "regularisers", "sampler", "augmentation", "optimiser", "second_stage")


class TrainSettings(_Settings):
    """Settings of `raretag train`. Every option that is accepted is used; unknown ones are errors."""

    encoder: str = Field(default="minilm", min_length=1, description="minilm, a folder, or a hub id")
    seed: int = Field(default=13, ge=0, lt=2**32, description="of the split, the head, the batches and dropout")
    split: SplitSettings = SplitSettings()
    tagging: TaggingSettings = TaggingSettings()
    windows: WindowSettings = WindowSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    regularisers: dict[str, dict[str, Any]] = Field(
        default={}, description="names with their options, added to the objective; see raretag objectives"
    )
    sampler: SamplerSettings = SamplerSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    head: HeadSettings = HeadSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    second_stage: SecondStageSettings = SecondStageSettings()
    ensemble: tuple[dict[str, Any], ...] = Field(
        default=(),
        max_length=9,
        description="further models with these parts in place of the run's; they judge together",
    )
    ledger_steps: int = Field(
        default=50, ge=0, description="steps between records of loss and gradient by label; 0: none"
    )
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        default="auto",
        description="of training and judging; auto takes bfloat16 where this CPU has instructions for it",
    )
    checkpoint_seconds: float = Field(default=120.0, ge=0, description="how often an unfinished run is saved")

    @field_validator("regularisers")
    @classmethod
    def _known_regularisers(cls, regularisers: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        wrong: list[InitErrorDetails] = []
        for name, options in regularisers.items():
            try:
                _check(REGULARISERS, "regulariser", name, options, at=())
            except ValidationError as error:
                wrong += _under(name, error)
        if wrong:
            raise ValidationError.from_exception_data("regularisers", wrong)
        return regularisers

    @model_validator(mode="after")
    def _the_sampler_that_is_meant(self) -> TrainSettings:
        try:
            _check(SAMPLERS, "sampler", self.sampler_name, self.sampler.options)
        except ValidationError as error:
            raise ValidationError.from_exception_data("sampler", _under("sampler", error)) from error
        if self.sampler.start > 0 and self.sampler_name == "length-bucketed":
            message = "has no effect on length-bucketed batches, for before it there are the same"
            raise _refuse(message, "sampler", "start", value=self.sampler.start)
        return self

    @model_validator(mode="after")
    def _losses_made_for_the_head(self) -> TrainSettings:
        losses = {f"objective {self.objective.name!r}": OBJECTIVES[self.objective.name]}
        losses |= {f"regulariser {name!r}": REGULARISERS[name] for name in self.regularisers}
        for loss, entry in losses.items():
            if not entry.fits(self.head.name):
                allowed = " or ".join(entry.heads or ())
                raise ValueError(f"{loss} needs head.name to be {allowed}, not {self.head.name}")
        if self.augmentation.replacement > 0 and HEADS[self.head.name].method.layered:
            raise ValueError(
                f"augmentation.replacement needs labels that share their tags, which head.name {self.head.name} keeps "
                "apart"
            )
        if self.second_stage.name is not None and self.head.name != "softmax":
            raise ValueError(f"second_stage.name needs head.name to be softmax, not {self.head.name}")
        return self

    @model_validator(mode="after")
    def _one_scale(self) -> TrainSettings:
        """Margins are in units of the cosine head's logits."""
        if self.objective.name == "ldam":
            margins = LDAMOptions.model_validate(self.objective.options).scale
            logits = CosineOptions.model_validate(self.head.options).scale
            if margins != logits:
                raise ValueError(f"objective.scale is {margins:g} and head.scale {logits:g}, but ldam needs them alike")
        return self

    @model_validator(mode="after")
    def _members_that_can_be(self) -> TrainSettings:
        wrong: list[InitErrorDetails] = []
        for number, parts in enumerate(self.ensemble):
            odd = [name for name in parts if name not in _OF_A_MEMBER]
            if odd or not parts:
                what = (
                    f"{', '.join(odd)}: not a part that models differ in"
                    if odd
                    else "a further model differs in nothing"
                )
                error = _refuse(f"{what}; there are: {', '.join(_OF_A_MEMBER)}", str(number), value=parts)
                wrong += _under("ensemble", error)
                continue
            try:
                if self._member(parts) in [self._member(other) for other in ({}, *self.ensemble[:number])]:
                    same = _refuse("a further model is one that the run has already", str(number), value=parts)
                    wrong += _under("ensemble", same)
            except ValidationError as caught:
                within = ValidationError.from_exception_data("member", _under(str(number), caught))
                wrong += _under("ensemble", within)
        if wrong:
            raise ValidationError.from_exception_data("ensemble", wrong)
        return self

    def without_patience(self) -> TrainSettings:
        """For a training that no document stops: the patience of each of its models is the default."""
        ensemble = tuple(
            {
                name: {key: value for key, value in part.items() if key != "patience"} if name == "optimiser" else part
                for name, part in parts.items()
            }
            for parts in self.ensemble
        )
        optimiser = self.optimiser.model_copy(update={"patience": OptimiserSettings().patience})
        return self.model_copy(update={"optimiser": optimiser, "ensemble": ensemble})

    @property
    def members(self) -> tuple[TrainSettings, ...]:
        """The settings of each model of the run, its own first."""
        return (self._member({}), *(self._member(parts) for parts in self.ensemble))

    def _member(self, parts: Mapping[str, Any]) -> TrainSettings:
        """A part that is named takes the place of the run's; of the optimiser, only what is named."""
        own = self.model_dump(exclude={"ensemble"})
        laid = {
            name: {**own[name], **part} if name == "optimiser" and isinstance(part, Mapping) else part
            for name, part in parts.items()
        }
        return TrainSettings.model_validate({**own, **laid})

    @property
    def sampler_name(self) -> str:
        """The sampler by its name, where none is named the one that the objective is made with."""
        return self.sampler.name or OBJECTIVES[self.objective.name].sampler
