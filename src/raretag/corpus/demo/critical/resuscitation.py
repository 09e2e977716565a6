"""Resuscitation_limit: a limit to treatment that is in force for this patient."""

# ruff: noqa: E501 - an entry stands on one line, as it will in the note
from __future__ import annotations

from raretag.corpus.demo.critical.topic import Topic

_REPORTS = (
    "[Resuscitation_limit|<DNACPR|DNAR|DNACPR order|red form>] in place, signed by {staff}, copy in the front of the notes.",
    "<Agreed|Decided> with {him} and {his} family: [Resuscitation_limit|<not for CPR|not for resuscitation|no chest compressions>].",
    "Ceiling of care: [Resuscitation_limit|<ward-based treatment only|ward level|no escalation beyond the ward>].",
    "[Resuscitation_limit|<Not for ITU|Not for intubation|Not for critical care>], [Procedure|NIV] acceptable if it helps.",
    "{he} is clear that if {his} heart stops {he} [Resuscitation_limit|<does not want to be brought back|wishes to be left in peace|wants nobody to restart it>].",
    "{his} advance decision [Resuscitation_limit|<refuses ventilation|refuses life support|declines tube feeding and resuscitation>], seen and valid.",
    "Treatment escalation plan completed, [Resuscitation_limit|<comfort measures only|symptom control only|TLC>], anticipatory drugs written up.",
    "[Resuscitation_limit|<For natural death|Allow natural death|AND order>] recorded after talking with {his} {relative}.",
    "ReSPECT form: [Resuscitation_limit|<CPR attempts not recommended|focus on comfort rather than life>].",
    "In the event of arrest [Resuscitation_limit|<do not put out a crash call|do not attempt CPR|do not resuscitate>]; [Drug|antibiotics] to continue.",
    "{his} ICD was switched off [Time|{ago}] and {he} is [Resuscitation_limit|<not to be shocked or ventilated|no longer for active resuscitation>].",
    "Anaesthetist and {staff} agree that {he} [Resuscitation_limit|<would not be taken to intensive care|is for full ward care but nothing more>].",
)

_LOOKALIKES = (
    "For full escalation including [Procedure|CPR] and ITU, discussed with {him} [Time|{ago}].",
    "DNACPR from the last admission cancelled at {his} own request, form crossed through.",
    "Fluid resuscitation with {order}, responded to [Dose|1.5 L].",
    "[Procedure|CPR] given for [Time|four minutes] by {his} son before the crew arrived, then [Symptom|<sinus rhythm|weak pulse|gasping>].",
    "Resuscitation status not yet discussed; {staff} to raise it [Time|tomorrow].",
    "{his} {relative} asks what DNACPR means, leaflet given, no decision taken.",
    "{Test} not for [Time|today], for {Procedure} on the ward list instead.",
    "Taken to resus on arrival, {vital}, {vital}, then stepped down to ward {2-14}.",
    "Declined {Procedure} and prefers tablets, otherwise wants everything done.",
)

TOPIC = Topic(reports=_REPORTS, report_count=42, lookalikes=_LOOKALIKES, lookalike_count=34)
