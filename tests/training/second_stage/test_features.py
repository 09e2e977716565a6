from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import AutoModelForTokenClassification

from raretag.errors import DataError, UsageError
from raretag.training.dataset import TaggedWindow, WindowDataset
from raretag.training.second_stage import Features, extract_features
from raretag.training.second_stage.features import new_features

ARRAYS = ("hidden", "tags", "windows")


def windows(*, number: int = 9) -> WindowDataset:
    rng = np.random.default_rng(0)
    made = []
    for length in rng.integers(4, 20, number):
        tags = rng.integers(0, 3, length)
        tags[rng.random(length) < 0.3] = -100
        made.append(TaggedWindow(input_ids=rng.integers(5, 60, length), labels=tags))
    made[2].labels[:] = -100
    return WindowDataset(made)


@pytest.fixture(scope="module")
def model(tiny_encoder: Path) -> Any:
    torch.manual_seed(0)
    return AutoModelForTokenClassification.from_pretrained(tiny_encoder, num_labels=3)


@pytest.mark.parametrize("batch_tokens", [16, 4096])
def test_they_are_what_the_classifier_sees(model: Any, batch_tokens: int) -> None:
    """Through the classifier they give the model's own logits, in the order of windows and tokens, without dropout."""
    data = windows()
    model.train()
    found = extract_features(model, data, pad_id=0, batch_tokens=batch_tokens)
    assert model.training
    assert not model.classifier._forward_pre_hooks
    model.eval()
    logits, tags, numbers = [], [], []
    for number, window in enumerate(data.windows):
        kept = window.labels != -100
        with torch.no_grad():
            logits.append(model(input_ids=torch.from_numpy(window.input_ids[None])).logits[0].numpy()[kept])
        tags.append(window.labels[kept])
        numbers.append(np.full(kept.sum(), number))
    np.testing.assert_array_equal(found.tags, np.concatenate(tags))
    np.testing.assert_array_equal(found.windows, np.concatenate(numbers))
    with torch.no_grad():
        through = model.classifier(torch.from_numpy(found.hidden)).numpy()
    np.testing.assert_allclose(through, np.concatenate(logits), atol=1e-5)


@pytest.mark.parametrize("storage", ["float32", "float16"])
def test_streamed_to_a_file_they_are_the_same(model: Any, tmp_path: Path, storage: Any) -> None:
    plain = extract_features(model, windows(), pad_id=0, storage=storage)
    streamed = extract_features(model, windows(), pad_id=0, storage=storage, path=tmp_path / "f.safetensors")
    plain.save(tmp_path / "g.safetensors")
    assert plain.hidden.dtype == storage
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.safetensors", "g.safetensors"]
    for other in (streamed, Features.load(tmp_path / "g.safetensors")):
        assert isinstance(other.hidden, np.memmap)
        assert not other.hidden.flags.writeable
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(other, name), getattr(plain, name))
    # any reader of safetensors
    content = load_file(tmp_path / "f.safetensors")
    assert sorted(content) == sorted(ARRAYS)
    np.testing.assert_array_equal(content["hidden"], plain.hidden)


def test_reads_what_another_writer_wrote(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        "hidden": np.ones((3, 2), np.float32),
        "tags": np.arange(3),
        "windows": np.zeros(3, np.int64),
    }
    save_file(arrays, tmp_path / "f.safetensors")
    found = Features.load(tmp_path / "f.safetensors")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(found, name), arrays[name])


@pytest.mark.parametrize(
    "content", [b"", b"\x02\0\0\0\0\0\0\0{}", b"no features at all", b"\xff" * 40, b"\x02\0\0\0\0\0\0\0[]"]
)
def test_something_else_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f.safetensors"
    path.write_bytes(content)
    with pytest.raises(DataError, match="no features"):
        Features.load(path)
    with pytest.raises(DataError, match="no features"):
        Features.load(tmp_path / "missing")


def test_a_file_cut_off_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "f.safetensors"
    with new_features(path, tokens=10, width=4, storage="float32"):
        pass
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="no features"):
        Features.load(path)


def test_what_does_not_fit_is_refused(model: Any) -> None:
    hidden, tags = np.zeros((3, 2), np.float32), np.zeros(3, np.int64)
    right: dict[str, Any] = {"hidden": hidden, "tags": tags, "windows": tags}
    for wrong in (
        {"hidden": hidden[:2]},
        {"hidden": hidden.astype(np.float64)},
        {"tags": tags.astype(np.int32)},
        {"windows": tags[:1]},
        {"hidden": hidden[:0], "tags": tags[:0], "windows": tags[:0]},
    ):
        with pytest.raises(ValueError, match="features need"):
            Features(**{**right, **wrong})
    ids = np.arange(5, 9)
    nothing = WindowDataset([TaggedWindow(input_ids=ids, labels=np.full(4, -100))])
    with pytest.raises(ValueError, match="no token"):
        extract_features(model, nothing, pad_id=0)
    apart = WindowDataset([TaggedWindow(input_ids=ids, labels=np.zeros((4, 2), np.int64))])
    with pytest.raises(UsageError, match="kept apart"):
        extract_features(model, apart, pad_id=0)
