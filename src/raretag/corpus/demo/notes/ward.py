"""The ward round: short, telegraphic, one line a problem."""

# ruff: noqa: E501 - an entry stands on one line, as it will in the note
from __future__ import annotations

from raretag.corpus.demo.notes.kind import Kind, Section

_OPENING = (
    "# {mixed} # {mixed} # {mixed} # {mixed}.",
    "Jobs and issues: {mixed}, {mixed}, {mixed}, {mixed}, discharge letter.",
    "[Time|D{2-19}] of {Disease}; <still|ongoing> {Symptom}, {Symptom} <settling|better|no worse>.",
    "[Time|Day {2-9}] post {Procedure}. {Symptom} [Time|overnight], slept poorly, {Symptom} [Time|this morning].",
    "<Issues|Problems>: 1. {Disease} 2. {Disease} 3. {Symptom} 4. discharge planning.",
    "Rv by {staff}. Feels <better|worse|same>, {Symptom} less, c/o {Symptom} and {Symptom}.",
    "Admitted [Time|{ago}] with {Disease}, now [Time|day {2-9}], {Symptom} and {Symptom} remain.",
)

_STATUS = (
    "Obs: {vital}, {vital}, {vital}; [Symptom|{sign}] unchanged.",
    "O/E [Symptom|{sign}], [Symptom|{sign}], [Body_site|{region}] SNT, nil [Absent_finding|{sign}].",
    "{vital}, {vital}; <minimal|ongoing|less> [Symptom|{sign}], <nil|no> {Absent_finding}.",
    "E&D, BO x{1-4} stool formed, nil {Absent_finding}, {Symptom} on mobilising.",
    "Looks <well|tired|flushed>, [Body_site|hands] warm; [Symptom|{sign}] and [Symptom|{sign}]; [Body_site|{region}] NAD.",
    "Wound clean, no [Absent_finding|discharge] or [Absent_finding|redness]; {Symptom} eased by {Drug}.",
    "Some [Symptom|<discharge|wound discharge>] from the [Body_site|{region}], [Symptom|<redness|maceration|warmth|slough|tenderness>] around it, {vital}.",
    "<Cold|Lying> in bed asking for another blanket, {Symptom} +, {Symptom} ++, {vital}.",
)

_RESULTS = (
    "Bloods: {result}, {result}, {result}, bed {1-28}.",
    "[Test|{scan}]: [Symptom|{shadow}]; {Test} <awaited|chased|requested>; {result}.",
    "Labs: {result} <rising|falling|static>, {result}; [Test|<cultures|culture>] [Value|<negative|positive|no growth>] at [Time|<48 hours|5 days>].",
    "[Test|{scan}] reported: [Symptom|{shadow}], [Symptom|{shadow}]. ?{Disease}.",
    "[Test|<COVID swab|MRSA screen|urine dip|stool toxin|viral PCR>] [Value|<negative|positive>]; {Test} not done<, declined|, machine broken|, no porter>; {result}.",
)

_PLAN = (
    "Discuss at MDT: {mixed}, {mixed}, {mixed}; if {complaint} then {order}.",
    "Low threshold for {order} should {complaint} or {disease} set in; {mixed} and {mixed} as before.",
    "P: ct {order}, stop {Drug}, rpt {Test} [Time|<mane|Mon|tmrw>].",
    "Plan - {order}; {Procedure} [Time|<tomorrow|Thursday|next week>]; d/c {Drug}; aim discharge [Time|<Friday|tomorrow|next week>].",
    "Start {order}, wean {Drug}, chase {Test}, d/w {staff} re {Procedure}.",
    "MFFD once {Test} done; home with {order} and district nurse for dressings.",
    "Switch {Drug} to {order}; recheck {Test}; watch for {complaint} or {complaint}.",
    "NBM for {Procedure}, hold {Drug}, {order}, lead surgeon to confirm list.",
    "Risk of {complaint} explained; consented for {Procedure}; {order} to continue for [Time|{span}].",
)

KIND = Kind(
    name="ward",
    share=0.25,
    titles=("WARD ROUND", "WR consultant", "Ward round entry", "Post-take ward round"),
    sections=(
        Section(least=1, most=1, sentences=_OPENING),
        Section(least=2, most=3, sentences=_STATUS),
        Section(least=1, most=1, sentences=_RESULTS),
        Section(least=1, most=2, sentences=_PLAN),
    ),
    typo_rate=0.02,
)
