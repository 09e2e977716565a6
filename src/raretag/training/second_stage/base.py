"""The contract of every second stage: a trained head and the features it saw become another head."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar, cast, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from raretag.errors import DataError
from raretag.objectives.prior import UNSEEN_LOGIT
from raretag.options import Options
from raretag.tagging import Schema
from raretag.training.second_stage.features import Features
from raretag.training.second_stage.marginals import predicted_marginals

Array = npt.NDArray[np.float64]
OptionsT = TypeVar("OptionsT", bound=Options)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Retrained:
    """What a second stage gives back.

    head: float32, a plain linear layer, on the CPU. seconds: what it took. prior: float64 (tags,), the tag marginals
    that the head has where text explains nothing, in closed form if `closed_form`, else the measured ones. measured:
    float64 (tags,), `predicted_marginals` on the training tokens. unique: whether a closed form is the only optimum.
    """

    head: nn.Linear
    seconds: float
    prior: Array
    measured: Array
    closed_form: bool
    unique: bool


class SecondStage(ABC, Generic[OptionsT]):
    """Changes the head and nothing else (Kang et al. 2020, arXiv 1910.09217, section 4).

    Whatever a method does is folded into one weight matrix and one bias, so that the saved folder stays a plain one.
    Tags that training never saw stay shut: weights 0, bias −10⁴.
    """

    options_type: ClassVar[type[Options]] = Options

    def __init__(self, schema: Schema, *, options: OptionsT | None = None) -> None:
        self.schema = schema
        self.options: OptionsT = cast("OptionsT", self.options_type()) if options is None else options

    @property
    def prior_is_unique(self) -> bool:
        """Whether the prior is one point, so that it can be restored; a measured one is."""
        return True

    @final
    def retrain(self, head: nn.Linear, features: Features, *, seed: int) -> Retrained:
        """Another head of the same shape; `head` is left as it is. The same seed gives the same head.

        Raises ValueError where head, features and schema do not fit, DataError where training diverges.
        """
        started = time.perf_counter()
        tags, width = len(self.schema.tags), features.hidden.shape[1]
        if tuple(head.weight.shape) != (tags, width) or head.bias is None:
            raise ValueError(f"the head must be a linear layer with a bias, from {width} to {tags} tags")
        if features.tags.min() < 0 or features.tags.max() >= tags or not self.schema.seen[features.tags].all():
            raise ValueError("features hold a tag that the schema does not have, or says that training never saw")
        old = _plain(head.weight.detach().float().cpu(), head.bias.detach().float().cpu(), seen=self.schema.seen)
        with torch.enable_grad():
            weight, bias = self._retrain(old, features, rng=np.random.default_rng(seed))
        new = _plain(weight.detach(), bias.detach(), seen=self.schema.seen)
        if not bool(new.weight.isfinite().all() and new.bias.isfinite().all()):
            raise DataError("the second stage ended with weights that are no finite numbers", remedy="Lower its rate")
        measured = predicted_marginals(new, features)
        prior = self._prior(features)
        seconds = time.perf_counter() - started
        return Retrained(
            head=new,
            seconds=seconds,
            prior=measured if prior is None else prior,
            measured=measured,
            closed_form=prior is not None,
            unique=self.prior_is_unique,
        )

    @abstractmethod
    def _retrain(self, head: nn.Linear, features: Features, *, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Weights (tags, width) and biases (tags,); rows of unseen tags are shut afterwards."""

    def _prior(self, features: Features) -> Array | None:
        """The prior that the method's optimum has, in closed form; None where there is none."""
        del features
        return None


def _plain(weight: Tensor, bias: Tensor, *, seen: npt.NDArray[np.bool_]) -> nn.Linear:
    """A linear layer of copies of weight and bias, rows of unseen tags shut."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0])
    unseen = torch.from_numpy(~seen)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
        layer.weight[unseen] = 0.0
        layer.bias[unseen] = UNSEEN_LOGIT
    return layer
