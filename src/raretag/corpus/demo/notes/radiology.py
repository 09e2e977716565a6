"""The radiology report: impersonal, findings before conclusion."""

# ruff: noqa: E501 - an entry stands on one line, as it will in the note
from __future__ import annotations

from raretag.corpus.demo.notes.kind import Kind, Section

_REQUEST = (
    "Clinical details: {mixed}, {mixed}, {mixed}, {mixed}.",
    "Clinical details: {Symptom}, {Symptom} and {Symptom} for [Time|{span}], known {Disease}, {result}; is there {disease}?",
    "Indication: ?{Disease}. {Symptom} since [Time|{ago}], {Symptom}, {result} and {result}.",
    "History: previous {Procedure} on [Time|{moment}], now {Symptom} and [Symptom|{sign}]; probable {Disease}.",
    "Request: {Symptom} with {result}; previous {Disease}; please exclude {disease}.",
)

_TECHNIQUE = (
    "[Test|{scan}] performed <on admission|at [Time|02:10]|on [Time|{moment}]> with {60-120} mL of intravenous [Drug|<iohexol|contrast>], compared with [Test|{scan}] of [Time|{moment}].",
    "[Test|{scan}]; comparison is made with the study of [Time|{moment}].",
    "Technique: [Test|{scan}] <standard protocol|prone and supine|limited protocol>, image quality limited by <movement|habitus|metal artefact>.",
)

_FINDINGS = (
    "There is [Symptom|{shadow}] in the {Body_site} with [Symptom|{shadow}], not seen on [Time|{moment}].",
    "[Symptom|{shadow}] measuring {11-88} mm <adjacent to|near|within> the {Body_site}; no [Absent_finding|{shadow}].",
    "The {Body_site} and the {Body_site} are normal; no [Absent_finding|{shadow}] or [Absent_finding|{shadow}] is seen.",
    "[Symptom|{shadow}] and [Symptom|{shadow}] are again <shown|seen>, slightly <larger|smaller> than before.",
    "No evidence of {Absent_finding}; the {Body_site} <appears|is> preserved, incidental [Symptom|{shadow}].",
    "Within the {Body_site}, <extensive|subtle|new> [Symptom|{shadow}]; the {Body_site} is spared.",
    "Previous {Procedure} noted; <minor|further> [Symptom|{shadow}], stable since [Time|{moment}].",
    "The leads of the ECG monitor project over the {Body_site}; [Symptom|{shadow}] persists.",
)

_CONCLUSION = (
    "Conclusion: <appearances of|findings suggest|in keeping with> {Disease} with [Symptom|{shadow}]; suggest [Test|{scan}].",
    "Impression: {Disease}, less likely {Disease}; {Procedure} may be considered.",
    "Opinion: [Symptom|{shadow}] of uncertain cause, {Disease} possible; repeat [Test|{scan}] in [Time|{span}].",
    "Summary: no [Absent_finding|{disease}]; [Symptom|{shadow}] explains the {Symptom}.",
)

KIND = Kind(
    name="radiology",
    share=0.11,
    titles=("RADIOLOGY REPORT", "Imaging report", "Radiology: final report"),
    sections=(
        Section(least=1, most=1, sentences=_REQUEST),
        Section(least=1, most=1, sentences=_TECHNIQUE),
        Section(least=3, most=4, sentences=_FINDINGS),
        Section(least=1, most=1, sentences=_CONCLUSION),
    ),
    typo_rate=0.002,
    clinical=False,
)
