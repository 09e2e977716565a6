"""What the patients come with: one theme a file, each a set of slots in the notation of `markup`."""

from __future__ import annotations

from raretag.corpus.demo.themes import abdomen, blood, bones, heart, infection, kidneys, lungs, nerves

THEMES = (
    heart.SLOTS,
    lungs.SLOTS,
    abdomen.SLOTS,
    nerves.SLOTS,
    infection.SLOTS,
    bones.SLOTS,
    kidneys.SLOTS,
    blood.SLOTS,
)

__all__ = ["THEMES"]
