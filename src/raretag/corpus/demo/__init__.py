"""The demo corpus: clinical notes that the package writes itself."""

from __future__ import annotations

from raretag.corpus.demo.generator import demo_corpus

__all__ = ["demo_corpus"]
