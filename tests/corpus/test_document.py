"""Documents: what makes two of them the same note."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raretag.corpus.document import Document, Mention


def fingerprint(text: str) -> str:
    return Document(id="a", text=text).fingerprint


@pytest.mark.parametrize(
    "text",
    [
        "Fièvre\r\net toux.\r\n",
        "\ufeffFièvre\net toux.",
        "  Fièvre\u00a0et\t toux.\n\n",
        unicodedata.normalize("NFD", "Fièvre et toux."),
        "Fie\ufeff\u0300vre et toux.",
    ],
)
def test_the_same_note_in_another_form_is_recognised(text: str) -> None:
    assert fingerprint(text) == fingerprint("Fièvre et toux.")


@pytest.mark.parametrize("text", ["Fievre et toux.", "fièvre et toux.", "Fièvre ettoux.", "Fièvre et toux", ""])
def test_another_note_is_not(text: str) -> None:
    assert fingerprint(text) != fingerprint("Fièvre et toux.")


@given(st.text(st.characters(), max_size=20), st.sampled_from(["NFC", "NFD"]))
def test_form_and_white_space_never_matter(text: str, form: str) -> None:
    other = unicodedata.normalize(form, text.replace("\ufeff", "")).replace(" ", "\r\n")  # type: ignore[arg-type]
    assert fingerprint(f"\ufeff\n{other} ") == fingerprint(text)
    assert fingerprint(f"{text} x") != fingerprint(text)


def test_parts_that_touch_cover_what_one_part_does() -> None:
    parted = Mention(label="A", start=0, end=9, fragments=((0, 3), (3, 5), (7, 9)))
    assert parted.covered == ((0, 5), (7, 9))
    assert Mention(label="A", start=0, end=5, fragments=((0, 3), (3, 5))).covered == ((0, 5),)
    assert Mention(label="A", start=2, end=5).covered == ((2, 5),)


def test_a_patients_documents_are_drawn_together() -> None:
    assert Document(id="a", text="", metadata={"group": "b"}).unit == ("group", "b")
    assert Document(id="b", text="").unit == Document(id="b", text="", metadata={"group": ""}).unit == ("document", "b")
