"""What was done, as pairs of words for the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from raretag.experiments.biaslab.results import BiasLabResults, Part
from raretag.reporting.biaslab.numbers import DASH, counted

PART_WORDS: Final[dict[Part, str]] = {"training": "training", "held_out": "held out"}
# settings that a reader looks for first, where the results have them, and what their values mean
_FIRST: Final = ("design", "model", "encoder", "scheme")
_MEANINGS: Final = {
    ("design", "token"): "each token gets a label of its own",
    ("design", "mention"): "each true mention gets a label, its boundaries are kept",
    ("design", "word-type"): "all tokens of a vocabulary entry get the same label, so that it can be memorised",
    ("model", "bias-only"): "a bias for each tag, which sees no text",
    ("model", "frozen"): "a head on the encoder's hidden states, the encoder at rest",
    ("model", "full"): "the encoder learns too",
}


def facts(results: BiasLabResults) -> tuple[tuple[str, str], ...]:
    """Text, its size, the design, the model, the seeds and the steps."""
    text = results.text
    seeds = sorted({seed for summary in results.summaries for seed in summary.seeds})
    steps = sorted({run.steps for run in results.runs})
    mechanisms = len({summary.mechanism for summary in results.summaries})
    marginals = list(dict.fromkeys(summary.marginals for summary in results.summaries))
    found = [
        ("text", text.name),
        ("documents", _by_part(text.documents)),
        ("judged tokens", _by_part(text.tokens)),
        ("shares of the labels", "; ".join(marginals)),
    ]
    found += [(key, _explained(key, results.settings[key])) for key in _FIRST if key in results.settings]
    found += [
        ("mechanisms", f"{mechanisms:,}"),
        ("seeds", ", ".join(map(str, seeds)) or DASH),
        ("training", _steps(steps)),
    ]
    return tuple(found)


def all_settings(results: BiasLabResults) -> tuple[tuple[str, str], ...]:
    """Settings by dotted path, in the order of the results; without those of the mechanisms, which fill pages."""
    return tuple(_flat({key: value for key, value in results.settings.items() if key != "mechanisms"}, path=""))


def _flat(value: Any, *, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, path=f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str) and any(isinstance(v, Mapping) for v in value):
        for number, inner in enumerate(value, start=1):
            yield from _flat(inner, path=f"{path}.{number}")
    else:
        yield path, _value(value)


def _value(value: Any) -> str:
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(inner)}" for key, inner in value.items()) or DASH
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_value, value)) or DASH
    return str(value)


def _explained(key: str, value: Any) -> str:
    meaning = _MEANINGS.get((key, value)) if isinstance(value, str) else None
    return _value(value) if meaning is None else f"{value}: {meaning}"


def _by_part(counts: Mapping[Part, int]) -> str:
    return ", ".join(f"{counts[part]:,} {words}" for part, words in PART_WORDS.items() if part in counts)


def _steps(steps: Sequence[int]) -> str:
    if not steps:
        return DASH
    return counted(steps[0], "step") if len(steps) == 1 else f"{steps[0]:,} to {counted(steps[-1], 'step')}"
