from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raretag.corpus import Corpus, Document, Mention
from raretag.probability import Scores, score
from raretag.serving import annotate
from raretag.training import train
from raretag.training.inference import Predictor
from raretag.training.settings import TrainSettings


def test_broken_off_it_goes_on(tmp_path: Path, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = tuple(
        Document(id=str(n), text=f"fever {n}", mentions=(Mention(label="Sign", start=0, end=5),)) for n in range(9)
    )
    settings = {"encoder": str(tiny_encoder), "optimiser": {"epochs": 1, "batch_tokens": 16}}
    corpus = Corpus(documents=documents)
    run = train(corpus, out=tmp_path / "run", settings=TrainSettings.model_validate(settings))
    before = sorted(run.path.rglob("*"))
    whole = annotate(run, corpus)
    assert sorted(run.path.rglob("*")) == before
    # a file for each text
    monkeypatch.setattr("raretag.probability.score_cache._CHARACTERS", 1)
    judged: list[str] = []

    def until_the_fifth(predictor: Predictor, some: Sequence[Document], **more: Any) -> list[Scores]:
        if len(judged) == 4:
            judged.append("broken off")
            raise KeyboardInterrupt
        judged.extend(one.id for one in some)
        return score(predictor, some, **more)

    monkeypatch.setattr("raretag.probability.scoring.score", until_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        annotate(run, corpus)
    again = annotate(run, corpus)
    assert sorted(judged) == sorted([*(one.id for one in documents), "broken off"])
    for one, other in zip(whole.corpus.documents, again.corpus.documents, strict=True):
        assert [(m.label, m.start, m.end) for m in one.mentions] == [(m.label, m.start, m.end) for m in other.mentions]
    assert sorted(run.path.rglob("*")) == before


def test_replaces_mentions_and_keeps_the_rest(tmp_path: Path, tiny_encoder: Path) -> None:
    texts = [f"the patient has fever\nno rash {number}" for number in range(12)]
    documents = tuple(
        Document(
            id=str(number),
            text=text,
            metadata={"group": f"p{number}"},
            extras=("R1\tlinks Arg1:T1 Arg2:T2",),
            mentions=(Mention(label="Sign", start=16, end=21, note="a person's", id="T1"),),
        )
        for number, text in enumerate(texts)
    )
    corpus = Corpus(documents=documents, format="brat")
    settings = {"encoder": str(tiny_encoder), "optimiser": {"epochs": 8, "learning_rate": 0.02, "batch_tokens": 64}}
    run = train(corpus, out=tmp_path / "run", settings=TrainSettings.model_validate(settings))
    annotated = annotate(run, corpus).corpus
    assert [d.text for d in annotated.documents] == texts
    assert [d.metadata for d in annotated.documents] == [d.metadata for d in documents]
    assert all(d.extras == () for d in annotated.documents)
    found = [mention for d in annotated.documents for mention in d.mentions]
    assert {(m.label, m.start, m.end) for m in found} == {("Sign", 16, 21)}
    assert all(m.score is not None and m.score > 0.5 and m.note is None and m.id is None for m in found)
    bare = replace(corpus, documents=tuple(replace(d, mentions=()) for d in documents))
    assert [d.mentions for d in annotate(run, bare).corpus.documents] == [d.mentions for d in annotated.documents]
