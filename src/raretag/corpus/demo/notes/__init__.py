"""The kinds of note in the demo corpus, one a file: headings, style, and how often it is written."""

from __future__ import annotations

from raretag.corpus.demo.notes import admission, discharge, nursing, radiology, ward
from raretag.corpus.demo.notes.kind import Kind

KINDS: tuple[Kind, ...] = (admission.KIND, ward.KIND, nursing.KIND, discharge.KIND, radiology.KIND)

__all__ = ["KINDS", "Kind"]
