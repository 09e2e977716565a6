"""Which label each target of a batch belongs to, as the layout of the head has it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from raretag.objectives.base import IGNORE_INDEX


class Targets(ABC):
    """From labels as a batch holds them to the group of each target: 0 outside, 1 + k label k of the schema."""

    @abstractmethod
    def groups(self, labels: Tensor) -> Tensor:
        """int64 (targets,), in the order of `labels` without its −100."""

    @abstractmethod
    def forces(self, gradient: Tensor, labels: Tensor, *, number: int) -> Tensor:
        """Pull and push on each of `number` groups, float32 (2, groups), from ∂loss/∂logits, which has `labels`' shape
        and the logits' last axis.

        Pull is −Σ of the gradient over a group's own targets and own logits, push the Σ over the others' targets. For
        cross-entropy they are Σ (1 − p) over the own and Σ p over the other targets, divided by N, where p is the
        probability of the group; a free bias is at rest where they are equal.
        """


@final
class SharedTargets(Targets):
    """One tag a token: the label is that of the gold tag. labels: int64 (windows, tokens)."""

    def __init__(self, tag_groups: npt.ArrayLike) -> None:
        """tag_groups: int (tags,), as `Schema.groups`."""
        self._groups = torch.as_tensor(np.asarray(tag_groups, dtype=np.int64))

    def groups(self, labels: Tensor) -> Tensor:
        """The group of each gold tag."""
        return self._groups.to(labels.device)[labels[labels != IGNORE_INDEX]]

    def forces(self, gradient: Tensor, labels: Tensor, *, number: int) -> Tensor:
        """For logits (windows, tokens, tags)."""
        own = self.groups(labels)
        rows = gradient[labels != IGNORE_INDEX].float()
        received = rows.new_zeros(len(rows), number).index_add_(1, self._groups.to(rows.device), rows)
        pull = -received.gather(1, own[:, None])[:, 0]
        pulls = rows.new_zeros(number).index_add_(0, own, pull)
        return torch.stack([pulls, received.sum(dim=0) + pulls])


@final
class LayeredTargets(Targets):
    """One tag a token and label: the label is that of the slot. labels: int64 (windows, tokens, labels), 0 outside."""

    def groups(self, labels: Tensor) -> Tensor:
        """The label of each slot, whatever its tag."""
        return (labels != IGNORE_INDEX).nonzero()[:, -1] + 1

    def forces(self, gradient: Tensor, labels: Tensor, *, number: int) -> Tensor:
        """For logits (windows, tokens, labels, tags of a label), of begin and inside: 0 for what is outside."""
        kept = labels != IGNORE_INDEX
        received = gradient[kept].float()[:, 1:].sum(dim=-1)
        inside = labels[kept] > 0
        parts = torch.stack([torch.where(inside, -received, 0), torch.where(inside, 0, received)])
        return parts.new_zeros(2, number).index_add_(1, self.groups(labels), parts)
