"""What lies in a folder of notes beside them, and paths that are neither file nor folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raretag.corpus.document import Corpus
from raretag.corpus.formats import FORMATS, read_corpus, recognise
from raretag.errors import DataError

NOT_REGULAR = "not a regular file or folder"


def notes(folder: Path, *names: str) -> Path:
    for name in names:
        file = folder / f"{name}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"Fever in {name}.\n")
        file.with_suffix(".ann").write_text("T1\tSign 0 5\tFever\n")
    return folder


def run(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("manifest.json", "schema.json"):
        (folder / name).write_text("{}")
    (folder / "history.jsonl").write_text('{"text": "x"}\n')
    (folder / "model").mkdir()
    (folder / "model" / "vocab.txt").write_text("a\nb\n")
    return folder


def ids(corpus: Corpus) -> list[str]:
    return [document.id for document in corpus.documents]


def found(corpus: Corpus) -> list[tuple[str, str | None]]:
    return [(finding.rule, finding.file) for finding in corpus.findings]


def test_each_other_ending_is_found_once_with_its_first_file(tmp_path: Path) -> None:
    notes(tmp_path, "a", "b")
    for name in ("b.a2", "a.a1", "b.A1", "a.a2", "deep/scan.pdf", "Makefile", "a.txt~"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    for name in ("README", "LICENSE.pdf", "CITATION.cff", "notes.md", "annotation.conf", ".hidden.doc", "x.cff"):
        (tmp_path / name).write_text("x")
    read = read_corpus(tmp_path)
    assert ids(read) == ["a", "b"]
    assert found(read) == [("file.ignored", name) for name in ("Makefile", "a.a1", "a.a2", "a.txt~", "deep/scan.pdf")]


def test_a_note_may_be_called_like_what_is_left_out(tmp_path: Path) -> None:
    notes(tmp_path, "notice", "citation.2", "a")
    (tmp_path / "README.txt").write_text("what this is")
    assert ids(read_corpus(tmp_path)) == ["a", "citation.2", "notice"]


def test_annotations_under_another_ending_do_not_vanish(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Fever.\n")
    (tmp_path / "a.a1").write_text("T1\tSign 0 5\tFever\n")
    assert found(read_corpus(tmp_path)) == [("brat.no-ann", "a.txt"), ("file.ignored", "a.a1")]


def test_files_of_another_format_do_not_vanish(tmp_path: Path) -> None:
    notes(tmp_path, "a")
    (tmp_path / "more.jsonl").write_text('{"text": "Cough."}\n')
    read = read_corpus(tmp_path, format="jsonl")
    assert found(read) == [("file.ignored", "a.ann"), ("file.ignored", "a.txt")]


def test_a_single_file_has_nothing_beside_it(tmp_path: Path) -> None:
    notes(tmp_path, "a")
    (tmp_path / "a.pdf").write_text("x")
    assert found(read_corpus(tmp_path / "a.txt")) == []


def test_a_name_that_is_no_text_can_be_told(tmp_path: Path) -> None:
    notes(tmp_path, "a")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.doc")).write_text("x")
    assert found(read_corpus(tmp_path)) == [("file.ignored", "caf\ufffd.doc")]


def test_a_run_beside_the_notes_is_left_out(tmp_path: Path) -> None:
    notes(tmp_path, "a", "deep/b")
    run(tmp_path / "deep" / "run")
    run(tmp_path / "run")
    assert recognise(tmp_path).name == "brat"
    read = read_corpus(tmp_path)
    assert ids(read) == ["a", "deep/b"]
    assert found(read) == [("file.run-folder", "deep/run"), ("file.run-folder", "run")]


def test_half_of_a_run_is_no_run(tmp_path: Path) -> None:
    (run(tmp_path / "run") / "schema.json").unlink()
    assert ids(read_corpus(tmp_path, format="brat")) == ["run/model/vocab"]


def test_a_folder_of_runs_holds_no_notes(tmp_path: Path) -> None:
    run(tmp_path / "run")
    with pytest.raises(DataError, match="holds no files") as caught:
        read_corpus(tmp_path)
    assert "run folders" in caught.value.remedy


def test_links_to_folders_are_followed_and_each_folder_is_read_once(tmp_path: Path) -> None:
    data = notes(tmp_path / "data", "real/a", "z")
    notes(tmp_path / "elsewhere", "b", "deep/c")
    (data / "a-link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (data / "again").symlink_to(data / "real", target_is_directory=True)
    (data / "real" / "up").symlink_to("..", target_is_directory=True)
    (data / "above").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "elsewhere" / "loop").symlink_to(data, target_is_directory=True)
    (data / "itself").symlink_to("itself")
    assert ids(read_corpus(data)) == ["a-link/b", "a-link/deep/c", "real/a", "z"]
    (tmp_path / "link").symlink_to(data)
    assert ids(read_corpus(tmp_path / "link")) == ids(read_corpus(data))


@pytest.mark.parametrize("call", [recognise, read_corpus])
def test_a_folder_that_cannot_be_read_is_named(
    call: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes(tmp_path, "a", "deep/shut/b")
    shut = tmp_path / "deep" / "shut"
    scandir = os.scandir

    # permissions do not hold for the superuser, who may run this test
    def refusing(path: str | os.PathLike[str]) -> Any:
        if Path(path) == shut:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(DataError, match="folder cannot be read") as caught:
        call(tmp_path)
    assert (caught.value.file, caught.value.line) == (str(shut), None)
    assert "permissions" in caught.value.remedy


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("chosen", FORMATS)
def test_a_pipe_is_refused_and_not_waited_for(chosen: str, tmp_path: Path) -> None:
    pipe = tmp_path / f"pipe{FORMATS[chosen].suffixes[0]}"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path):
        with pytest.raises(DataError, match=NOT_REGULAR) as caught:
            read_corpus(path, format=chosen)
        assert caught.value.file == str(pipe)
    with pytest.raises(DataError, match=NOT_REGULAR):
        recognise(pipe)
    assert FORMATS[chosen].recognise(tmp_path) is (chosen == "brat")


@pytest.mark.skipif(not Path(os.devnull).is_char_device(), reason="this system has no devices among its files")
def test_a_device_is_refused() -> None:
    with pytest.raises(DataError, match=NOT_REGULAR):
        read_corpus(os.devnull)
