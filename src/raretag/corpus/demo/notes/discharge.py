"""The discharge letter to the general practitioner: whole sentences."""

# ruff: noqa: E501 - an entry stands on one line, as it will in the note
from __future__ import annotations

from raretag.corpus.demo.notes.kind import Kind, Section

_OPENING = (
    "Dear Doctor, thank you for taking over the care of this {age}-year-old {man} who was admitted [Time|{ago}] with {Symptom} and {Symptom}.",
    "Dear colleague, {he} was under our care for [Time|{span}] with {Disease}, complicated by {Disease}.",
    "Diagnosis: {Disease}. Secondary diagnoses: [Disease|{background}], [Disease|{background}], {Disease}.",
    "We looked after {him} for [Time|{span}] following a <sudden|gradual> onset of {Symptom}, {Symptom} and {Symptom}.",
)

_STORY = (
    "Main points of this stay were {mixed}, {mixed}, {mixed} and {mixed}.",
    "We talked about {mixed} and {mixed}; leaflets on {disease} and {complaint} were handed over, and {mixed} will be taken up in clinic.",
    "On arrival {he} had {Symptom} and [Symptom|{sign}] but no {Absent_finding}, and {his} {vital}.",
    "[Test|{scan}] on <admission|[Time|day 3]> demonstrated [Symptom|{shadow}] and [Symptom|{shadow}], in keeping with {Disease}.",
    "{he} was treated with {order} and {order}, and {his} {Symptom} <settled|resolved|improved> within [Time|{span}].",
    "{Disease} was initially suspected, but [Test|{scan}] showed no [Absent_finding|{shadow}] and {result} argued against it.",
    "{he} underwent {Procedure} <on [Time|Tuesday]|[Time|later that day]|under sedation>, which was <uneventful|well tolerated>, and {Symptom} did not return.",
    "Blood tests showed {result}, {result} and {result}; {Test} was [Value|negative].",
    "The [Body_site|{region}] remained tender, with [Symptom|{sign}] and [Symptom|{sign}] on the day of discharge.",
    "{his} stay was prolonged by {Symptom} and by a [Disease|<cold|chest infection|urine infection|bout of gout>] caught on the ward.",
    "{Symptom} was worst in the [Body_site|{region}] and eased with {Drug}.",
    "{his} {relative}, who had {Family_history}, was present when we explained the diagnosis of {Disease}.",
    "{Symptom} and {Symptom} improved, although [Symptom|{sign}] was still present when {he} left.",
)

_DRUGS = (
    "Drugs on discharge: {order}, {order}, {usual}, {usual}.",
    "We started {order} and stopped {Drug}; {usual} and {usual} are unchanged.",
    "New: {order}. Changed: {usual}. Stopped: {Drug}, because of {Symptom}.",
    "Please continue {order} for [Time|{span}] and then reduce; {Drug} should not be restarted.",
)

_FOLLOW = (
    "Please repeat {Test} in [Time|{span}]; should {he} develop {complaint} or {complaint}, <send {him} back|refer urgently>.",
    "We have asked for {Test} and will see {him} in clinic in [Time|{span}] to plan {Procedure}.",
    "{he} was told to return if there is {complaint}, {complaint} or {complaint}; {he} has no {Absent_finding} at present.",
    "Follow-up: {Test} <in [Time|6/52]|[Time|next month]>, clinic letter to follow, district nurse for the wound.",
    "Advice about {disease} was given; {he} goes home with {Drug} and an information leaflet.",
)

KIND = Kind(
    name="discharge",
    share=0.18,
    titles=("DISCHARGE LETTER", "Discharge summary", "Letter to the general practitioner"),
    sections=(
        Section(least=1, most=1, sentences=_OPENING),
        Section(least=2, most=4, sentences=_STORY),
        Section(least=1, most=1, sentences=_DRUGS),
        Section(least=1, most=1, sentences=_FOLLOW),
    ),
    typo_rate=0.003,
)
