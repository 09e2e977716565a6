"""What a mechanism does to the planted probabilities, in two sentences of figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from raretag.experiments.biaslab.results import Conclusion, Spread, Summary, SummaryCell, Verdict

# chance that a mechanism which preserves is called anything else
_LEVEL: Final = 0.01
# exponents nearer to 1 than this are no direction
_LEVELLED: Final = 0.05


def conclude(summary: Summary) -> Conclusion:
    """The verdict is on expected shares (soft), on held-out text, at the end of training, as the model gives them.

    preserves: no seed's p-value is below 0.01 / seeds. Else amplifies or flattens, by whether the exponent is above
    1.05 or below 0.95, and shifts where it is neither: the shares are wrong, but not by their rank.
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
    if soft.p_value.low is not None and soft.p_value.low >= _LEVEL / seeds:
        return "preserves"
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
    opening = "It keeps the probabilities within sampling error" if verdict == "preserves" else f"It {verdict} them"
    return f"{opening}: on held-out text it gives {told} (total variation {_figure(soft.tv)}{exponent})."


def _why(summary: Summary, verdict: Verdict) -> str:
    hard = summary.end.cell("held_out", "hard", "raw")
    restored = summary.end.cell("held_out", "soft", "restored")
    lost = [label for label, number in hard.never_predicted.items() if number == len(summary.seeds)]
    decision = (
        f"decided tag by tag it never predicts {_listed(lost)}"
        if lost
        else f"decided tag by tag the total variation is {_figure(hard.tv)}"
    )
    if verdict == "preserves":
        return (
            f"But {decision}: that comes from the decision, not from the probabilities."
            if lost
            else (f"And {decision}.")
        )
    soft = summary.end.cell("held_out", "soft", "raw")
    foretold = sum(abs(a - b) for a, b in zip(soft.predicted, summary.effective_prior, strict=True)) / 2
    moved = soft.tv.mean or 0.0
    cause = "what" if foretold <= moved / 2 else "in part what" if foretold < moved else "not what"
    return (
        f"That is {cause} its effective prior foretells ({foretold:.3f} from it); with the prior restored the total "
        f"variation is {_figure(restored.tv)}, and {decision}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _figure(spread: Spread) -> str:
    return "undefined" if spread.mean is None else f"{spread.mean:.3f}"


def _listed(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} or {labels[-1]}"
