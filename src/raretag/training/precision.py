"""Which number format this machine multiplies faster: by its instructions, so that the answer never changes."""

from __future__ import annotations

from typing import Final, Literal

import torch

Precision = Literal["bfloat16", "float32"]
# with these, a product of an encoder's size took about half the time in bfloat16; without, it is emulated and slower
_BFLOAT16: Final = ("avx512_bf16", "amx_bf16")


def chosen_precision(asked: Literal["auto", "bfloat16", "float32"]) -> Precision:
    """The format that settings ask for; auto is the one that is fastest here."""
    return fastest_precision() if asked == "auto" else asked


def fastest_precision() -> Precision:
    """bfloat16 where the CPU has instructions for it, else float32.

    A measurement would depend on how busy the machine is, and so would probabilities.
    """
    can = torch.cpu.get_capabilities()
    return "bfloat16" if any(can.get(name, False) for name in _BFLOAT16) else "float32"
