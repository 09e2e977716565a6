"""What came of decisions, against the gold: found, sent to review, wrong label, missed; and false alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """Counts by document, and by label in alphabetical order.

    Each gold mention is one of: found (an accepted mention has its label and exactly its characters), else reviewed
    (more than half of its characters lie in stretches sent to review), else wrong_label (an accepted mention has
    exactly its characters and another label), else missed. Accepted mentions pair one to one.
    An accepted mention that is neither found nor wrong_label is a false alarm, under its own label; one whose gold
    mention was counted as reviewed is a false alarm, too.

    gold, found, reviewed, wrong_label, missed: int64 (documents, labels), by the label of the gold mention.
    wrong_label_as, false_alarms: int64 (documents, labels), by the label that was decided. reviews: int64
    (documents,), stretches sent to review. reviewed_tokens, tokens: int64 (documents,).
    documents: their ids. groups: what each document is resampled with, as in `raretag.evaluation.Counts`.
    """

    documents: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]
    labels: tuple[str, ...]
    gold: npt.NDArray[np.int64]
    found: npt.NDArray[np.int64]
    reviewed: npt.NDArray[np.int64]
    wrong_label: npt.NDArray[np.int64]
    missed: npt.NDArray[np.int64]
    wrong_label_as: npt.NDArray[np.int64]
    false_alarms: npt.NDArray[np.int64]
    reviews: npt.NDArray[np.int64]
    reviewed_tokens: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int64]
