import pytest

from raretag.corpus.document import Document, Mention
from raretag.errors import DataError
from raretag.evaluation.counts import count_matches

SECRET = "zq-secret"


def note(name: str, *mentions: Mention, text: str = "x" * 30, **metadata: str) -> Document:
    return Document(id=name, text=text, mentions=mentions, metadata=metadata)


def span(label: str, start: int, end: int) -> Mention:
    return Mention(label=label, start=start, end=end)


def test_counts_per_document_and_label_in_a_fixed_order() -> None:
    gold = [note("b", span("DISEASE", 0, 4)), note("a", span("SIGN", 0, 2), span("SIGN", 3, 5), group="p")]
    predicted = {"b": [span("RARE_DISEASE", 0, 4)], "a": [span("SIGN", 3, 5)]}
    counts = count_matches(gold, predicted, labels=["DRUG", "SIGN"], scheme="strict")
    assert counts.documents == ("a", "b")
    assert counts.groups == (("group", "p"), ("document", "b"))
    assert counts.labels == ("DISEASE", "DRUG", "RARE_DISEASE", "SIGN")
    assert counts.values.dtype == "int64"
    assert counts.values.tolist() == [
        [[0, 0, 0], [0, 0, 0], [0, 0, 0], [2, 1, 1]],
        [[1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0]],
    ]
    with pytest.raises(ValueError, match="read-only"):
        counts.values[0, 0, 0] = 1


def test_a_missing_document_has_no_prediction() -> None:
    counts = count_matches([note("a", span("SIGN", 0, 2))], {}, labels=[], scheme="type")
    assert counts.values.tolist() == [[[1, 0, 0]]]


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([note("a", text=SECRET)], {"b": []}, "predictions for document 'b'"),
        (
            [note("a", text=SECRET)],
            {"a": [span("SIGN", 0, 10)]},
            "document 'a': a predicted mention ends at 10",
        ),
        ([note("a", text=SECRET), note("a")], {}, "only 1 different ids"),
    ],
)
def test_what_cannot_be_matched_is_a_data_error_without_text(
    gold: list[Document], predicted: dict[str, list[Mention]], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        count_matches(gold, predicted, labels=["SIGN"], scheme="strict")
    assert SECRET not in str(caught.value)
