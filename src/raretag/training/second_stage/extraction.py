"""Features of tagged windows: one pass of the encoder, without dropout."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from raretag.errors import UsageError
from raretag.sampling import pack
from raretag.tagging import IGNORE
from raretag.training.dataset import WindowDataset, collate
from raretag.training.model import tag_head
from raretag.training.second_stage.features import Features, Storage, new_features

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from raretag.training.precision import Precision


def extract_features(
    model: PreTrainedModel,
    windows: WindowDataset,
    *,
    pad_id: int,
    precision: Precision = "float32",
    storage: Storage = "float32",
    path: Path | None = None,
    batch_tokens: int = 4096,
) -> Features:
    """The input of the model's head at every judged token of `windows`, in their order.

    With `path` they are written there as they come, a safetensors file, and stay on disk: memory is bounded by a batch.
    precision: what the encoder computes in. storage: what is kept. batch_tokens: of a pass, padding included.
    Raises UsageError for windows whose labels are kept apart, and ValueError where no token is judged.
    """
    if any(window.labels.ndim != 1 for window in windows.windows):
        raise UsageError("features need one tag a token, but here labels are kept apart", remedy="Use head softmax")
    judged = np.asarray([int((window.labels != IGNORE).sum()) for window in windows.windows], dtype=np.int64)
    ends = np.cumsum(judged)
    tokens, width = int(judged.sum()), int(model.config.hidden_size)
    if tokens == 0:
        raise ValueError("there is no token to make features of")
    with ExitStack() as written:
        if path is None:
            result = Features(
                hidden=np.empty((tokens, width), dtype=storage),
                tags=np.empty(tokens, dtype=np.int64),
                windows=np.empty(tokens, dtype=np.int64),
            )
        else:
            result = written.enter_context(new_features(path, tokens=tokens, width=width, storage=storage))
        for batch in pack(np.asarray(windows.lengths, dtype=np.int64), tokens=batch_tokens):
            chosen = [windows[int(number)] for number in batch]
            inputs = collate(chosen, pad_id=pad_id)
            hidden = _head_input(model, inputs["input_ids"], inputs["attention_mask"], precision=precision)
            for row, (number, window) in enumerate(zip(batch, chosen, strict=True)):
                kept = np.flatnonzero(window.labels != IGNORE)
                place = slice(ends[number] - judged[number], ends[number])
                result.hidden[place] = hidden[row, torch.from_numpy(kept)].numpy()
                result.tags[place] = window.labels[kept]
                result.windows[place] = number
    return result if path is None else Features.load(path)


def _head_input(model: PreTrainedModel, ids: Tensor, mask: Tensor, *, precision: Precision) -> Tensor:
    """What the head is given, float32 (windows, tokens, width) on the CPU."""
    seen: list[Tensor] = []
    handle = tag_head(model).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    was_training = model.training
    model.eval()
    device = model.device
    try:
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            model(input_ids=ids.to(device), attention_mask=mask.to(device))
    finally:
        handle.remove()
        model.train(was_training)
    return seen[0].float().cpu()
