"""Everything the bias lab can be told: one frozen object for the command line, YAML and Python."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Literal, final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails

from raretag.experiments.biaslab.mechanisms import Mechanism, named
from raretag.tagging import WindowSettings
from raretag.training.settings import TrainSettings

DesignName = Literal["token", "mention", "word-type"]
Model = Literal["bias-only", "frozen", "full"]

# what a model needs to come to rest, or to begin to memorise
STEPS: Final[Mapping[Model, int]] = {"bias-only": 400, "frozen": 600, "full": 240}
# the head's own is five times as high
RATES: Final[Mapping[Model, float | None]] = {"bias-only": 0.02, "frozen": 0.01, "full": None}
# shares that rounding keeps from 1
_ROUNDING = 1e-6


@final
class LabSettings(BaseModel):
    """Settings of `raretag biaslab`. Every option that is accepted is used; unknown ones are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    design: DesignName = Field(
        default="token",
        description="what gets a label drawn at random: each token, each true mention, or each entry of the vocabulary",
    )
    marginals: tuple[tuple[float, ...], ...] = Field(
        default=((0.6, 0.25, 0.1, 0.04, 0.01), (0.99, 0.01)),
        description="sets of probabilities, each summing to 1; the first is that of O unless mentions are labelled",
    )
    model: Model = Field(
        default="frozen",
        description="bias-only: a bias for each tag and nothing else; frozen: a head on the encoder's hidden states; "
        "full: the encoder learns too",
    )
    mechanisms: dict[str, Mechanism] = Field(
        default={},
        validate_default=True,
        description="names, or names with settings; none: all presets, or for the full model those of the paper",
    )
    seeds: tuple[int, ...] = Field(default=(13,), description="of labels, head, batches and dropout")
    steps: int | None = Field(
        default=None,
        ge=1,
        description="of training, rounded up to whole epochs; None: 400 bias-only, 600 frozen, 240 full",
    )
    measurements: int = Field(default=8, ge=1, le=1000, description="how often along the steps everything is measured")
    tokens: int = Field(default=16000, ge=1, description="of text, in both parts together, in whole documents")
    held_out: float = Field(default=1 / 3, gt=0, lt=1, description="share of them that training never sees")
    encoder: str = Field(default="minilm", min_length=1, description="minilm, a folder, or a hub id")
    scheme: Literal["BIO", "IO"] = Field(default="IO", description="tag scheme; under BIO a token or a type begins one")
    windows: WindowSettings = WindowSettings()
    batch_tokens: int = Field(default=1024, ge=16, description="tokens in a batch, padding included")
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="peak rate; the head's is 5 times that; None: 0.02 bias-only, 0.01 frozen, full as train",
    )
    ledger_steps: int = Field(default=10, ge=1, description="steps between records of loss and gradient by label")
    simulations: int | None = Field(
        default=None,
        ge=499,
        description="draws of the null distribution behind a p-value; None: 1999, from 5 seeds on 500 a seed less 1",
    )
    precision: Literal["auto", "bfloat16", "float32"] = Field(default="auto", description="of the full model")
    checkpoint_seconds: float = Field(default=120.0, ge=0, description="how often an unfinished training is saved")

    @field_validator("marginals", mode="before")
    @classmethod
    def _as_written(cls, marginals: Any) -> Any:
        """`60/25/10/4/1` is a set in per cent, `0.99/0.01` one of probabilities; one set needs no list around it."""
        if isinstance(marginals, str):
            marginals = [one.strip() for one in marginals.split(",")]
        if isinstance(marginals, list | tuple) and marginals and all(isinstance(x, int | float) for x in marginals):
            marginals = [marginals]
        if not isinstance(marginals, list | tuple):
            return marginals
        return tuple(_parsed(one) if isinstance(one, str) else one for one in marginals)

    @field_validator("marginals")
    @classmethod
    def _distributions(cls, marginals: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        if not marginals:
            raise ValueError("give at least one set of probabilities")
        for row in marginals:
            shown = ", ".join(f"{one:g}" for one in row)
            if len(row) < 2:
                raise ValueError(f"({shown}) are not two probabilities or more")
            if min(row) <= 0:
                raise ValueError(f"({shown}): each probability must be above 0; leave the label out")
            if abs(math.fsum(row) - 1) > _ROUNDING:
                raise ValueError(f"({shown}) sum to {math.fsum(row):g}, not to 1")
        # as they are shown, see `shown_marginals`
        if len({tuple(f"{100 * one:.6g}" for one in row) for row in marginals}) < len(marginals):
            raise ValueError("the same probabilities are given twice")
        return marginals

    @field_validator("seeds", mode="before")
    @classmethod
    def _one_or_several(cls, seeds: Any) -> Any:
        if isinstance(seeds, str):
            seeds = [one.strip() for one in seeds.split(",") if one.strip()]
        return (seeds,) if isinstance(seeds, int) and not isinstance(seeds, bool) else seeds

    @field_validator("seeds")
    @classmethod
    def _seeds(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0 or max(seeds) >= 2**32:
            raise ValueError("seeds must be different whole numbers from 0 to 2^32 - 1")
        return seeds

    @field_validator("mechanisms", mode="before")
    @classmethod
    def _by_name(cls, mechanisms: Any) -> Any:
        """Names become what they stand for; settings beside a name stay."""
        if isinstance(mechanisms, str):
            mechanisms = [name.strip() for name in mechanisms.split(",")]
        if isinstance(mechanisms, list | tuple) and all(isinstance(name, str) for name in mechanisms):
            mechanisms = dict.fromkeys(mechanisms)
        if not isinstance(mechanisms, Mapping):
            return mechanisms
        found: dict[str, Any] = {}
        for name, content in mechanisms.items():
            if not str(name).isprintable() or not str(name).strip():
                raise ValueError(f"a mechanism cannot be called {str(name)!r}: give a name of printable characters")
            found |= named(str(name)) if content is None else {str(name): content}
        return found

    @model_validator(mode="before")
    @classmethod
    def _those_of_the_model(cls, content: Any) -> Any:
        if isinstance(content, Mapping) and not content.get("mechanisms"):
            return {**content, "mechanisms": "paper" if content.get("model") == "full" else "all"}
        return content

    @model_validator(mode="after")
    def _methods_that_go_together(self) -> LabSettings:
        wrong: list[InitErrorDetails] = []
        for name, mechanism in self.mechanisms.items():
            try:
                self.training(mechanism, seed=self.seeds[0], epochs=1)
            except ValidationError as error:
                wrong += [
                    InitErrorDetails(
                        type=e["type"], loc=("mechanisms", name, *e["loc"]), input=e["input"], ctx=e.get("ctx", {})
                    )
                    for e in error.errors()
                ]
            if self.model == "bias-only" and mechanism.head.name == "cosine":
                message = "a bias-only model has no use for the head cosine, which has no biases"
                wrong.append(
                    InitErrorDetails(
                        type="value_error",
                        loc=("mechanisms", name, "head", "name"),
                        input="cosine",
                        ctx={"error": ValueError(message)},
                    )
                )
        if wrong:
            raise ValidationError.from_exception_data("settings", wrong)
        return self

    @model_validator(mode="after")
    def _options_that_do_something(self) -> LabSettings:
        if self.precision != "auto" and self.model != "full":
            raise ValueError(f"precision is that of the full model; the model {self.model} has none to choose")
        whole = self.design == "mention" and self.scheme == "BIO"
        for name, mechanism in self.mechanisms.items():
            if mechanism.decision == "viterbi" and not whole:
                raise ValueError(f"mechanisms.{name}: viterbi is argmax unless design is mention and scheme is BIO")
        needed = 500 * len(self.seeds) - 1
        if self.simulations is not None and self.simulations < needed:
            raise ValueError(f"{len(self.seeds)} seeds need {needed:,} simulations for p-values that can decide")
        return self

    @property
    def draws(self) -> int:
        """How often the null distribution is drawn from."""
        return max(1999, 500 * len(self.seeds) - 1) if self.simulations is None else self.simulations

    @property
    def least_steps(self) -> int:
        """How many steps are asked for."""
        return STEPS[self.model] if self.steps is None else self.steps

    def training(self, mechanism: Mechanism, *, seed: int, epochs: int) -> TrainSettings:
        """The settings of a training by `mechanism`. Raises ValidationError where methods do not go together."""
        rate = RATES[self.model] if self.learning_rate is None else self.learning_rate
        return TrainSettings.model_validate(
            {
                **mechanism.training,
                "encoder": self.encoder,
                "seed": seed,
                "tagging": {"scheme": self.scheme},
                "windows": self.windows.model_dump(),
                "optimiser": {"epochs": epochs, "batch_tokens": self.batch_tokens, "learning_rate": rate},
                "ledger_steps": self.ledger_steps,
                "precision": self.precision,
                "checkpoint_seconds": self.checkpoint_seconds,
            }
        )


def _parsed(text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(one) for one in text.split("/"))
    except ValueError:
        raise ValueError(f"{text!r} is no set of probabilities: write for example 60/25/10/4/1") from None
    return tuple(one / 100 for one in numbers) if max(numbers) > 1 else numbers
