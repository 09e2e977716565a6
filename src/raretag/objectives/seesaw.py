"""Seesaw loss among labels: frequent labels' tokens push rare labels down less, and mistakes push harder."""

from __future__ import annotations

from typing import Final, final

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Array, Objective
from raretag.objectives.prior import UNSEEN_LOGIT
from raretag.objectives.tying import tied
from raretag.options import Options

# the balance takes some dozens
MAX_STEPS: Final = 10_000


class SeesawOptions(Options):
    """Options of `seesaw`."""

    p: float = Field(default=0.8, ge=0, le=2, description="power of the mitigation factor; 0: none")
    q: float = Field(default=2.0, ge=0, le=4, description="power of the compensation factor; 0: none")


@final
class Seesaw(Objective[SeesawOptions]):
    """ℓ = −log (e^{z_i} / Σ_j S_ij e^{z_j}) for gold tag i, S_ij = min(1, (N_j/N_i)^p) · max(1, (σ_j/σ_i)^q), S_ii = 1.

    Wang et al. 2021, 2008.10032. N counts the tags of a label together; σ = softmax(z) is a constant for the gradient.
    S is 1 between the tags of one label, and wherever i or j is `O`: else every label would flood.
    """

    options_type = SeesawOptions

    def __init__(
        self, counts: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, options: SeesawOptions | None = None
    ) -> None:
        super().__init__(counts, groups=groups, options=options)
        together = tied(self.counts, self.groups)
        logs = np.log(np.maximum(together, together[together > 0].min()))
        inside = self.groups != self.groups[0]
        # the balance for the marginals last asked about
        self._balances: dict[tuple[float, ...], Tensor] = {}
        # whether S may differ from 1, and the log of the mitigation factor; both (gold, other)
        self._apart = inside[:, None] & inside[None, :] & (self.groups[:, None] != self.groups[None, :])
        self._mitigation: Array = self._apart * np.minimum(0.0, self.options.p * (logs[None, :] - logs[:, None]))

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        factors = self._log_factors(logits.detach(), targets)
        return torch.nn.functional.cross_entropy(logits + factors, targets, reduction="none")

    def _log_factors(self, logits: Tensor, targets: Tensor) -> Tensor:
        """log S, (tokens, tags)."""
        mitigation = torch.as_tensor(self._mitigation, dtype=logits.dtype, device=logits.device)[targets]
        apart = torch.as_tensor(self._apart, device=logits.device)[targets]
        ahead = (logits - logits.gather(-1, targets[:, None])).clamp(min=0)
        return mitigation + torch.where(apart, self.options.q * ahead, 0.0)

    def _prior(self, marginals: Array) -> Array:
        """softmax(b) at the balance b."""
        return np.asarray(torch.softmax(self._balance(torch.from_numpy(marginals.sum(axis=0))), dim=0).numpy())

    def _balance(self, mass: Tensor) -> Tensor:
        """The biases, (tags,), where the gradient with σ held is 0: the predictions add up to the marginals `mass`.

        That gradient is none of any function; the balance is found by steps along log(marginals / predictions).
        """
        key = tuple(mass.tolist())
        if key not in self._balances:
            tags = torch.nonzero(mass).flatten()
            wanted = mass[tags]
            biases = torch.full((len(mass),), UNSEEN_LOGIT, dtype=torch.float64)
            biases[tags] = wanted.log() - wanted.log().mean()
            for _ in range(MAX_STEPS):
                rows = biases.expand(len(tags), -1)
                predicted = wanted @ torch.softmax(rows + self._log_factors(rows, tags), dim=-1)[:, tags]
                step = (wanted / predicted).log() / (1 + self.options.q)
                biases[tags] += step
                if step.abs().max() < 1e-13:
                    break
            self._balances = {key: biases}
        return self._balances[key]

    def _population_loss(self, logits: Tensor, marginals: Tensor) -> Tensor:
        """With σ held at the balance: the same optimum, and consistent; beside a regulariser an approximation."""
        mass = marginals.sum(dim=0)
        tags = torch.nonzero(mass).flatten()
        factors = self._log_factors(self._balance(mass).expand(len(tags), -1), tags)
        return (mass[tags] * torch.nn.functional.cross_entropy(logits + factors, tags, reduction="none")).sum()
