"""Run the command line inside the test's own process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from raretag.cli import main
from raretag.corpus import Corpus
from raretag.corpus.demo import demo_corpus
from raretag.corpus.formats import write_corpus


@dataclass(frozen=True)
class Outcome:
    """What a person sees, and the exit code."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def raretag(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`raretag("inspect", folder)` as a person would type it."""

    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["raretag", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        code = ended.value.code
        return Outcome(code if isinstance(code, int) else 0, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """Forty synthetic notes."""
    return demo_corpus(documents=40)


@pytest.fixture(scope="session")
def notes(tmp_path_factory: pytest.TempPathFactory, corpus: Corpus) -> Path:
    """The same in brat."""
    folder = tmp_path_factory.mktemp("data") / "notes"
    write_corpus(corpus, folder, format="brat")
    return folder


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, corpus: Corpus) -> Path:
    """A run of a tiny encoder on the notes; it learns little, which is enough for the commands."""
    from raretag.training import train
    from raretag.training.settings import TrainSettings

    out = tmp_path_factory.mktemp("runs") / "run"
    settings = {"encoder": str(tiny_encoder), "optimiser": {"epochs": 2, "learning_rate": 0.02}}
    train(corpus, out=out, settings=TrainSettings.model_validate(settings))
    return out
