"""Nursing notes: lower case, hurried, everyday words."""

# ruff: noqa: E501 - an entry stands on one line, as it will in the note
from __future__ import annotations

from raretag.corpus.demo.notes.kind import Kind, Section

_ENTRIES = (
    "handover: {mixed}, {mixed}, {mixed}, {mixed}, obs 4-hourly.",
    "told {staff} about {mixed} and {mixed}, then {mixed}; {mixed} still to sort.",
    "{Symptom} gone, {Symptom} not, asked re {mixed} and {mixed}.",
    "leaflets on {complaint}, {disease} and falls given, {mixed} and {mixed} talked through.",
    "pt c/o {Symptom} and {Symptom} at <handover|the start of the shift>, <given|had> {order} with <good|little|some> effect.",
    "obs {vital}, {vital}, {vital}; {staff} informed <of {Symptom}|and will review>.",
    "slept well, no {Absent_finding} [Time|overnight], {Symptom} on waking, {vital}.",
    "settled day, eating and drinking, denies {Absent_finding} or {Absent_finding}, {Symptom} improving.",
    "{Symptom} ++ after <lunch|physio|bath>, {vital}, {vital}, doctor bleeped, {Drug} given.",
    "<wound|dressing> to [Body_site|{region}] changed, [Symptom|<discharge|serous discharge|purulent discharge>] ++, [Symptom|<redness|maceration|warmth|slough|tenderness>] around it, swab sent for [Test|culture].",
    "skin intact, pressure areas checked, [Symptom|<patch of redness|grade 1 pressure sore|sacral redness>] <over|on> [Body_site|{region}], turned regularly.",
    "bowels opened, type {4-7} stool, sample sent for [Test|<stool culture|C. difficile toxin|M,C&S>], {Symptom} ongoing.",
    "pt tearful, worried about {disease} as a <neighbour|friend> had it; reassured; c/o {Symptom}.",
    "{Drug} omitted as nbm, {Drug} refused, {order} given by {staff}.",
    "went for [Test|{scan}] at [Time|<14:10|09:35|11:00>], back on ward with {Symptom}; awaiting {Procedure}.",
    "{Procedure} done <off the ward|[Time|this morning]|under sedation>, <tolerated well|uneventful>, {Symptom} after, {vital}.",
    "{staff} aware of {Symptom}; to call if any {complaint} or {complaint}.",
    "family visiting, asked about discharge date; pt has a [Disease|<cold|heavy cold|head cold>] and {Symptom}.",
    "patch on [Body_site|<left|right> arm] checked, [Drug|{patch}] in place, {Symptom} less.",
    "nil {Absent_finding} seen, nil {Absent_finding}, but still {Symptom} and <bit of |>{Symptom}.",
    "tolerating sips of cold water, {Symptom} x{2-5} since [Time|{ago}], {order} given.",
    "repositioned for comfort, {Symptom} when moved, pillow under [Body_site|{region}], {vital}, {Drug} offered.",
    "lab phoned with {result}; {staff} informed and started {order}.",
    "mobilised to toilet with one, {Symptom} on standing, no {Absent_finding}, {vital}.",
)

KIND = Kind(
    name="nursing",
    share=0.19,
    titles=("NURSING NOTE", "Nursing evaluation", "nights", "Nursing communication sheet"),
    sections=(Section(least=5, most=6, sentences=_ENTRIES),),
    typo_rate=0.03,
    capital=False,
)
