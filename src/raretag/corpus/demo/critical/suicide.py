"""Suicidal_ideation: the patient's own wish to die, thoughts of suicide, or a plan for it."""

# ruff: noqa: E501 - an entry stands on one line, as it will in the note
from __future__ import annotations

from raretag.corpus.demo.critical.topic import Topic

_REPORTS = (
    "Told the night nurse that {he} [Suicidal_ideation|<would rather not wake up|wants to end it all|has had enough of living>].",
    "Expresses [Suicidal_ideation|<suicidal ideation|active suicidal thoughts|thoughts of ending {his} life>], one-to-one started.",
    "{he} has been [Suicidal_ideation|<saving up tablets|writing goodbye letters|looking up ways to die>] since the diagnosis.",
    "Asked directly, {he} [Suicidal_ideation|<plans to jump from the car park|thinks of hanging {himself}|would walk in front of a train>].",
    "says [Suicidal_ideation|<everyone would be better off without {him}|there is no point going on>], psych liaison bleeped.",
    "Intentional [Disease|<overdose|OD>] of [Drug|{home}]; regrets being found and [Suicidal_ideation|<still wishes to be dead|intends to try again>].",
    "[Test|PHQ-9] [Value|{18-27}], item nine positive: [Suicidal_ideation|<thinks of death most days|passive death wish>].",
    "Low since bereavement, [Suicidal_ideation|<wants to join {his} late mother|wants to be with {his} late sister>], <no plan|vague plan>.",
)

_LOOKALIKES = (
    "Denies [Absent_finding|<suicidal ideation|suicidal thoughts|thoughts of self-harm>], future-oriented, looks forward to going home.",
    "{his} brother died by [Family_history|suicide]; {he} has no such thoughts and sleeps well.",
    "Accidental [Disease|<overdose|OD>] of [Drug|paracetamol] for [Symptom|toothache], no intent.",
    "Fed up with hospital food and says the waiting is killing {him}.",
    "Not afraid of dying, has made {his} will and wants to see {his} son married.",
    "Started on [Drug|<sertraline|mirtazapine>]; warned that suicidal thoughts can occur in the first weeks.",
    "[Symptom|<Low mood|Tearfulness|Poor sleep>] since [Disease|{background}], hopeful about treatment.",
    "Wants to end treatment with [Drug|{drug}], hates the taste, open to another.",
)

TOPIC = Topic(reports=_REPORTS, report_count=17, lookalikes=_LOOKALIKES, lookalike_count=26)
