"""A plain Hugging Face Trainer with one of our objectives, to be run alone or by several processes at once.

python tests/objectives/trained_by_hugging_face.py ENCODER OUT OBJECTIVE,… ROWS
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import AutoModelForTokenClassification, Trainer, TrainingArguments

from raretag.objectives import objective

COUNTS = [60, 12, 20, 5, 2]
GROUPS = [0, 1, 1, 2, 2]
WINDOWS = 12


def main(encoder: str, out: str, names: str, rows: str) -> None:
    """With each objective three optimiser steps of four windows, `rows` of them in a pass; saves the heads' weights."""
    save_file(
        {name: trained(name, encoder=encoder, out=out, rows=int(rows)) for name in names.split(",")}, out_file(out)
    )


def out_file(out: str) -> Path:
    """Every process writes, the first one where it is looked for."""
    return Path(out) / f"heads-{os.environ.get('RANK', '0')}.safetensors"


def trained(name: str, *, encoder: str, out: str, rows: int) -> torch.Tensor:
    """The head's weights after the steps."""
    torch.manual_seed(0)
    model = AutoModelForTokenClassification.from_pretrained(
        encoder, num_labels=len(COUNTS), hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    tags = torch.randint(0, len(COUNTS), (WINDOWS, 9), generator=torch.Generator().manual_seed(0))
    # windows differ in how much of them is judged
    for number in range(WINDOWS):
        tags[number, : number % 7] = -100
    data: Any = [{"input_ids": [5 + number, *range(6, 14)], "labels": row.tolist()} for number, row in enumerate(tags)]
    arguments = TrainingArguments(
        output_dir=out,
        per_device_train_batch_size=rows,
        gradient_accumulation_steps=1,
        max_steps=3,
        max_grad_norm=0,
        learning_rate=0.5,
        lr_scheduler_type="constant",
        optim="sgd",
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
        dataloader_pin_memory=False,
        seed=1,
    )
    loss = objective(name, counts=COUNTS, groups=GROUPS)
    Trainer(model=model, args=arguments, train_dataset=data, compute_loss_func=loss).train()
    weights: torch.Tensor = model.classifier.weight
    return weights.detach().clone()


if __name__ == "__main__":
    main(*sys.argv[1:])
