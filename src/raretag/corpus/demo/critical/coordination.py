"""Discontinuous mentions: two findings that share a word, so that one of them is written in two pieces."""

from __future__ import annotations

from raretag.corpus.demo.critical.topic import Topic

_REPORTS = (
    "Tender over the [Body_site#1|left] and [Body_site#2|right [Body_site#1|flank]], otherwise comfortable.",
    "[Symptom#1|Upper] and [Symptom#2|lower [Symptom#1|limb weakness]] recorded at the bedside, {vital}.",
    "Both [Symptom#1|cervical] and [Symptom#2|axillary [Symptom#1|lymphadenopathy]] were felt.",
)

TOPIC = Topic(reports=_REPORTS, report_count=3)
