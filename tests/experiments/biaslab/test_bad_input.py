"""What the lab cannot work with, each told in one error for people, before anything is trained."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raretag.corpus import Corpus, Document
from raretag.errors import DataError, RaretagError, UsageError
from raretag.experiments import LabSettings, bias_lab
from raretag.training.exclusive import alone

from .conftest import Counting

Lab = Callable[..., Any]


@pytest.fixture
def lab(notes: Corpus, tiny_encoder: Path, tmp_path: Path) -> Lab:
    """One training of two steps, unless it is told otherwise."""

    def lab(*, corpus: Corpus = notes, resume: bool = False, callbacks: Any = (), **content: Any) -> Any:
        settings = LabSettings.model_validate(
            {"model": "bias-only", "mechanisms": "all-classes", "marginals": "70/30", "encoder": str(tiny_encoder),
             "tokens": 600, "steps": 2, "batch_tokens": 96, "measurements": 1, "simulations": 499, **content}
        )  # fmt: skip
        return bias_lab(corpus, out=tmp_path / "lab", settings=settings, resume=resume, callbacks=callbacks)

    return lab


def corpus_of(*texts: str) -> Corpus:
    documents = tuple(Document(id=f"n{number}", text=text) for number, text in enumerate(texts))
    return Corpus(documents=documents, format="test")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"marginals": "99/1"}, r"0\.01, needs 1,000 tokens in each part .* training part has \d{3}\. "),
        ({"marginals": "95/5", "held_out": 0.1}, r"0\.05, needs 200 tokens .* held-out part has \d+\. "),
        ({"design": "mention", "marginals": "90/10"}, r"0\.1, needs 100 mentions .* training part has \d\d\. "),
        ({"tokens": 1}, r"1 documents with text cannot make a part to train on"),
    ],
)
def test_too_little_text_is_told_before_the_folder_is_made(
    content: dict[str, Any], told: str, lab: Lab, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=told):
        lab(**content)
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize("texts", [(), ("",), ("fever and cough",), ("", " \n ")])
def test_a_corpus_without_text(texts: tuple[str, ...], lab: Lab) -> None:
    with pytest.raises(DataError, match="documents with text"):
        lab(corpus=corpus_of(*texts))


def test_mentions_cannot_be_labelled_where_there_are_none(lab: Lab) -> None:
    with pytest.raises(DataError, match=r"needs 20 mentions .* has 0.*more mentions"):
        lab(corpus=corpus_of(*["the patient has fever and cough"] * 40), design="mention", marginals="50/50")


@pytest.mark.parametrize("model", ["bias-only", "frozen", "full"])
def test_a_batch_larger_than_the_text(model: str, lab: Lab) -> None:
    with pytest.raises(RaretagError, match=r"the training part has \d{3} tokens, which is no batch of 5,000"):
        lab(batch_tokens=5000, model=model)


def test_after_a_batch_too_large_the_mended_command_is_not_refused(lab: Lab) -> None:
    with pytest.raises(DataError):
        lab(batch_tokens=5000)
    assert lab().runs


def test_an_encoder_that_is_none(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no encoder"):
        lab(encoder=str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError):
        lab(encoder=str(tmp_path / "empty"))


def test_a_file_in_place_of_the_folder(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("mine", encoding="utf-8")
    for resume in (False, True):
        with pytest.raises(UsageError, match="this is a file, not a folder"):
            lab(resume=resume)
    assert (tmp_path / "lab").read_text(encoding="utf-8") == "mine"


def test_a_folder_of_something_else(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"not empty.*--resume"):
        lab()
    with pytest.raises(UsageError, match="not a folder of the bias lab"):
        lab(resume=True)
    assert [path.name for path in (tmp_path / "lab").iterdir()] == ["mine.txt"]


def test_a_lab_that_is_there_is_not_written_over(lab: Lab, tmp_path: Path) -> None:
    lab()
    before = (tmp_path / "lab" / "biaslab.json").read_bytes()
    with pytest.raises(UsageError, match=r"not empty.*--resume"):
        lab(seeds=9)
    assert (tmp_path / "lab" / "biaslab.json").read_bytes() == before


def test_an_empty_folder_and_nothing_to_resume_are_a_new_lab(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    assert lab(resume=True).runs


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"runs": 5}', '{"runs": [5]}', '{"runs": {"a": 1}}', '{"runs": [{}]}', '{"runs": []}',
     "\udc80", '{"runs": null}'],
)  # fmt: skip
def test_a_damaged_record_is_named(content: str, lab: Lab, tmp_path: Path) -> None:
    lab()
    (record,) = (tmp_path / "lab" / "runs").glob("*/runs.json")
    record.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=r"runs\.json"):
        lab(resume=True)


def test_a_record_cut_short_is_made_anew_once_it_is_deleted(lab: Lab, tmp_path: Path) -> None:
    first = lab()
    (record,) = (tmp_path / "lab" / "runs").glob("*/runs.json")
    content = json.loads(record.read_text(encoding="utf-8"))
    del content["runs"][0]["curve"]
    record.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DataError, match=r"damaged.*Delete it") as error:
        lab(resume=True)
    assert error.value.file == str(record)
    record.unlink()
    again = Counting()
    results = lab(resume=True, callbacks=[again])
    assert again.trainings == 1
    assert results.runs[0].curve == first.runs[0].curve


def test_a_folder_where_another_is_at_work(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "lab" / "runs").mkdir(parents=True)
    with alone(tmp_path / "lab" / "runs"), pytest.raises(UsageError, match="another process is at work"):
        lab(resume=True)


def test_several_processes_are_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="torchrun"):
        lab()


def test_as_many_labels_as_a_corpus_has(lab: Lab) -> None:
    """Forty-two labels make a long list of marginals, and a name has to fit a file system."""
    results = lab(marginals=[[1 - 42 / 51, *[1 / 51] * 42]], tokens=3000)
    assert len(results.runs[0].labels) == 43


@pytest.mark.parametrize("name", ["a/b", "../up", "名 前", "a:b*?", "x" * 300])
def test_a_mechanism_may_have_any_name(name: str, lab: Lab, tmp_path: Path) -> None:
    results = lab(mechanisms={name: {}})
    assert [one.mechanism for one in results.summaries] == [name]
    assert {path.name for path in tmp_path.iterdir()} == {"lab"}
    assert {path.name for path in (tmp_path / "lab").iterdir()} == {"biaslab.json", "runs"}


@pytest.mark.parametrize("mechanism", ["all-classes", "weighted-loss", "btl-mask", "btl-relabel", "per-label"])
def test_a_label_that_no_word_got_is_never_predicted(mechanism: str, lab: Lab) -> None:
    """Two words cannot have three labels, however these are drawn."""
    corpus = corpus_of(*["the the the patient patient"] * 40)
    (run,) = lab(corpus=corpus, design="word-type", marginals="40/30/30", mechanisms=mechanism).runs
    assert sorted(run.empirical["training"])[0] == 0
    missing = run.empirical["training"].index(0)
    for cell in run.curve[-1].cells:
        assert sum(cell.predicted) == pytest.approx(1, abs=1e-6)
        assert missing == 0 or cell.predicted[missing] == pytest.approx(0, abs=1e-6)
