"""From the counts of one scheme to its figures: micro, macro, tail groups and every label, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from raretag.corpus.inventory import TAIL_GROUPS, tail_group
from raretag.evaluation.counts import CORRECT, GOLD, PREDICTED, Counts
from raretag.evaluation.figures import GroupFigures, LabelFigures, MacroFigures, MicroFigures, SchemeFigures
from raretag.evaluation.intervals import Interval, percentile_interval, resample
from raretag.evaluation.rates import F1, PRECISION, RECALL, Floats, macro_rates, micro_rates, rates, with_lost_labels

Mask = NDArray[np.bool_]


class _Common(TypedDict):
    precision: float | None
    recall: float | None
    f1: float | None
    gold: int
    predicted: int
    correct: int
    precision_interval: Interval | None
    recall_interval: Interval | None
    f1_interval: Interval | None


def scheme_figures(counts: Counts, *, training_counts: Mapping[str, int], resamples: int, seed: int) -> SchemeFigures:
    """All figures of one scheme.

    `training_counts` are training mentions per label; a label that is not among them had none, so it is in
    the tail. The labels that a macro figure averages are chosen once, by the gold of all documents; in a
    resample those of them that have no gold there count as `with_lost_labels` says. Raises UsageError as
    `resample` does.
    """
    total = counts.values.sum(axis=0)
    drawn = resample(counts.values, groups=counts.groups, resamples=resamples, seed=seed)
    # row 0 is the data, the others are the resamples: every figure is computed on all of them alike
    stack = np.concatenate([total[None].astype(np.float64), drawn])
    training = {label: training_counts.get(label, 0) for label in counts.labels}
    groups = {label: tail_group(number) for label, number in training.items()}
    single = rates(stack)
    return SchemeFigures(
        micro=MicroFigures(**_common(micro_rates(stack), counts=total.sum(axis=0))),
        macro=_macro(stack, labels=counts.labels, least=1),
        macro10=_macro(stack, labels=counts.labels, least=10),
        groups={
            group: _group(stack, labels=counts.labels, members=np.array([g == group for g in groups.values()], bool))
            for group in TAIL_GROUPS
        },
        labels={
            label: LabelFigures(**_common(single[:, k], counts=total[k]), training=training[label], group=groups[label])
            for k, label in enumerate(counts.labels)
        },
    )


def _macro(stack: Floats, *, labels: tuple[str, ...], least: int) -> MacroFigures:
    members = stack[0, :, GOLD] >= least
    total = stack[0, members].sum(axis=0)
    inside = stack[:, members]
    common = _common(macro_rates(with_lost_labels(inside, inside[0])), counts=total)
    # labels that lose their few predictions would leave its mean, and it would lie above the figure
    common["precision_interval"] = None
    return MacroFigures(
        **common,
        labels=_chosen(labels, members=members),
        excluded=_chosen(labels, members=~members),
        labels_with_precision=int((stack[0, members, PREDICTED] > 0).sum()),
    )


def _group(stack: Floats, *, labels: tuple[str, ...], members: Mask) -> GroupFigures:
    inside = stack[:, members]
    macro_f1 = macro_rates(with_lost_labels(inside, inside[0]))[:, F1]
    return GroupFigures(
        **_common(micro_rates(inside), counts=inside[0].sum(axis=0)),
        labels=_chosen(labels, members=members),
        macro_f1=_defined(macro_f1[0]),
        macro_f1_interval=percentile_interval(macro_f1[1:]),
        macro_labels=_chosen(labels, members=members & (stack[0, :, GOLD] > 0)),
    )


def _common(samples: Floats, *, counts: NDArray[np.int64] | Floats) -> _Common:
    return _Common(
        precision=_defined(samples[0, PRECISION]),
        recall=_defined(samples[0, RECALL]),
        f1=_defined(samples[0, F1]),
        gold=int(counts[GOLD]),
        predicted=int(counts[PREDICTED]),
        correct=int(counts[CORRECT]),
        precision_interval=percentile_interval(samples[1:, PRECISION]),
        recall_interval=percentile_interval(samples[1:, RECALL]),
        f1_interval=percentile_interval(samples[1:, F1]),
    )


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _chosen(labels: tuple[str, ...], *, members: Mask) -> tuple[str, ...]:
    return tuple(label for label, member in zip(labels, members.tolist(), strict=True) if member)
