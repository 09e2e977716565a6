"""LWS: the head's weights stay, one scale a label is learned."""

from __future__ import annotations

from typing import Literal, final

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from raretag.objectives import objective
from raretag.training.second_stage.base import SecondStage
from raretag.training.second_stage.features import Features
from raretag.training.second_stage.token_sampling import TokenTrainingOptions, sampled_marginals, token_probabilities
from raretag.training.second_stage.token_training import train_on_tokens


class LWSOptions(TokenTrainingOptions):
    """Options of `lws`."""

    epochs: int = Field(default=5, ge=1, le=1000, description="as many draws each as there are training tokens")
    learning_rate: float = Field(default=0.02, gt=0, lt=1, description="of AdamW at the start; falls to 0 by a cosine")
    scales: Literal["label", "tag"] = Field(default="label", description="one scale a label, or one a tag")


@final
class LWS(SecondStage[LWSOptions]):
    """Learnable weight scaling (Kang et al. 2020, arXiv 1910.09217, section 4): z_c ← s_c z_c, s_c > 0.

    s_c = exp(a_c), a_c = 0 at the start, learned with cross-entropy on tokens sampled as for `crt`. The scale is folded
    into weights and bias alike. There is no closed form for its prior.
    """

    options_type = LWSOptions

    def _retrain(self, head: nn.Linear, features: Features, *, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        groups, tags = self.schema.groups, len(self.schema.tags)
        owner = torch.from_numpy(groups if self.options.scales == "label" else np.arange(tags))
        seen = torch.from_numpy(self.schema.seen)
        weight, bias = head.weight.detach(), head.bias.detach()
        logs = torch.zeros(int(owner.max()) + 1, requires_grad=True)

        def scales() -> Tensor:
            # a shut logit stays what it is
            return torch.where(seen, logs[owner].exp(), 1.0)

        marginals = sampled_marginals(
            np.bincount(features.tags, minlength=tags).astype(np.int64), groups=groups, options=self.options
        )
        train_on_tokens(
            lambda hidden: nn.functional.linear(hidden, weight, bias) * scales(),
            (logs,),
            features=features,
            probabilities=token_probabilities(features.tags, marginals=marginals),
            objective=objective("cross-entropy", counts=self.schema.tag_counts, groups=groups),
            epochs=self.options.epochs,
            batch_tokens=self.options.batch_tokens,
            learning_rate=self.options.learning_rate,
            rng=rng,
        )
        return weight * scales()[:, None], bias * scales()
