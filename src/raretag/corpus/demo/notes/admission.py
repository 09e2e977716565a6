"""The note written on admission: complaint, history, examination, plan."""

# ruff: noqa: E501 - an entry stands on one line, as it will in the note
from __future__ import annotations

from raretag.corpus.demo.notes.kind import Kind, Section

_COMPLAINT = (
    "{age}-year-old {man} <brought in by ambulance|referred by the GP|self-presented> with [Time|{span}] of {Symptom} and <new |>{Symptom}.",
    "PC: {Symptom}, {Symptom} and <some |>{Symptom} <since|from> [Time|{ago}].",
    "{age} y/o {man} with <known |>{Disease} <presents with|attends with|admitted with> {Symptom}<| and {Symptom}> <over|for> [Time|{span}].",
    "HPC: {Symptom} <began|started> [Time|{ago}] while <gardening|watching TV|at work|shopping>, <then|followed by> {Symptom} and {Symptom}.",
    "{he} <describes|reports|gives> a [Time|<3-day|ten-day|2-week|six-month>] history of {Symptom}, {Symptom} and <ongoing |>{Symptom}, but no {Absent_finding}.",
    "Found by {his} <neighbour|daughter|carer> with {Symptom} and {Symptom}; last seen well [Time|{ago}].",
    "Sent up from clinic with <suspected|probable|likely|?> {Disease} because of {Symptom} and {Symptom}.",
)

_DENIED = (
    "No {Absent_finding}, some {Symptom}, no {Absent_finding}, {Symptom} ++, {Absent_finding} never, {Symptom} daily.",
    "{Absent_finding}: no. {Symptom}: yes. {Symptom}: yes. {Absent_finding}: no. {Symptom}: sometimes.",
    "<Denies|No|Specifically denies> {Absent_finding}, {Absent_finding} or {Absent_finding}, though admits to {Symptom}.",
    "No {Absent_finding} but {Symptom} <persists|continues>, worse <lying down|after meals|on cold days>.",
    "<Systems review: |>{Symptom} present, {Absent_finding} absent, {Absent_finding} not noted; {Symptom} for [Time|{span}].",
    "{Symptom} without {Absent_finding}; {he} has never had {Absent_finding} before.",
    "Negative for {Absent_finding} and {Absent_finding}; positive for {Symptom} and {Symptom}.",
    "[Symptom|<Pain|Aching|Discomfort>] in the [Body_site|{region}]; {he} cannot recall any {Absent_finding}, and {Symptom} is getting worse.",
)

_HISTORY = (
    "Of note: {mixed}, {mixed}, {mixed}, {mixed} and {mixed}.",
    "GP summary lists {mixed}; {mixed}; {mixed}; {mixed}; {relative} also registered there.",
    "Was warned [Time|last <month|week>] about {disease} and {complaint} as complications, so far only {Symptom} and {Disease}.",
    "PMH: [Disease|{background}], [Disease|{background}], {Disease}<| and [Disease|{background}]>; {Procedure} in [Time|{2005-2021}].",
    "Past history of [Disease|{background}] and <treated |>{Disease}, diagnosed in [Time|{1998-2021}].",
    "Background: [Disease|{background}] (on [Drug|{home}]), [Disease|{background}], previous {Procedure}.",
    "<Lives alone|Lives with {his} partner|Retired teacher>, independent; [Disease|{background}] <well controlled|under the GP>, stopped smoking in [Time|{1998-2021}].",
    "<Known |>{Disease} with [Disease|{background}]; <had|underwent> {Procedure} and {Procedure} [Time|{span} ago].",
)

_FAMILY = (
    "FHx: {relative} <had|died of> {Family_history}, {relative} has {Family_history}.",
    "Family history of {Family_history} in {his} {relative}; {he} {himself} has [Disease|{background}].",
    "{his} {relative} had {Family_history} <at 54|in {his} fifties|young>, parents otherwise well.",
    "{Family_history} on the mother's side; {relative} well; no contact with cold or flu at home.",
    "{relative}: {Family_history}. {relative}: alive and well. Patient: [Disease|{background}] for [Time|<several|many> years].",
    "Two <siblings|cousins> with {Family_history}, and {he} worries that {his} own {Symptom} is the same.",
)

_DRUGS = (
    "DH: {usual}, {usual}, {order}, [Drug|{home}].",
    "<Usual drugs|Regular medication>: {order}; {usual}; {usual}; <stopped|no longer takes> [Drug|{home}].",
    "Takes {usual} and {order} but <ran out of|often forgets|recently stopped> [Drug|{home}] [Time|{ago}].",
    "<Medication|Meds> on admission: {order}, {usual} and over-the-counter [Drug|{home}].",
)

_EXAMINATION = (
    "O/E: [Symptom|{sign}], [Symptom|{sign}] and [Symptom|{sign}]; [Body_site|{region}] <unremarkable|normal>, no [Absent_finding|{sign}].",
    "On examination [Symptom|{sign}] with [Symptom|{sign}], {vital}, {vital}, {vital}.",
    "Obs: {vital}, {vital}, [Test|sats] [Value|{89-98}< %|%>] on RA; [Symptom|{sign}] <noted|seen|found>.",
    "PE: alert, [Symptom|{sign}], <mild |marked |>[Symptom|{sign}]; no [Absent_finding|{sign}]; {vital}, {vital}.",
    "Examination: [Symptom|{sign}]; [Body_site|{region}] normal; {vital}; {vital}.",
)

_RESULTS = (
    "Bloods: {result}, {result}, {result}; {Test} <pending|awaited>.",
    "[Test|{scan}] shows [Symptom|{shadow}] and [Symptom|{shadow}]; {result}.",
    "{Test} <normal|unremarkable|clear>; {result} and {result}, bay {1-6} bed {1-4}.",
    "Ix: {result}; {result}; [Test|{scan}]: [Symptom|{shadow}], no [Absent_finding|{shadow}].",
)

_PLAN = (
    "Imp: {Disease} <secondary to|on a background of|vs> {Disease}. Plan: {order}, {Test}, {Test}.",
    "Impression: <likely |possible |? |>{Disease}; start {order}, repeat {Test} <[Time|tomorrow]|[Time|tonight]>, discuss {Procedure}.",
    "Plan: {order}; {Test}; {Test}; senior review; stop [Drug|{drug}] if systolic drops.",
    "Working diagnosis {Disease}. Give {order} and {order}, then {Procedure} if no better.",
    "Admit under medicine with {Disease}, {order}, strict fluid chart, lead clinician to review on ward {2-14}.",
)

KIND = Kind(
    name="admission",
    share=0.27,
    titles=("ADMISSION NOTE", "Medical clerking", "ED CLERKING", "Admission proforma"),
    sections=(
        Section(least=1, most=1, sentences=_COMPLAINT),
        Section(least=1, most=1, sentences=_DENIED),
        Section(least=0, most=1, sentences=_HISTORY),
        Section(least=1, most=1, sentences=_FAMILY),
        Section(least=0, most=1, sentences=_DRUGS),
        Section(least=1, most=1, sentences=_EXAMINATION),
        Section(least=0, most=1, sentences=_RESULTS),
        Section(least=1, most=1, sentences=_PLAN),
    ),
    typo_rate=0.012,
)
