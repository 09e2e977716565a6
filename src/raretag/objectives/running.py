"""Sums over training tokens, folded into a decaying mean once a batch is complete, alike in every process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@final
class RunningMean:
    """A decaying mean, per token, of statistics (rows, tags): mean ← decay · mean + (1 − decay) · batch mean.

    The parts of an accumulated batch, and of a batch shared by processes, are added up before they count: a loss that
    uses `value` is the same for all of them, so that it does not matter how the batch was cut.
    """

    def __init__(self, initial: npt.NDArray[np.float64], *, decay: float) -> None:
        """initial: the mean before the first batch, float64 (rows, tags). decay: in [0, 1)."""
        self._decay = decay
        self._mean = torch.from_numpy(initial.copy())
        self._sums = torch.zeros_like(self._mean)
        self._tokens = torch.zeros((), dtype=torch.float64)

    def value(self, like: Tensor) -> Tensor:
        """The mean of the batches that are complete, (rows, tags), in the type and on the device of `like`."""
        return self._mean.to(dtype=like.dtype, device=like.device)

    def add(self, sums: Tensor, *, tokens: int, items: int) -> None:
        """Add sums (rows, tags) over `tokens` tokens of a batch that has `items` in all, over all its parts.

        With several processes every one must call this equally often, also where it has no token, with the same
        `items`. Raises ValueError where they differ, as they do with `average_tokens_across_devices=False`.
        """
        # counted in double precision, which not every device has
        part = torch.cat([sums.detach().cpu().double().flatten(), torch.tensor([tokens, items], dtype=torch.float64)])
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            part = part.to(sums.device)
            torch.distributed.all_reduce(part)
            part = part.cpu()
            if int(part[-1]) != items * torch.distributed.get_world_size():
                raise ValueError(
                    f"this process takes a batch for {items} targets and others do not: running statistics need "
                    "average_tokens_across_devices=True"
                )
        self._sums += part[:-2].view_as(self._sums)
        self._tokens += part[-2]
        if self._tokens >= max(items, 1):
            self._mean = self._decay * self._mean + (1 - self._decay) * self._sums / self._tokens
            self.forget_parts()

    def forget_parts(self) -> None:
        """Drop what a batch that was not completed has left."""
        self._sums = torch.zeros_like(self._sums)
        self._tokens = torch.zeros_like(self._tokens)

    def state_dict(self) -> dict[str, Tensor]:
        """The mean, and what has been added since."""
        return {"mean": self._mean.clone(), "sums": self._sums.clone(), "tokens": self._tokens.clone()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` gave. Raises ValueError where shapes differ."""
        if state["mean"].shape != self._mean.shape:
            raise ValueError("running statistics of another schema")
        self._mean, self._sums, self._tokens = (state[name].clone() for name in ("mean", "sums", "tokens"))
