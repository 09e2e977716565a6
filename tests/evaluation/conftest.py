from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from raretag.decision.outcomes import Outcomes


def outcomes_of(
    documents: int, labels: Sequence[str], *, groups: Sequence[tuple[str, str]] | None = None, **counts: Any
) -> Outcomes:
    """Outcomes with the counts named, by document and label, or by document; all others are 0.

    mislabelled: its own rows; without them gold and decided labels are paired in order.
    """
    pairs = counts.pop("mislabelled", None)
    names = tuple(f"d{number}" for number in range(documents))
    by_label = ("gold", "found", "reviewed", "wrong_label", "wrong_label_as", "missed", "false_alarms")
    shapes: dict[str, tuple[int, ...]] = {name: (documents, len(labels)) for name in by_label}
    shapes |= dict.fromkeys(("reviews", "reviewed_tokens", "tokens"), (documents,))
    assert not {*counts} - {*shapes}
    told: dict[str, Any] = {
        name: np.asarray(counts.get(name, np.zeros(shape)), dtype=np.int64).reshape(shape)
        for name, shape in shapes.items()
    }
    if pairs is None:
        gold, decided = (
            [(row, k) for row, own in enumerate(told[name]) for k in np.repeat(range(len(labels)), own)]
            for name in ("wrong_label", "wrong_label_as")
        )
        pairs = [(row, k, other) for (row, k), (_, other) in zip(gold, decided, strict=True)]
    told["mislabelled"] = np.array(pairs, dtype=np.int64).reshape(-1, 3)
    own = tuple(("document", name) for name in names)
    return Outcomes(documents=names, groups=own if groups is None else tuple(groups), labels=tuple(labels), **told)
