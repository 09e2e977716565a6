"""Anticoagulant_bleed: bleeding that has happened while an anticoagulant was taken."""

# ruff: noqa: E501 - an entry stands on one line, as it will in the note
from __future__ import annotations

from raretag.corpus.demo.critical.topic import Topic

_REPORTS = (
    "On [Drug|{anticoagulant}] for [Disease|<AF|DVT|recurrent PE>] and now [Anticoagulant_bleed|<frank haematuria|brisk epistaxis|melaena>], [Test|INR] [Value|{4.8-9.9}].",
    "[Anticoagulant_bleed|<Subdural haematoma|Intracerebral haemorrhage|Retroperitoneal haematoma>] while taking [Drug|{anticoagulant}], reversal started.",
    "[Drug|<Vitamin K|Prothrombin complex>] given for [Anticoagulant_bleed|<bleeding|GI bleed|haematemesis>] on [Drug|{anticoagulant}], neurosurgeons aware.",
    "[Anticoagulant_bleed|<Large thigh haematoma|Rectus sheath haematoma|Psoas bleed>] [Time|{2-6} days] after [Drug|{anticoagulant}] was doubled, [Test|Hb] down to [Value|{52-78} g/L].",
    "{he} kept taking [Drug|{anticoagulant}] and [Anticoagulant_bleed|<passed black stools|coughed up clots|bled from the gums all night>].",
    "[Drug|{anticoagulant}] held because of [Anticoagulant_bleed|<oozing from every puncture site|fresh blood per rectum|haemarthrosis of the right knee>].",
    "Over-anticoagulated with [Drug|{anticoagulant}], [Anticoagulant_bleed|<bleeding into the calf|spontaneous bruising of both flanks|blood in the urine>], transfused.",
    "[Test|CT]: [Anticoagulant_bleed|<acute on chronic subdural|cerebellar bleed|haemothorax>], last [Drug|{anticoagulant}] at [Time|08:00].",
    "Nosebleed clinic: [Anticoagulant_bleed|<posterior epistaxis|bleeding that would not stop>], [Drug|{anticoagulant}] and [Drug|aspirin] together, packed.",
    "the [Anticoagulant_bleed|<wound bled through three dressings|drain filled with fresh blood>] after [Drug|{anticoagulant}] restarted, reg called.",
)

_LOOKALIKES = (
    "[Drug|{anticoagulant}] continued, [Absent_finding|bleeding] not seen, [Test|INR] [Value|{2.0-3.1}].",
    "Counselled that [Drug|{anticoagulant}] can cause bleeding in the brain or gut.",
    "[Symptom|<Melaena|Haematemesis|Rectal bleeding>] after [Time|one week] of [Drug|naproxen], never on anticoagulants.",
    "[Symptom|<Epistaxis|Nosebleed|Haematuria>] settled by itself, takes no blood thinners.",
    "[Test|HAS-BLED] [Value|{1-4}], benefit of [Drug|{anticoagulant}] still outweighs the risk of haemorrhage.",
    "[Disease|Subdural haematoma] after a fall from a ladder, [Test|clotting] normal, no anticoagulant.",
    "[Drug|{anticoagulant}] stopped [Time|five days] before {Procedure} to avoid bleeding.",
    "Blood thinner clinic booked in [Time|{span}], [Drug|{anticoagulant}] book handed over.",
)

TOPIC = Topic(reports=_REPORTS, report_count=30, lookalikes=_LOOKALIKES, lookalike_count=30)
