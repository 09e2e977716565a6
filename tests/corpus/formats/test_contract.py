"""What every registered format must do."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from raretag.corpus.document import Corpus, Document, Mention
from raretag.corpus.formats import FORMATS, Format, format_named, read_corpus, recognise, write_corpus
from raretag.errors import DataError, UsageError

SECRET = "ZQXMARKERQXZ"
NOTE = f"Chest pain since\nTuesday. {SECRET} 5 mg given."
CORPUS = Corpus(
    documents=(
        Document(
            id="a/1",
            text=NOTE,
            mentions=(
                Mention(label="Sign", start=0, end=10, note="sure", score=0.5, id="T1"),
                Mention(label="Drug", start=26, end=38),
            ),
            metadata={"group": "p1"},
            extras=("R1\tCauses Arg1:T1 Arg2:T1\t",),
        ),
        Document(id="b", text="胸が痛い。😀 nothing else"),
    )
)
every_format = pytest.mark.parametrize("chosen", FORMATS.values(), ids=list(FORMATS))


def written(chosen: Format, folder: Path, corpus: Corpus = CORPUS) -> Path:
    target = folder / "corpus"
    chosen.write(corpus, target)
    return target


def contents(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}


@every_format
def test_is_final_and_named(chosen: Format) -> None:
    assert getattr(type(chosen), "__final__", False)
    assert not inspect.isabstract(type(chosen))
    assert FORMATS[chosen.name] is chosen is format_named(chosen.name)
    assert chosen.description
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in chosen.suffixes)


@every_format
def test_reads_what_it_wrote(chosen: Format, tmp_path: Path) -> None:
    read = chosen.read(written(chosen, tmp_path))
    assert read.format == chosen.name
    assert [document.id for document in read.documents] == ["a/1", "b"]
    first = read.documents[0]
    assert [(m.label, first.text[m.start : m.end]) for m in first.mentions] == [
        ("Sign", "Chest pain"),
        ("Drug", SECRET),
    ]
    assert read.documents[1].mentions == ()
    assert not [finding for finding in read.findings if finding.rule != "conll.no-documents"]


@every_format
def test_reports_exactly_what_it_does_not_hold(chosen: Format, tmp_path: Path) -> None:
    findings = chosen.write(CORPUS, tmp_path / "corpus")
    read = chosen.read(tmp_path / "corpus").documents[0]
    holds = {
        "group": read.metadata.get("group") == "p1",
        "extras": read.extras == CORPUS.documents[0].extras,
        "score": read.mentions[0].score == 0.5,
        "note": read.mentions[0].note == "sure",
    }
    assert {f.key for f in findings if f.rule == "write.lost"} == {key for key, kept in holds.items() if not kept}


@every_format
def test_output_is_recognised_as_itself_only(chosen: Format, tmp_path: Path) -> None:
    target = written(chosen, tmp_path)
    assert recognise(target) is chosen
    assert [each.name for each in FORMATS.values() if each.recognise(target)] == [chosen.name]


@every_format
def test_writes_the_same_bytes_twice(chosen: Format, tmp_path: Path) -> None:
    assert contents(written(chosen, tmp_path / "a")) == contents(written(chosen, tmp_path / "b"))


@every_format
def test_nothing_is_overwritten_and_nothing_left_behind(chosen: Format, tmp_path: Path) -> None:
    target = written(chosen, tmp_path)
    before = contents(target)
    with pytest.raises(DataError, match="already exists") as caught:
        chosen.write(CORPUS, target)
    assert caught.value.remedy
    assert contents(target) == before
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


@every_format
def test_an_empty_target_is_filled(chosen: Format, tmp_path: Path) -> None:
    target = tmp_path / "corpus"
    if chosen.folder:
        target.mkdir()
    else:
        target.touch()
    assert chosen.write(CORPUS, target) is not None
    assert chosen.read(target).documents


@every_format
def test_a_failure_leaves_nothing(chosen: Format, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Path.write_bytes

    def full_disk(self: Path, data: bytes) -> int:
        original(self, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(DataError, match="No space left"):
        chosen.write(CORPUS, tmp_path / "corpus")
    assert list(tmp_path.iterdir()) == []


@every_format
def test_no_documents_and_bad_targets_are_errors(chosen: Format, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no documents to write"):
        chosen.write(Corpus(documents=()), tmp_path / "corpus")
    (tmp_path / "file").write_text("x")
    for bad in (tmp_path / "file" / "below", Path("a\0b"), tmp_path / ("x" * 300)):
        with pytest.raises(DataError):
            chosen.write(CORPUS, bad)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@every_format
@pytest.mark.parametrize("call", ["read", "recognise"])
def test_missing_and_empty_paths_are_errors(chosen: Format, call: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / ".hidden").write_text("x")
    (empty / "README.md").write_text("x")
    (tmp_path / "nothing.txt").touch()
    cases = {"missing": "does not exist", "empty": "holds no files", "nothing.txt": "file is empty", "a\0": "not exist"}
    for name, message in cases.items():
        with pytest.raises(DataError, match=message) as caught:
            getattr(chosen, call)(tmp_path / name)
        assert caught.value.remedy
        assert str(tmp_path / name) in str(caught.value)


@every_format
def test_wrong_encodings_name_file_and_byte(chosen: Format, tmp_path: Path) -> None:
    target = written(chosen, tmp_path)
    file = target / "b.txt" if target.is_dir() else target
    text = file.read_text(encoding="utf-8")
    latin = text.encode("utf-8").replace(b"nothing", b"caf\xe9 th", 1)
    cases = {"UTF-16": text.encode("utf-16"), "NUL": b"plain\0 text", "ISO-8859-1": latin}
    for name, data in cases.items():
        file.write_bytes(data)
        with pytest.raises(DataError, match="not UTF-8 text at byte") as caught:
            chosen.read(target)
        assert str(file) in str(caught.value)
        assert SECRET not in str(caught.value)
        if name == "ISO-8859-1":
            assert f"at byte {latin.index(0xE9)}" in str(caught.value)


@every_format
def test_a_file_of_another_kind_is_an_error_not_a_crash(chosen: Format, tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DataError, match="no document"):
        chosen.read(tmp_path)
    with pytest.raises(DataError, match="no known format"):
        recognise(tmp_path)


@every_format
def test_characters_that_no_file_may_hold_are_replaced(chosen: Format, tmp_path: Path) -> None:
    document = Document(id="a", text="x\0y\ud800z", mentions=(Mention(label="L", start=4, end=5),))
    findings = chosen.write(Corpus(documents=(document,)), tmp_path / "corpus")
    assert "text.character" in [finding.rule for finding in findings]
    read = chosen.read(tmp_path / "corpus").documents[0]
    assert read.text.replace(" ", "") == "x\ufffdy\ufffdz"
    assert [read.text[m.start : m.end] for m in read.mentions] == ["z"]


@every_format
def test_byte_order_mark_is_tolerated(chosen: Format, tmp_path: Path) -> None:
    target = written(chosen, tmp_path)
    if target.is_dir():
        target = target / "a" / "1.ann"
    target.write_bytes(b"\xef\xbb\xbf" + target.read_bytes())
    assert [m.label for m in chosen.read(target).documents[0].mentions] == ["Sign", "Drug"]
    assert recognise(target) is chosen


def test_splits_come_from_names_below_the_root(tmp_path: Path) -> None:
    for name in ("Train", "devel", "TEST", "other"):
        write_corpus(CORPUS, tmp_path / "jsonl" / f"{name}.jsonl", format="jsonl")
    splits = [document.metadata.get("split") for document in read_corpus(tmp_path / "jsonl").documents]
    assert splits == ["test", "test", "train", "train", "validation", "validation", None, None]
    alone = read_corpus(tmp_path / "jsonl" / "Train.jsonl")
    assert [document.metadata.get("split") for document in alone.documents] == [None, None]


def test_the_name_of_a_note_is_no_part_of_a_split(tmp_path: Path) -> None:
    for name in ("train", "test", "dev/a", "dev/train", "b"):
        file = tmp_path / f"{name}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text("Fever.\n")
    read = read_corpus(tmp_path)
    splits = {document.id: document.metadata.get("split") for document in read.documents}
    assert splits == {"b": None, "dev/a": "validation", "dev/train": "validation", "test": None, "train": None}


def test_a_note_called_like_its_part_comes_back_in_it(tmp_path: Path) -> None:
    documents = tuple(Document(id=name, text=name, metadata={"split": name}) for name in ("train", "test"))
    write_corpus(Corpus(documents=documents), tmp_path / "brat", format="brat")
    read = read_corpus(tmp_path / "brat").documents
    assert {document.text: document.metadata.get("split") for document in read} == {"train": "train", "test": "test"}


def test_unknown_format_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="brat, conll, jsonl, label-studio, inline-xml"):
        read_corpus(tmp_path, format="word")


def test_two_kinds_in_a_folder_are_ambiguous(tmp_path: Path) -> None:
    write_corpus(CORPUS, tmp_path / "both" / "brat", format="brat")
    write_corpus(CORPUS, tmp_path / "both" / "x.jsonl", format="jsonl")
    with pytest.raises(DataError, match="looks like brat and jsonl"):
        recognise(tmp_path / "both")
    assert len(read_corpus(tmp_path / "both", format="jsonl").documents) == 2


def test_a_wrong_encoding_is_named_where_nothing_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_bytes("a\tB-X\n".encode("utf-16"))
    with pytest.raises(DataError, match="UTF-16"):
        recognise(tmp_path)
