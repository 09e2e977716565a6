"""Transfusion_reaction: an untoward event caused by blood or a blood product."""

# ruff: noqa: E501 - an entry stands on one line, as it will in the note
from __future__ import annotations

from raretag.corpus.demo.critical.topic import Topic

_REPORTS = (
    "[Time|Twenty minutes] into the second unit of [Drug|red cells] {he} had [Transfusion_reaction|<rigors|rigors and loin pain|fever>], unit returned to the lab.",
    "[Transfusion_reaction|<Febrile non-haemolytic reaction|Acute haemolytic reaction|Delayed haemolytic reaction>] to [Drug|packed cells], haematology informed.",
    "[Transfusion_reaction|<TACO|TRALI|transfusion-related lung injury>] after [Dose|{2-4} units] of [Drug|<FFP|red cells>], [Drug|furosemide] [Dose|40 mg] given.",
    "[Transfusion_reaction|<hives and flushing|itching>] during [Drug|platelets]: logged as [Transfusion_reaction|<allergic transfusion reaction|mild reaction to the product>].",
    "As the blood ran {he} [Transfusion_reaction|<became breathless and pink froth appeared|turned grey and shook|passed dark urine>], line clamped.",
    "Wrong unit hung: [Transfusion_reaction|<ABO-incompatible transfusion|incompatible blood given>], crash team present.",
    "[Test|Antibody screen] [Time|{7-10} days] after [Procedure|transfusion]: [Transfusion_reaction|<new anti-Kidd with falling Hb|haemolysis from a new antibody>].",
)

_LOOKALIKES = (
    "[Dose|Two units] of [Drug|red cells] given [Time|overnight] without reaction, [Test|Hb] [Value|{78-96} g/L].",
    "[Symptom|<Rigors|Fever|Shivering>] while still waiting for blood, [Test|cultures] taken, [Procedure|transfusion] put off.",
    "Consent for [Procedure|transfusion]: fever, overload and lung injury mentioned.",
    "[Procedure|Transfusion] declined on religious grounds, [Drug|IV iron] given instead.",
    "[Symptom|Blood in the urine] [Time|{ago}], [Test|group and save] sent, no [Procedure|transfusion] needed.",
    "[Symptom|<Rigors|Loin pain|Breathlessness>] settled with [Drug|{drug}]; [Drug|platelets] then given uneventfully.",
)

TOPIC = Topic(reports=_REPORTS, report_count=13, lookalikes=_LOOKALIKES, lookalike_count=20)
