"""A model with any head, saved and loaded: a plain Hugging Face folder, or an encoder's with the head beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from raretag.errors import DataError
from raretag.tagging import Schema
from raretag.training.heads.base import Head
from raretag.training.heads.registry import HEADS, head
from raretag.training.heads.softmax import SoftmaxHead

if TYPE_CHECKING:
    from transformers import PreTrainedModel

HEAD = "head.safetensors"
_ABOUT = "raretag"


def save_model(model: PreTrainedModel, folder: Path, *, head: Head[Any]) -> None:
    """Write weights and configuration into `folder`.

    What Hugging Face cannot express must not look as if it could: for such a head the folder is that of the bare
    encoder, and `head.safetensors` holds the other weights, with the head's name, options and tags as metadata.
    """
    if head.plain:
        model.save_pretrained(folder)
        return
    cast("PreTrainedModel", model.base_model).save_pretrained(folder)
    encoder = f"{model.base_model_prefix}."
    own = {
        name: value.detach().contiguous() for name, value in model.state_dict().items() if not name.startswith(encoder)
    }
    name = next(name for name, entry in HEADS.items() if entry.method is type(head))
    about = {"head": name, "options": head.options.model_dump(mode="json"), "tags": head.schema.tags}
    # one key, for several come in any order, and equal runs should give equal bytes
    save_file(own, folder / HEAD, metadata={_ABOUT: json.dumps(about)})


def load_model(folder: Path, *, schema: Schema) -> tuple[PreTrainedModel, Head[Any]]:
    """What `save_model` wrote, float32. Raises DataError where its tags are not those of `schema`."""
    from transformers import AutoModelForTokenClassification

    model: PreTrainedModel = AutoModelForTokenClassification.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )
    if not (folder / HEAD).exists():
        names = cast("dict[int, str]", model.config.id2label)
        _check_tags([names[number] for number in sorted(names)], schema, folder)
        return model, SoftmaxHead(schema)
    with safe_open(folder / HEAD, framework="pt") as file:
        about = json.loads(file.metadata()[_ABOUT])
        own = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    _check_tags(about["tags"], schema, folder)
    chosen = head(about["head"], schema=schema, **about["options"])
    chosen.install(model)
    missing = set(model.load_state_dict(own, strict=False).missing_keys)
    if any(not name.startswith(f"{model.base_model_prefix}.") for name in missing):
        raise DataError("the weights of the head are not whole", remedy="Train again", file=folder / HEAD)
    return model, chosen


def _check_tags(found: list[str], schema: Schema, folder: Path) -> None:
    if tuple(found) != schema.tags:
        raise DataError("the model's tags differ from the schema's", remedy="Train again", file=folder)
