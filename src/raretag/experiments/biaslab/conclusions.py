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
# below this share of what there is to know, what differs from the prior was not learned from the labels
_LEARNED: Final = 0.1
# more labels than this are counted, not named
_LISTED: Final = 6

_OPENINGS: Final = {
    "preserves": "It keeps the probabilities{among}",
    "undecided": "This much text cannot tell its errors{among} from chance",
}


def conclude(summary: Summary, *, outside_is_drawn: bool = True) -> Conclusion:
    """The verdict is on expected shares (soft), on held-out text, at the end of training, as the model gives them.

    preserves: no seed's p-value is below 0.01 / seeds, and shares are off by at most a fifth of themselves on average;
    undecided: by more, but so little text cannot tell it from chance. Else amplifies or flattens, by whether the
    exponent is above 1.05 or below 0.95; reverses where it is below 0; shifts where it is neither or undefined: shares
    are wrong, but not by their rank. Without a p-value (word types) the fifth alone decides.
    outside_is_drawn: false where mentions are labelled. The verdict is then on the shares among labels, as the p-value
    is, for `O` is where the text has it.
    """
    soft = summary.end.cell("held_out", "soft", "raw")
    verdict = _verdict(summary, soft, outside_is_drawn=outside_is_drawn)
    return Conclusion(
        mechanism=summary.mechanism,
        marginals=summary.marginals,
        verdict=verdict,
        sentences=(_what(summary, soft, verdict, outside_is_drawn=outside_is_drawn), _why(summary, verdict)),
    )


def _verdict(summary: Summary, soft: SummaryCell, *, outside_is_drawn: bool) -> Verdict:
    error = soft.relative_error.mean or 0.0
    if not outside_is_drawn:
        error = _relative_error_among_labels(soft.predicted, summary.empirical["held_out"])
    kept = error <= _KEPT
    # whether chance may be all there is to it
    chance = kept if soft.p_value.low is None else soft.p_value.low >= LEVEL / len(summary.seeds)
    if chance:
        return "preserves" if kept else "undecided"
    exponent = _exponent(soft, outside_is_drawn=outside_is_drawn).mean
    if exponent is None or abs(exponent - 1) <= _LEVELLED:
        return "shifts"
    if exponent < 0:
        return "reverses"
    return "amplifies" if exponent > 1 else "flattens"


def _exponent(soft: SummaryCell, *, outside_is_drawn: bool) -> Spread:
    return soft.amplification if outside_is_drawn else soft.amplification_among_labels


def _relative_error_among_labels(predicted: Sequence[float], empirical: Sequence[float]) -> float:
    """The mean of |p̂ − p| / p, both shares among labels; 1 where no label is predicted."""
    labels = [(there, told) for there, told in zip(empirical[1:], predicted[1:], strict=True) if there > 0]
    told, there = sum(told for _, told in labels), sum(there for there, _ in labels)
    if told == 0:
        return 1.0
    return sum(abs(q / told - p / there) * there / p for p, q in labels) / len(labels)


def _what(summary: Summary, soft: SummaryCell, verdict: Verdict, *, outside_is_drawn: bool) -> str:
    true = summary.empirical["held_out"]
    rarest = min(range(len(true)), key=lambda place: (true[place], -place))
    largest = max(range(len(true)), key=lambda place: true[place])
    told = " and ".join(
        f"{_percent(soft.predicted[place])} to {summary.labels[place]}, which has {_percent(true[place])}"
        for place in (largest, rarest)
    )
    figure = _exponent(soft, outside_is_drawn=outside_is_drawn).mean
    among = "" if outside_is_drawn else " among labels"
    exponent = "" if figure is None else f", exponent{among} {figure:.2f}"
    opening = _OPENINGS.get(verdict, "It {verdict} the probabilities{among}").format(verdict=verdict, among=among)
    return f"{opening}: on held-out text it gives {told} (total variation {_figure(soft.tv)}{exponent})."


def _why(summary: Summary, verdict: Verdict) -> str:
    hard = summary.end.cell("held_out", "hard", "raw")
    restored = summary.end.cell("held_out", "soft", "restored")
    lost = [label for label, number in hard.never_predicted.items() if number == len(summary.seeds)]
    decision = (
        f"no token is decided to be {_listed(lost, of=len(summary.labels))}"
        if lost
        else f"decided tags have a total variation of {_figure(hard.tv)}"
    )
    if verdict in ("preserves", "undecided"):
        return f"When tags are decided, {decision}: that comes from the decision, not from the training."
    predicted = summary.end.cell("training", "soft", "raw").predicted
    foretold, moved = (_distance(predicted, one) for one in (summary.effective_prior, summary.empirical["training"]))
    if moved < 0.01:
        cause = "Training text has its shares back, so the difference is one of generalisation"
    else:
        degree = "what" if foretold <= moved / 2 else "in part what" if foretold < moved else "not what"
        cause = f"That is {degree} its effective prior foretells (on training text {foretold:.3f} from it)"
        if degree != "what" and (summary.end.memorised.mean or 0.0) < _LEARNED:
            cause += ", for training had not come to rest"
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


def _listed(labels: Sequence[str], *, of: int) -> str:
    if len(labels) > _LISTED:
        return f"any of {len(labels)} labels out of {of}"
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} or {labels[-1]}"
