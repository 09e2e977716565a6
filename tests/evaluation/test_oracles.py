"""Two published scorers as oracles, where they agree with ours by definition.

Documents are flat: the gold mentions do not overlap each other, nor do the predicted. Then a prediction that
equals a gold mention is the only one that touches it, and the greedy strict pairing of nervaluate cannot go
wrong; seqscore compares sets and needs no pairing. Under `type` nervaluate pairs greedily in list order and
may find fewer pairs than ours; the two are equal where every mention touches at most one other. It asks for a
shared 1 % of the gold mention instead of one character, the same below 100 characters. `overlap` has no
counterpart.
"""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from nervaluate import Evaluator
from seqscore.model import Mention as SeqMention
from seqscore.model import Span as SeqSpan
from seqscore.scoring import ClassificationScore, score_sequence_mentions

from raretag.corpus.document import Document, Mention
from raretag.evaluation import evaluate

LABELS = ["A", "RARE_A", "B"]


@st.composite
def flat(draw: st.DrawFn) -> tuple[Mention, ...]:
    cuts = sorted(draw(st.sets(st.integers(0, 24), max_size=8)))
    return tuple(
        Mention(label=draw(st.sampled_from(LABELS)), start=start, end=end)
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    )


corpora = st.lists(st.tuples(flat(), flat()), min_size=1, max_size=4)
Drawn = list[tuple[tuple[Mention, ...], tuple[Mention, ...]]]


def ours(drawn: Drawn) -> dict[str, Any]:
    gold = [Document(id=str(k), text="x" * 24, mentions=g) for k, (g, _) in enumerate(drawn)]
    predicted = {str(k): p for k, (_, p) in enumerate(drawn)}
    return evaluate(gold, predicted, labels=LABELS, training_counts={}, resamples=0).to_json()


def nervaluate(drawn: Drawn) -> dict[str, Any]:
    def spans(mentions: tuple[Mention, ...]) -> list[dict[str, Any]]:
        return [{"label": m.label, "start": m.start, "end": m.end - 1} for m in mentions]

    sides = [spans(gold) for gold, _ in drawn], [spans(predicted) for _, predicted in drawn]
    found: dict[str, Any] = Evaluator(*sides, tags=LABELS, loader="dict").evaluate()
    return found


def same(figures: dict[str, Any], theirs: Any) -> None:
    """Their undefined is 0, ours is None."""
    counts = (figures["gold"], figures["predicted"], figures["correct"])
    assert counts == (theirs.possible, theirs.actual, theirs.correct)
    for name in ("precision", "recall", "f1"):
        assert abs((figures[name] or 0.0) - getattr(theirs, name)) < 1e-12


@given(corpora)
def test_strict_equals_nervaluate(drawn: Drawn) -> None:
    found, theirs = ours(drawn)["strict"], nervaluate(drawn)
    same(found["micro"], theirs["overall"]["strict"])
    for label, strategies in theirs["entities"].items():
        same(found["labels"][label], strategies["strict"])


@given(corpora)
def test_strict_equals_seqscore(drawn: Drawn) -> None:
    score = ClassificationScore()
    for gold, predicted in drawn:
        sides = [[SeqMention(SeqSpan(m.start, m.end), m.label) for m in mentions] for mentions in (predicted, gold)]
        score_sequence_mentions(*sides, score)
    found = ours(drawn)["strict"]
    pairs = [
        (found["micro"], score),
        *((found["labels"][label], s) for label, s in score.type_scores.items()),
    ]
    for figures, theirs in pairs:
        assert (figures["gold"], figures["predicted"]) == (theirs.total_ref, theirs.total_pos)
        assert figures["correct"] == theirs.true_pos
        assert abs((figures["f1"] or 0.0) - theirs.f1) < 1e-12


@given(corpora)
def test_type_is_never_below_nervaluate_and_equal_where_pairs_are_unique(drawn: Drawn) -> None:
    found, theirs = ours(drawn)["type"], nervaluate(drawn)
    unique = all(
        sum(a.start < b.end and b.start < a.end for b in other) <= 1
        for gold, predicted in drawn
        for side, other in ((gold, predicted), (predicted, gold))
        for a in side
    )
    for label, strategies in theirs["entities"].items():
        assert found["labels"][label]["correct"] >= strategies["ent_type"].correct
        if unique:
            same(found["labels"][label], strategies["ent_type"])
    if unique:
        same(found["micro"], theirs["overall"]["ent_type"])
