"""cRT: a fresh head, trained on the cached features with labels balanced."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor, nn

from raretag.objectives import OBJECTIVES, Objective, objective
from raretag.objectives.prior import UNSEEN_LOGIT
from raretag.training.second_stage.base import Array, SecondStage
from raretag.training.second_stage.features import Features
from raretag.training.second_stage.token_sampling import TokenTrainingOptions, sampled_marginals, token_probabilities
from raretag.training.second_stage.token_training import train_on_tokens

# what BERT's own layers begin with
_INITIAL_DEVIATION = 0.02
# a seen tag may have no token in the features
_LEAST = 1e-6


class CRTOptions(TokenTrainingOptions):
    """Options of `crt`. The objective must not look at neighbouring tokens, for the features do not keep them."""

    epochs: int = Field(default=10, ge=1, le=1000, description="as many draws each as there are training tokens")
    learning_rate: float = Field(default=0.005, gt=0, lt=1, description="of AdamW at the start; falls to 0 by a cosine")
    objective: str = Field(default="cross-entropy", description="the loss, see raretag objectives")
    objective_options: dict[str, Any] = Field(default={}, description="the options of that objective")

    @field_validator("objective")
    @classmethod
    def _of_single_tokens(cls, name: str) -> str:
        fitting = {one: entry.method for one, entry in OBJECTIVES.items() if entry.fits("softmax")}
        if name in fitting and fitting[name].sequential:
            raise ValueError(f"{name!r} looks at neighbouring tokens, which are not cached")
        if name not in fitting:
            allowed = ", ".join(one for one, method in fitting.items() if not method.sequential)
            raise ValueError(f"no such objective for a softmax head: {name!r}; there are: {allowed}")
        return name

    @field_validator("objective_options")
    @classmethod
    def _its_own_options(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        # an objective that is refused is not there
        if "objective" in info.data:
            OBJECTIVES[info.data["objective"]].options.model_validate(options)
        return options


@final
class CRT(SecondStage[CRTOptions]):
    """Classifier re-training (Kang et al. 2020, arXiv 1910.09217, section 4): the encoder learns from the data as they
    are, the head from tokens drawn so that every label is as frequent as any other.

    Its prior is what the objective makes of the sampled marginals.
    """

    options_type = CRTOptions

    def _retrain(self, head: nn.Linear, features: Features, *, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        seen = torch.from_numpy(self.schema.seen)
        fresh = rng.normal(scale=_INITIAL_DEVIATION, size=tuple(head.weight.shape)).astype(np.float32)
        weight = (torch.from_numpy(fresh) * seen[:, None]).requires_grad_()
        # where the objective's optimum is as long as text explains nothing: rare labels need not climb there first
        start = torch.from_numpy(np.log(self._prior(features).clip(min=_LEAST)).astype(np.float32))
        bias = torch.where(seen, start, UNSEEN_LOGIT).requires_grad_()
        train_on_tokens(
            lambda hidden: nn.functional.linear(hidden, weight, bias),
            (weight, bias),
            features=features,
            probabilities=token_probabilities(features.tags, marginals=self._marginals(features)),
            objective=self._objective(),
            epochs=self.options.epochs,
            batch_tokens=self.options.batch_tokens,
            learning_rate=self.options.learning_rate,
            rng=rng,
        )
        return weight, bias

    @property
    def prior_is_unique(self) -> bool:
        """That of the objective."""
        return self._objective().prior_is_unique

    def _prior(self, features: Features) -> Array:
        return self._objective().effective_prior(self._marginals(features))

    def _marginals(self, features: Features) -> Array:
        counts = np.bincount(features.tags, minlength=len(self.schema.tags))
        return sampled_marginals(counts, groups=self.schema.groups, options=self.options)

    def _objective(self) -> Objective[Any]:
        """A fresh one: some keep statistics."""
        return objective(
            self.options.objective,
            counts=self.schema.tag_counts,
            groups=self.schema.groups,
            **self.options.objective_options,
        )
