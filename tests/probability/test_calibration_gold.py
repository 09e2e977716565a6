"""Gold without text: back as it was written, and enough for tagging."""

from __future__ import annotations

import json

import pytest

from raretag.corpus import Document, Mention
from raretag.probability.calibration_gold import GoldDocument

NOTE = Document(
    id="note-1",
    text="fever and cough, no rash",
    mentions=(
        Mention(label="Symptom", start=0, end=5, note="kept nowhere"),
        Mention(label="Symptom", start=0, end=15, fragments=((0, 5), (10, 15))),
        Mention(label="Sign", start=20, end=24),
    ),
    metadata={"group": "patient-7", "split": "train"},
)


def test_json_and_back() -> None:
    gold = GoldDocument.of(NOTE)
    assert GoldDocument.from_json(json.loads(json.dumps(gold.to_json()))) == gold
    assert [one.parts for one in gold.mentions] == [one.parts for one in NOTE.mentions]


def test_no_text_is_kept() -> None:
    told = json.dumps(GoldDocument.of(NOTE).to_json())
    assert not any(word in told for word in ("fever", "cough", "rash", "kept nowhere"))


def test_the_blank_document_has_the_same_offsets() -> None:
    blank = GoldDocument.of(NOTE).blank
    assert len(blank.text) == len(NOTE.text)
    assert not blank.text.strip()
    assert [(one.label, one.parts) for one in blank.mentions] == [(one.label, one.parts) for one in NOTE.mentions]


def test_the_blank_document_is_of_the_same_patient() -> None:
    assert GoldDocument.of(NOTE).blank.unit == ("group", "patient-7")
    assert GoldDocument.of(Document(id="patient-7", text="x")).blank.unit == ("document", "patient-7")


@pytest.mark.parametrize("damage", [{"mentions": [["A", [3, 1]]]}, {"mentions": [["A"]]}, {"characters": "x"}])
def test_damage_is_an_error(damage: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, IndexError)):
        GoldDocument.from_json({**GoldDocument.of(NOTE).to_json(), **damage})
