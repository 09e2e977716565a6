"""What a mechanism does to the planted probabilities, in two sentences of figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from raretag.experiments.biaslab.results import Conclusion, Spread, Summary, SummaryCell, Verdict

# how rarely a mechanism that preserves is called anything else, over its seeds
LEVEL: Final = 0.01
# exponents nearer to 1 than this are no direction
_LEVELLED: Final = 0.05
# mean relative error up to which shares are kept; with more, too little text is no proof of it
_KEPT: Final = 0.2

_OPENINGS: Final = {
    "preserves": "It keeps the probabilities",
    "undecided": "This much text cannot tell its errors from chance",
}


def conclude(summary: Summary) -> Conclusion:
    """The verdict is on expected shares (soft), on held-out text, at the end of training, as the model gives them.

    preserves: no seed's p-value is below 0.01 / seeds, and shares are off by at most a fifth of themselves on average;
    undecided: by more, but so little text cannot tell it from chance. Else amplifies or flattens, by whether the
    exponent is above 1.05 or below 0.95, and shifts where it is neither: shares are wrong, but not by their rank.
    Without a p-value (word types) the fifth alone decides.
    """
    soft = summary.end.cell("held_out", "soft", "raw")
    verdict = _verdict(soft, seeds=len(summary.seeds))
    return Conclusion(
        mechanism=summary.mechanism,
        marginals=summary.marginals,
        verdict=verdict,
        sentences=(_what(summary, soft, verdict), _why(summary, verdict)),
    )


def _verdict(soft: SummaryCell, *, seeds: int) -> Verdict:
    kept = (soft.relative_error.mean or 0.0) <= _KEPT
    # whether chance may be all there is to it
    chance = kept if soft.p_value.low is None else soft.p_value.low >= LEVEL / seeds
    if chance:
        return "preserves" if kept else "undecided"
    exponent = soft.amplification.mean
    if exponent is None or abs(exponent - 1) <= _LEVELLED:
        return "shifts"
    return "amplifies" if exponent > 1 else "flattens"


def _what(summary: Summary, soft: SummaryCell, verdict: Verdict) -> str:
    true = summary.empirical["held_out"]
    rarest = min(range(len(true)), key=lambda place: (true[place], -place))
    largest = max(range(len(true)), key=lambda place: true[place])
    told = " and ".join(
        f"{_percent(soft.predicted[place])} to {summary.labels[place]}, which has {_percent(true[place])}"
        for place in (largest, rarest)
    )
    exponent = "" if soft.amplification.mean is None else f", exponent {soft.amplification.mean:.2f}"
    opening = _OPENINGS.get(verdict, f"It {verdict} the probabilities")
    return f"{opening}: on held-out text it gives {told} (total variation {_figure(soft.tv)}{exponent})."


def _why(summary: Summary, verdict: Verdict) -> str:
    hard = summary.end.cell("held_out", "hard", "raw")
    restored = summary.end.cell("held_out", "soft", "restored")
    lost = [label for label, number in hard.never_predicted.items() if number == len(summary.seeds)]
    decision = (
        f"no token is decided to be {_listed(lost)}"
        if lost
        else f"decided tags have a total variation of {_figure(hard.tv)}"
    )
    if verdict in ("preserves", "undecided"):
        return f"Yet {decision}: what the decision does is not told by the probabilities."
    predicted = summary.end.cell("training", "soft", "raw").predicted
    foretold, moved = (_distance(predicted, one) for one in (summary.effective_prior, summary.empirical["training"]))
    if moved < 0.01:
        cause = "Training text has its shares back, so the difference is one of generalisation"
    else:
        degree = "what" if foretold <= moved / 2 else "in part what" if foretold < moved else "not what"
        cause = f"That is {degree} its effective prior foretells (on training text {foretold:.3f} from it)"
    raw = summary.end.cell("held_out", "soft", "raw")
    worse = (restored.tv.mean or 0.0) > 1.1 * (raw.tv.mean or 0.0)
    effect = "restoring the prior makes it worse:" if worse else "with the prior restored"
    return f"{cause}; {effect} the total variation is {_figure(restored.tv)}, and {decision}."


def _distance(left: Sequence[float], right: Sequence[float]) -> float:
    """Total variation."""
    return sum(abs(a - b) for a, b in zip(left, right, strict=True)) / 2


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _figure(spread: Spread) -> str:
    return "undefined" if spread.mean is None else f"{spread.mean:.3f}"


def _listed(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} or {labels[-1]}"
