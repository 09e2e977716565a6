from __future__ import annotations

import pytest
import torch

from raretag.training import precision


@pytest.mark.parametrize(("bfloat16", "expected"), [(0.1, "bfloat16"), (0.9, "float32"), (3.0, "float32")])
def test_bfloat16_only_where_it_is_clearly_faster(
    monkeypatch: pytest.MonkeyPatch, bfloat16: float, expected: str
) -> None:
    seconds = {torch.float32: 1.0, torch.bfloat16: bfloat16}
    monkeypatch.setattr(precision, "_product_seconds", seconds.__getitem__)
    assert precision.fastest_precision() == expected
