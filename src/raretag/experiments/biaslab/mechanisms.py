"""What is compared: a loss, batches, a head and a decision, by name; those of the paper and what it leaves open."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from raretag.objectives import OBJECTIVES, REGULARISERS
from raretag.probability import NeighbourSettings
from raretag.sampling import SAMPLERS
from raretag.training.heads import HEADS
from raretag.training.settings import HeadSettings, ObjectiveSettings, SamplerSettings

Decision = Literal["argmax", "viterbi"]


@final
class Mechanism(BaseModel):
    """One way of training and deciding; everything but `decision` and `neighbours` is as in `TrainSettings`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    about: str = Field(default="", description="one line for tables")
    objective: ObjectiveSettings = ObjectiveSettings()
    regularisers: dict[str, dict[str, Any]] = {}
    sampler: SamplerSettings = SamplerSettings()
    head: HeadSettings = HeadSettings()
    decision: Decision = Field(
        default="argmax", description="what counts as predicted: each token's most probable tag, or the best valid path"
    )
    neighbours: NeighbourSettings | None = Field(default=None, description="votes of training tokens mixed in (kNN)")

    @model_validator(mode="after")
    def _one_tag_a_token(self) -> Mechanism:
        if self.neighbours is not None and self.head.name == "per-label":
            raise ValueError("neighbours vote for one tag a token, but head.name per-label keeps labels apart")
        return self

    @property
    def training(self) -> dict[str, Any]:
        """The part that `TrainSettings` knows; mechanisms that share it share a training."""
        return self.model_dump(exclude={"about", "decision", "neighbours"})


def _btl(about: str, *, others: str, weight: str = "none", reduction: str = "sum", **more: Any) -> Mechanism:
    """Batches as METHODS describes the random-label case: each label as often, windows as they come."""
    return Mechanism(
        about=about,
        objective=ObjectiveSettings.model_validate({"name": "btl", "weight": weight, "reduction": reduction}),
        sampler=SamplerSettings.model_validate(
            {"name": "per-class", "others": others, "order": "uniform", "without": None}
        ),
        **more,
    )


_MEAN = "one label a batch against O, weights 1 - n/N of the batch in a weighted mean"

# Rehman et al. 2024, arXiv 2409.03238; what it leaves open is spelled out in each name
PRESETS: Final[Mapping[str, Mechanism]] = MappingProxyType(
    {
        "all-classes": Mechanism(about="all labels in a batch, plain cross-entropy"),
        "weighted-loss": Mechanism(
            about="all labels in a batch, weights 1 - n/N of the training part",
            objective=ObjectiveSettings(name="one-minus-share"),
        ),
        "per-class-batches": Mechanism(
            about="each batch from windows that hold one label, all labels learned, plain cross-entropy",
            sampler=SamplerSettings.model_validate(
                {"name": "per-class", "others": "keep", "order": "uniform", "without": 0.0}
            ),
        ),
        "btl-mask": _btl("one label a batch against O, other labels left out, unweighted", others="mask"),
        "btl-mask-mean": _btl(
            f"{_MEAN}, other labels left out", others="mask", weight="batch", reduction="weighted-mean"
        ),
        "btl-mask-mean-knn": _btl(
            "btl-mask-mean with the votes of neighbours mixed in",
            others="mask",
            weight="batch",
            reduction="weighted-mean",
            neighbours=NeighbourSettings(),
        ),
        "btl-relabel": _btl("one label a batch against O, other labels taken as O, unweighted", others="relabel"),
        "btl-mask-sum": _btl(
            "one label a batch against O, weights of the batch in a sum, other labels left out",
            others="mask",
            weight="batch",
        ),
        "btl-relabel-sum": _btl(
            "one label a batch against O, weights of the batch in a sum, other labels taken as O",
            others="relabel",
            weight="batch",
        ),
        "btl-relabel-mean": _btl(
            f"{_MEAN}, other labels taken as O", others="relabel", weight="batch", reduction="weighted-mean"
        ),
        "btl-mask-global": _btl(
            "one label a batch against O, weights 1 - n/N of the training part, other labels left out",
            others="mask",
            weight="global",
        ),
        "btl-relabel-global": _btl(
            "one label a batch against O, weights 1 - n/N of the training part, other labels taken as O",
            others="relabel",
            weight="global",
        ),
    }
)

GROUPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "paper": tuple(PRESETS)[:6],
        "btl-variants": tuple(name for name in PRESETS if name.startswith("btl") and not name.endswith("knn")),
        "all": tuple(PRESETS),
    }
)


def named(name: str) -> dict[str, Mechanism]:
    """The mechanisms that go by `name`: a preset, a group of them, or methods joined by `+` such as `focal+balanced`.

    Methods are objectives, regularisers, samplers, heads, and the words `knn` and `viterbi`.
    Raises ValueError for a word that names none of them, or one role twice.
    """
    if name in GROUPS:
        return {preset: PRESETS[preset] for preset in GROUPS[name]}
    if name in PRESETS:
        return {name: PRESETS[name]}
    content: dict[str, Any] = {"about": f"methods {name}"}
    for word in name.split("+"):
        role, value = _role(word.strip())
        if role == "regularisers":
            content[role] = {**content.get(role, {}), **value}
        elif role in content:
            raise ValueError(f"{name!r} names two of the kind {role}")
        else:
            content[role] = value
    return {name: Mechanism.model_validate(content)}


def _role(word: str) -> tuple[str, Any]:
    if word in OBJECTIVES:
        return "objective", {"name": word}
    if word in SAMPLERS:
        return "sampler", {"name": word}
    if word in HEADS:
        return "head", {"name": word}
    if word in REGULARISERS:
        return "regularisers", {word: {}}
    if word == "knn":
        return "neighbours", {}
    if word == "viterbi":
        return "decision", word
    if word in PRESETS or word in GROUPS:
        raise ValueError(f"the preset {word!r} cannot be joined with methods by +; write it out in a settings file")
    known = [*PRESETS, *GROUPS, *OBJECTIVES, *SAMPLERS, *HEADS, *REGULARISERS, "knn", "viterbi"]
    near = difflib.get_close_matches(word, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(PRESETS)}, and methods joined by +"
    raise ValueError(f"there is no mechanism {word!r}; {hint}")
