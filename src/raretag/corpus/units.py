"""What belongs together: documents of one patient or with one text are one, however they are called."""

from __future__ import annotations

from collections.abc import Sequence


def tied(documents: Sequence[tuple[str, str, str]]) -> list[list[int]]:
    """Numbers of documents that must not be parted, in the order of the first of each.

    documents: id, fingerprint of the text, and patient, empty where none is named. Ties carry on: a text that two
    patients share makes both one.
    """
    leader: dict[object, object] = {}

    def find(key: object) -> object:
        while leader.setdefault(key, key) != key:
            leader[key] = key = leader[leader[key]]
        return key

    for identity, fingerprint, patient in documents:
        leader[find(("text", fingerprint))] = find(("id", identity))
        if patient:
            leader[find(("group", patient))] = find(("id", identity))
    units: dict[object, list[int]] = {}
    for number, (identity, _, _) in enumerate(documents):
        units.setdefault(find(("id", identity)), []).append(number)
    return list(units.values())
