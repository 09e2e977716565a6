from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from raretag.errors import UsageError
from raretag.objectives import objective
from raretag.tagging import IGNORE
from raretag.training import sharing
from raretag.training.dataset import TaggedWindow, collate
from raretag.training.dropout import byte_dropout
from raretag.training.sharing import Share, collate_share, refuse_parts, taking


def shares(windows: int, *, of: int) -> list[Share]:
    return [Share(windows=windows, rank=rank, processes=of) for rank in range(of)]


@pytest.mark.parametrize("windows", [1, 2, 3, 7])
@pytest.mark.parametrize("of", [1, 2, 3, 8])
def test_every_window_is_learned_from_once(windows: int, of: int) -> None:
    rows = [row for share in shares(windows, of=of) if not share.idle for row in range(windows)[share.rows]]
    assert sorted(rows) == list(range(windows))
    assert all(share.size >= 1 for share in shares(windows, of=of))


@pytest.mark.parametrize("windows", [1, 5])
def test_shares_drop_what_one_process_drops(windows: int) -> None:
    def drawn(draw: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        torch.manual_seed(3)
        return draw(), torch.get_rng_state()

    x = torch.ones(windows, 3, 5)
    whole, after = drawn(lambda: byte_dropout(x, 0.4))
    for share in shares(windows, of=2):
        with taking(share):
            part, also_after = drawn(lambda share=share: byte_dropout(x[share.rows], 0.4))  # type: ignore[misc]
        assert torch.equal(part, whole[share.rows])
        assert torch.equal(after, also_after)


def test_a_share_is_rows_of_the_whole_batch() -> None:
    windows = [TaggedWindow(input_ids=np.arange(1, n + 1), labels=np.zeros(n, dtype=np.int64)) for n in (2, 5, 3)]
    whole = collate(windows, pad_id=0)
    for rank in range(5):
        batch = collate_share(windows, pad_id=0, rank=rank, of=5)
        share = batch["share"]
        assert torch.equal(batch["input_ids"], whole["input_ids"][share.rows])
        assert share.idle == (rank >= 3) == bool((batch["labels"] == IGNORE).all())


def test_a_loss_of_whole_batches_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = objective("btl", counts=[10, 5], weight="batch")
    refuse_parts(loss, name="btl")
    monkeypatch.setattr(sharing, "processes", lambda: 2)
    refuse_parts(objective("btl", counts=[10, 5]), name="btl")
    with pytest.raises(UsageError, match=r"'btl' with these options is defined on a whole batch.*2 processes"):
        refuse_parts(loss, name="btl")
