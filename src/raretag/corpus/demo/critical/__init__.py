"""The rare, critical events, one a file: sentences that report it and sentences that only sound like it."""

from __future__ import annotations

from raretag.corpus.demo.critical import (
    allergy,
    bleed,
    coordination,
    device,
    resuscitation,
    suicide,
    transfusion,
)
from raretag.corpus.demo.critical.topic import Topic

TOPICS: tuple[Topic, ...] = (
    allergy.TOPIC,
    resuscitation.TOPIC,
    bleed.TOPIC,
    device.TOPIC,
    suicide.TOPIC,
    transfusion.TOPIC,
    coordination.TOPIC,
)

__all__ = ["TOPICS", "Topic"]
