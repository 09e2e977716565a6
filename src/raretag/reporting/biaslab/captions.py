"""What the figures are called and what is said below them, two sentences each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from raretag.reporting.biaslab.numbers import number, share
from raretag.reporting.biaslab.sections import Section


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A figure's file name begins with `file`; `heading` and `sentences` stand around it on the page."""

    file: str
    heading: str
    sentences: str


PREDICTED: Final = Caption(
    file="predicted",
    heading="Predicted against empirical shares",
    sentences=(
        "A point on the dashed diagonal is a label whose share came out as it went in; above it the label is predicted "
        "too often, below it too rarely. End of training, held-out documents, means over seeds; "
        "a share below the axes, or of 0, lies on their edge."
    ),
)
AMPLIFICATION: Final = Caption(
    file="amplification",
    heading="Amplification along training",
    sentences=(
        "Above 1 the model makes frequent labels more frequent than they are, below 1 it evens them out; the lower "
        "panel tells how much of the training labels it knew by then. "
        "Lines are means over seeds, bands reach from the least to the greatest."
    ),
)
GRADIENT_SHARE: Final = Caption(
    file="gradient-share",
    heading="Share of gradient and loss",
    sentences=(
        "Each area is a label's share of the gradient that reached the head, and of the loss, stacked in the order of "
        "the key from the bottom upwards. Means over seeds; a gap is a window of steps in which shares are undefined."
    ),
)


def predicted_words(section: Section) -> str:
    """The figure for those who cannot see it: predicted shares by label and mechanism."""
    found = []
    for entry in section.entries:
        cell = entry.summary.end.cell("held_out", "soft", "raw")
        shares = ", ".join(
            f"{label} {share(came)} of {share(went)}"
            for label, came, went in zip(
                entry.summary.labels, cell.predicted, entry.summary.empirical["held_out"], strict=True
            )
        )
        found.append(f"{entry.mechanism}: {shares}.")
    return "Soft predicted share of empirical share, by mechanism. " + " ".join(found)


def amplification_words(section: Section) -> str:
    """The figure for those who cannot see it: the exponent at the end, by mechanism."""
    found = [
        f"{entry.mechanism} {number(entry.summary.end.cell('held_out', 'soft', 'raw').amplification.mean, 2)}"
        for entry in section.entries
    ]
    return "Amplification exponent at the end of training, soft, held out: " + "; ".join(found) + "."


def gradient_share_words(section: Section) -> str:
    """The figure for those who cannot see it: what is stacked for which mechanisms and labels."""
    return (
        f"Stacked shares of gradient and loss along training of the labels {', '.join(section.labels)}, "
        f"for the mechanisms {', '.join(entry.mechanism for entry in section.entries)}."
    )
