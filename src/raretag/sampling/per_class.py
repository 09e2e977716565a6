"""BTL's batches: each is about one label, by its targets or by its windows alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, final

import numpy as np
from pydantic import Field

from raretag.objectives.base import IGNORE_INDEX
from raretag.options import Options
from raretag.sampling.base import Budget, WindowSampler
from raretag.sampling.draw import Draw
from raretag.sampling.marginals import Array, Kind
from raretag.sampling.packing import about_by_length, bucket, consecutive
from raretag.sampling.systematic import systematic
from raretag.sampling.windows import Integers, Windows

_POWERS = {"uniform": 0.0, "square-root": 0.5, "proportional": 1.0}


class PerClassOptions(Options):
    """Options of `per-class`."""

    others: Literal["mask", "relabel", "keep"] = Field(
        default="mask",
        description="tokens of labels that the batch is not about: left out of the loss, taken as O, "
        "or learned like any other",
    )
    order: Literal["square-root", "uniform", "proportional", "round-robin"] = Field(
        default="square-root",
        description="how many batches a label gets: in proportion to the root of the number of windows that hold it, "
        "all the same, in proportion to that number, or one after the other in turn",
    )
    without: float | None = Field(
        default=0.25, ge=0, lt=1, description="share of a batch's windows without its label; null: windows as they come"
    )


@final
class PerClass(WindowSampler[PerClassOptions]):
    """Batches that each are about one label against `O` (BTL; Rehman et al. 2024, arXiv 2409.03238).

    Label k gets the share q_k ∝ n_k^p of the batches, n_k windows holding it, p = ½ (`square-root`), 0 (`uniform`,
    `round-robin`) or 1 (`proportional`). Its windows, joined by some `without` it that are drawn at random, go into
    batches by length, each once before any comes again in that epoch; a batch may be small, but repeats none.
    Of windows without the label there come no more than exist, each only where it fits beside one that holds it.
    With r_k the share of k among the targets of its batches, cross-entropy on masked batches learns ∝ q_k r_k for k
    and ∝ Σ q_k (1 − r_k) for `O`; relabelled ones differ in r_k only. With `others` kept, a batch is about k by its
    windows alone: every tag y stays a target, and is learned ∝ Σ q_k r_ky, r_ky its share in batches about k.
    Draws carry the label as `focus`.
    """

    options_type = PerClassOptions

    def __init__(self, windows: Windows, *, budget: Budget, options: PerClassOptions | None = None) -> None:
        """Raises ValueError also where no window holds any label."""
        super().__init__(windows, budget=budget, options=options)
        self._held = windows.label_counts > 0
        self._labels = np.flatnonzero(self._held.any(axis=0))
        if not len(self._labels):
            raise ValueError(f"none of {len(windows)} windows holds a label, and each batch must be about one")

    @property
    def batch_shares(self) -> Array:
        """q_k, float64 (labels,): the share of the batches that is about each label, 0 for one that no window holds."""
        shares = np.zeros(self._held.shape[1])
        shares[self._labels] = self._shares()
        return shares

    def targets(self, tags: Integers, draw: int) -> Integers:
        """Tokens of labels other than the draw's are −100 or, relabelled, 0; of (tokens, labels) one column is left.

        With `others` kept, all tags are as they were.
        """
        focus = Draw.of(draw).focus
        if not focus or self.options.others == "keep":
            return tags
        if tags.ndim == 2:
            return np.where(np.arange(1, tags.shape[1] + 1) == focus, tags, IGNORE_INDEX)
        foreign = (tags > 0) & (self.windows.groups[np.maximum(tags, 0)] != focus)
        return np.where(foreign, IGNORE_INDEX if self.options.others == "mask" else 0, tags)

    def _batches(self, epoch: int, rng: np.random.Generator) -> Sequence[list[int]]:
        order = self._order(epoch, rng)
        if self.options.without is None:
            found = iter(bucket(self.windows.lengths, batches=self.batches_in_epoch, rng=rng))
            return [_draws(next(found), label) for label in order]
        waiting = {label: self._about(label, number=order.count(label), rng=rng) for label in sorted(set(order))}
        return [_draws(waiting[label].pop(), label) for label in order]

    def _order(self, epoch: int, rng: np.random.Generator) -> list[int]:
        """The label that each batch of the epoch is about."""
        if self.options.order == "round-robin":
            turns = epoch * self.batches_in_epoch + np.arange(self.batches_in_epoch)
            return list(self._labels[turns % len(self._labels)].tolist())
        found = systematic(self.batches_in_epoch * self._shares(), seed=self.budget.seed, epoch=epoch)
        return list(rng.permutation(self._labels[found]).tolist())

    def _shares(self) -> Array:
        """q: the share of the batches that is about each label that any window holds."""
        weights = self._held[:, self._labels].sum(axis=0) ** _POWERS.get(self.options.order, 0.0)
        return np.asarray(weights / weights.sum())

    def _about(self, label: int, *, number: int, rng: np.random.Generator) -> list[Integers]:
        """`number` batches about a label: its windows again and again, in other company each time."""
        found: list[Integers] = []
        while len(found) < number:
            found += self._round(label, rng)
        return found[:number]

    def _round(self, label: int, rng: np.random.Generator) -> list[Integers]:
        """Batches that together hold each window with the label once, in random order."""
        held = self._held[:, label]
        share = self.options.without or 0.0
        joining = int(held.sum() * share / (1 - share) + rng.uniform())
        rest = np.flatnonzero(~held)
        chosen = [np.flatnonzero(held), rng.choice(rest, min(joining, len(rest)), replace=False)]
        sorted_by_length = [part[about_by_length(self.windows.lengths[part], rng=rng)] for part in chosen]
        # both parts go from short to long side by side, so that each batch has its share of both
        places = np.concatenate([(np.arange(len(part)) + 0.5) / max(len(part), 1) for part in chosen])
        merged = np.concatenate(sorted_by_length)[np.argsort(places, kind="stable")]
        cut = [merged[piece] for piece in consecutive(self.windows.lengths[merged], tokens=self.budget.tokens)]
        about = [batch for batch in cut if held[batch].any()]
        return [about[number] for number in rng.permutation(len(about))]

    def _kept(self, counts: Array, focus: int) -> Array:
        if self.options.others == "keep":
            return counts
        own = self.windows.groups == focus
        kept = np.where(own | (self.windows.groups == 0), counts, 0.0)
        if self.options.others == "relabel":
            kept[0] += counts.sum() - kept.sum()
        return kept

    def _kept_by_label(self, counts: Array, focus: int) -> Array:
        kept = super()._kept_by_label(counts, focus)
        if self.options.others == "keep":
            return kept
        return np.where(np.arange(1, len(kept) + 1)[:, None] == focus, kept, 0.0)

    def _kinds(self) -> Sequence[Kind]:
        kinds = []
        for label, share in zip(self._labels.tolist(), self._shares().tolist(), strict=True):
            held = self._held[:, label]
            without = self.options.without
            if without is None or held.all():
                visits = np.ones(len(held))
            else:
                visits = np.where(held, (1 - without) / held.sum(), without / max((~held).sum(), 1))
            kinds.append(Kind(share, visits, label + 1))
        return kinds


def _draws(batch: Integers, label: int) -> list[int]:
    return [Draw(window, focus=label + 1) for window in batch.tolist()]
