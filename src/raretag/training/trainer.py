"""Hugging Face's Trainer with two hooks: an objective for the loss, a batch sampler for its propagation."""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import torch
import transformers
from accelerate.data_loader import prepare_data_loader
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from raretag.objectives.base import processes
from raretag.training.dataset import TaggedWindow, collate
from raretag.training.dropout import use_byte_dropout
from raretag.training.model import default_learning_rate, tag_head
from raretag.training.precision import Precision
from raretag.training.processes import rank
from raretag.training.settings import OptimiserSettings
from raretag.training.sharing import collate_share, taking

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@final
class TaggingTrainer(Trainer):  # type: ignore[misc, unused-ignore]
    """A Trainer whose batches come from a given batch sampler; everything else is Hugging Face's."""

    def __init__(self, *, batches: Sampler[list[int]], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._batches = batches
        self.remove_callback(PrinterCallback)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Batches in the sampler's order, every one of them in every process: the collator takes the share."""
        assert self.train_dataset is not None
        loader: DataLoader[Any] = DataLoader(
            self.train_dataset, batch_sampler=self._batches, collate_fn=self.data_collator
        )
        # accelerate would deal out whole batches: another batch a step, and fewer steps
        whole: DataLoader[Any] = prepare_data_loader(
            loader, device=self.accelerator.device, num_processes=1, process_index=0, put_on_device=True
        )
        return whole

    def training_step(self, model: torch.nn.Module, inputs: dict[str, Any], *arguments: Any, **named: Any) -> Tensor:
        """A step with this process's share of the batch, or with the whole of it."""
        share = inputs.pop("share", None)
        with nullcontext() if share is None else taking(share):
            loss: Tensor = super().training_step(model, inputs, *arguments, **named)
            return loss


def build_trainer(
    model: PreTrainedModel,
    *,
    dataset: Dataset[TaggedWindow],
    batches: Sampler[list[int]],
    loss: Callable[..., Tensor],
    settings: OptimiserSettings,
    precision: Precision,
    seed: int,
    pad_id: int,
    folder: Path,
    callbacks: Sequence[TrainerCallback],
) -> TaggingTrainer:
    """A trainer ready for `train()`. `loss` is its `compute_loss_func`; `folder` receives its checkpoints."""
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        lr_scheduler_type="linear",
        warmup_steps=settings.warmup,
        max_grad_norm=settings.max_gradient_norm,
        bf16=precision == "bfloat16",
        use_cpu=not torch.cuda.is_available(),
        seed=seed,
        disable_tqdm=True,
        logging_steps=10,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        save_strategy="no",
        save_total_limit=2,
        report_to="none",
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    if arguments.use_cpu:
        use_byte_dropout(model)
    return TaggingTrainer(
        batches=batches,
        model=model,
        args=arguments,
        train_dataset=dataset,
        data_collator=functools.partial(collate, pad_id=pad_id)
        if processes() == 1
        else functools.partial(collate_share, pad_id=pad_id, rank=rank(), of=processes()),
        compute_loss_func=loss,
        optimizers=(_optimiser(model, settings), None),
        callbacks=list(callbacks),
    )


def quiet() -> None:
    """Keep the libraries' own chatter (load reports, progress bars) off the terminal."""
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("accelerate").setLevel(logging.ERROR)
    # the scheduler is stepped by accelerate before the first optimiser step when a run is resumed
    warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step", category=UserWarning)


def _optimiser(model: PreTrainedModel, settings: OptimiserSettings) -> torch.optim.AdamW:
    """Fused AdamW: the head learns faster; biases and norms do not decay."""
    rate = settings.learning_rate or default_learning_rate(model.config)
    head = {id(parameter) for parameter in tag_head(model).parameters()}
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            groups.setdefault((id(parameter) in head, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": rate * (settings.head_multiplier if is_head else 1.0),
                "weight_decay": settings.weight_decay if decays else 0.0,
            }
            for (is_head, decays), parameters in groups.items()
        ],
        fused=True,
    )
