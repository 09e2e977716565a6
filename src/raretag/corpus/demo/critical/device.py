"""Device_failure: an implanted or attached device that has stopped doing its work."""

# ruff: noqa: E501 - an entry stands on one line, as it will in the note
from __future__ import annotations

from raretag.corpus.demo.critical.topic import Topic

_REPORTS = (
    "[Test|Pacing check]: [Device_failure|<failure to capture|loss of capture|undersensing>] on the ventricular lead, [Test|threshold] [Value|{3.1-4.9} V].",
    "[Test|X-ray] confirms [Device_failure|<lead fracture|fracture of the right ventricular lead|lead displacement>], box change planned.",
    "[Device_failure|<PICC line snapped at the hub|PICC split|Hickman line leaking>], flushed fluid over the dressing.",
    "The [Device_failure|<insulin pump stopped delivering|pump occluded|pump delivered nothing>] for [Time|{4-12} hours], hence [Test|ketones] [Value|{3.1-6.8} mmol/L].",
    "[Device_failure|<VP shunt blocked|shunt not draining|obstructed shunt>], neurosurgical bed found.",
    "{his} [Device_failure|<defibrillator fired for no reason|ICD shocked {him} inappropriately|ICD battery ran flat>] while {he} was washing up.",
    "[Device_failure|<PEG tube blocked|PEG fell out|balloon of the catheter burst>] [Time|{ago}], feed not given.",
    "syringe driver found [Device_failure|<alarming and empty of charge|not running|switched off by itself>], pain uncontrolled.",
    "[Device_failure|<Ventilator lost pressure|Oxygen concentrator cut out|Cuff of the tracheostomy deflated>] at [Time|03:40], bagged by hand until it was changed.",
    "[Test|Hip film]: [Device_failure|<broken femoral stem|cut-out of the screw|loosening of the cup>].",
)

_LOOKALIKES = (
    "Pacemaker lead replaced [Time|{ago}] without problem, check satisfactory.",
    "[Test|12-lead ECG] repeated, [Symptom|<ST depression|T wave inversion|ectopics>] in lead II only.",
    "[Disease|<Heart failure|Renal failure|Respiratory failure>] team to lead on fluid balance, pump bloods sent.",
    "The new insulin pump was explained and {he} can change the battery.",
    "PICC line flushed and patent, dressing changed, no [Absent_finding|redness].",
    "Catheter blocked? No, draining well, [Test|urine output] [Value|{30-70} mL/h].",
    "Trial without catheter failed, [Test|residual] [Value|{420-910} mL], catheter put back.",
    "If the shunt blocks {he} would have headache and vomiting; card given.",
)

TOPIC = Topic(reports=_REPORTS, report_count=22, lookalikes=_LOOKALIKES, lookalike_count=28)
