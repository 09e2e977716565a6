"""Every objective by name: its class, one line about it, and its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, final

import numpy.typing as npt

from raretag.entry import Entry, choose
from raretag.errors import UsageError
from raretag.objectives.asymmetric import Asymmetric
from raretag.objectives.base import Objective
from raretag.objectives.boundary import BoundarySmoothing
from raretag.objectives.btl import BTL
from raretag.objectives.combined import Combined, Deferred
from raretag.objectives.cross_entropy import CrossEntropy
from raretag.objectives.dice import Dice, Tversky
from raretag.objectives.focal import Focal
from raretag.objectives.ldam import LDAM
from raretag.objectives.logit_adjustment import BalancedSoftmax, LogitAdjustment
from raretag.objectives.mom import MoM
from raretag.objectives.poly import Poly1
from raretag.objectives.regularisers import ConfidencePenalty, LabelProportion, PriorKL
from raretag.objectives.seesaw import Seesaw
from raretag.objectives.self_adjusting_dice import SelfAdjustingDice
from raretag.objectives.smoothing import LabelSmoothing
from raretag.objectives.soft_f1 import SoftMacroF1
from raretag.objectives.vector_scaling import VectorScaling
from raretag.objectives.weighted import (
    EffectiveNumber,
    InverseCount,
    InverseSqrt,
    OneMinusShare,
    PowerWeighted,
    WeLT,
)


@final
@dataclass(frozen=True)
class ObjectiveEntry(Entry[Objective[Any]]):
    """A registered objective or regulariser.

    `heads` are those it is made for, by their names in `raretag.training.heads`, None if any; `sampler` is the one that
    it is made with.
    """

    heads: tuple[str, ...] | None = None
    sampler: str = "length-bucketed"

    def fits(self, head: str) -> bool:
        """Whether it is made for the head of that name."""
        return self.heads is None or head in self.heads


_SHARED_HEADS: Final = ("softmax", "cosine")
_PAPER: Final = "Rehman et al. 2024, arXiv 2409.03238"
_WELT: Final = "Mobasher et al. 2023, aclanthology.org/2023.bionlp-1.40"

OBJECTIVES: Mapping[str, ObjectiveEntry] = MappingProxyType(
    {
        "cross-entropy": ObjectiveEntry(
            CrossEntropy, "maximum likelihood; keeps the empirical probabilities", "standard"
        ),
        "weighted": ObjectiveEntry(
            PowerWeighted, "weights n^-gamma, capped, B and I tied", "standard; INS and ISNS are its points 1 and 0.5"
        ),
        "inverse-count": ObjectiveEntry(InverseCount, "weights 1/n (INS), capped", f"{_WELT} (INS)"),
        "inverse-sqrt": ObjectiveEntry(InverseSqrt, "weights 1/sqrt(n) (ISNS), capped", f"{_WELT} (ISNS)"),
        "effective-number": ObjectiveEntry(
            EffectiveNumber, "weights by the effective number of samples", "Cui et al. 2019, arXiv 1901.05555"
        ),
        "welt": ObjectiveEntry(WeLT, "weights softmax(1 - share); at most e apart", _WELT),
        "one-minus-share": ObjectiveEntry(OneMinusShare, "weights 1 - share; damps O and little else", _PAPER),
        "focal": ObjectiveEntry(Focal, "lets go of tokens that are already sure", "Lin et al. 2017, arXiv 1708.02002"),
        "asymmetric": ObjectiveEntry(
            Asymmetric, "each tag a question of its own, easy negatives ignored", "Ridnik et al. 2021, arXiv 2009.14119"
        ),
        "poly-1": ObjectiveEntry(
            Poly1, "cross-entropy with its first polynomial term raised", "Leng et al. 2022, arXiv 2204.12511"
        ),
        "dice": ObjectiveEntry(
            Dice,
            "cross-entropy and the soft Dice of every tag over running counts",
            "Milletari et al. 2016, arXiv 1606.04797",
        ),
        "self-adjusting-dice": ObjectiveEntry(
            SelfAdjustingDice,
            "cross-entropy and a token-wise Dice that makes easy tokens weigh less",
            "Li et al. 2020, arXiv 1911.02855",
        ),
        "tversky": ObjectiveEntry(
            Tversky, "as dice, a miss weighing more than a false alarm", "Salehi et al. 2017, arXiv 1706.05721"
        ),
        "soft-macro-f1": ObjectiveEntry(
            SoftMacroF1,
            "cross-entropy and the soft F1 of every label over running counts",
            "Bénédict et al. 2021, arXiv 2108.10566",
        ),
        "ldam": ObjectiveEntry(
            LDAM,
            "a margin that is wider for rare labels, on cosines",
            "Cao et al. 2019, arXiv 1906.07413",
            heads=("cosine",),
        ),
        "logit-adjusted": ObjectiveEntry(
            LogitAdjustment,
            "logits shifted by the log prior, labels and outside by strengths of their own",
            "Menon et al. 2021, arXiv 2007.07314",
        ),
        "balanced-softmax": ObjectiveEntry(
            BalancedSoftmax, "logits shifted by the whole log prior", "Ren et al. 2020, arXiv 2007.10740"
        ),
        "vector-scaling": ObjectiveEntry(
            VectorScaling,
            "logits scaled and shifted by the prior; scales do not fade",
            "Kini et al. 2021, arXiv 2103.01550",
        ),
        "seesaw": ObjectiveEntry(
            Seesaw,
            "rare labels are pushed down less by frequent ones",
            "Wang et al. 2021, arXiv 2008.10032",
            heads=_SHARED_HEADS,
        ),
        "mom": ObjectiveEntry(
            MoM, "more weight for O, a brake on false alarms", "Nemoto et al. 2024, arXiv 2401.11431"
        ),
        "label-smoothing": ObjectiveEntry(
            LabelSmoothing,
            "targets shared with all tags, evenly or by the prior",
            "Szegedy et al. 2016, arXiv 1512.00567",
        ),
        "boundary-smoothing": ObjectiveEntry(
            BoundarySmoothing,
            "neighbours across a mention's boundary share their targets",
            "Zhu & Li 2022, arXiv 2204.12031",
        ),
        "btl": ObjectiveEntry(
            BTL,
            "cross-entropy on batches of one label against O, each tag weighted by 1 - its share",
            _PAPER,
            sampler="per-class",
        ),
    }
)

REGULARISERS: Mapping[str, ObjectiveEntry] = MappingProxyType(
    {
        "prior-kl": ObjectiveEntry(
            PriorKL,
            "keeps the mean prediction at the training shares",
            "Mann & McCallum 2007 (expectation regularisation)",
        ),
        "label-proportion": ObjectiveEntry(
            LabelProportion,
            "keeps each window's mean prediction near the training shares",
            "learning from label proportions",
        ),
        "confidence-penalty": ObjectiveEntry(
            ConfidencePenalty, "rewards uncertainty", "Pereyra et al. 2017, arXiv 1701.06548"
        ),
    }
)


def objective(
    name: str,
    *,
    counts: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    regularisers: Mapping[str, Mapping[str, object]] | None = None,
    start: float = 0.0,
    **options: object,
) -> Objective[Any]:
    """The objective `name`, ready as a Hugging Face `Trainer`'s `compute_loss_func`.

    counts: training tokens of each tag (tags,). groups: int (tags,), equal numbers for tags of one label
    (`Schema.groups`); None leaves every tag on its own. regularisers: names with their options, added to the loss.
    start: share of the steps before which the loss is cross-entropy; needs `advance` to be called, as `raretag train`
    does. options: the objective's own, see docs/objectives.
    Raises UsageError for a name or an option that does not exist or is out of range.
    """
    chosen = build(OBJECTIVES, "objective", name, counts=counts, groups=groups, options=options)
    if not 0 <= start < 1:
        raise UsageError(f"objective {name!r}: start is {start}", remedy="Give a share of the steps, 0 <= start < 1")
    if start > 0:
        chosen = Deferred(CrossEntropy(counts, groups=groups), chosen, start=start)
    added = [
        build(REGULARISERS, "regulariser", one, counts=counts, groups=groups, options=given)
        for one, given in (regularisers or {}).items()
    ]
    return Combined(chosen, added) if added else chosen


def build(
    registry: Mapping[str, ObjectiveEntry],
    role: str,
    name: str,
    *,
    counts: npt.ArrayLike,
    groups: npt.ArrayLike | None,
    options: Mapping[str, object],
) -> Objective[Any]:
    """The registered object `name`. Raises UsageError for a name or an option that does not exist."""
    method, checked = choose(registry, role, name, options)
    try:
        return method(counts, groups=groups, options=checked)
    except ValueError as error:
        raise UsageError(f"{role} {name!r}: {error}", remedy="Give what the message asks for") from error
