"""Allergy_reaction: what a drug, food or material has done to this patient through allergy."""

# ruff: noqa: E501 - an entry stands on one line, as it will in the note
from __future__ import annotations

from raretag.corpus.demo.critical.topic import Topic

_REPORTS = (
    "Minutes after the first dose of [Drug|{culprit}] {he} came out in [Allergy_reaction|<widespread hives|urticaria all over the trunk|raised itchy weals>].",
    "Allergies: [Drug|{culprit}] ([Allergy_reaction|<rash|anaphylaxis|facial swelling|hives>]), [Drug|{culprit}] ([Allergy_reaction|<angioedema|itchy rash|wheeze>]).",
    "[Allergy_reaction|<Anaphylaxis|Anaphylactic shock>] to [Drug|{culprit}] [Time|{ago}], needed [Drug|adrenaline] [Dose|500 µg].",
    "{his} [Allergy_reaction|<lips and tongue swelled|throat closed up|face puffed up>] when [Drug|{culprit}] was given, so the infusion was stopped.",
    "Reacted to [Drug|{culprit}] before: [Allergy_reaction|<blistering of the skin and mouth|peeling skin|Stevens-Johnson syndrome>].",
    "ALLERGIC to [Drug|{culprit}] - [Allergy_reaction|<collapse|bronchospasm|came up in lumps>]. Red band on.",
    "The [Allergy_reaction|<itchy |blotchy |morbilliform |>rash] over the [Body_site|<trunk|arms|face>] is put down to [Drug|{culprit}]; added to the allergy box.",
    "{he} tells us that peanuts give {him} [Allergy_reaction|<tightness of the throat|swollen lips|tongue tingling and wheeze>] and carries two [Drug|adrenaline] pens.",
    "Latex gloves bring on [Allergy_reaction|<weals on both hands|streaming eyes and wheeze|contact urticaria>], theatre told.",
    "At induction [Allergy_reaction|<profound hypotension with flushing|severe bronchospasm|cardiovascular collapse>] followed [Drug|{culprit}]; [Test|tryptase] [Value|{18-96} µg/L].",
    "Last time {he} had [Drug|{culprit}] {he} [Allergy_reaction|<went red and could not breathe|blew up like a balloon|was covered in welts>].",
    "[Allergy_reaction|<DRESS|drug rash with eosinophilia|toxic epidermal necrolysis>] [Time|{2-6} weeks] into [Drug|{culprit}], dermatology asked to see.",
    "Wasp sting [Time|{ago}]: [Allergy_reaction|<generalised hives and vomiting|anaphylaxis|swollen tongue>], referred to the allergy clinic.",
    "given [Drug|{culprit}] iv, [Allergy_reaction|<itching and flushing|puffy eyes|facial oedema>] within [Time|10 mins], [Drug|chlorphenamine] [Dose|10 mg] given.",
)

_LOOKALIKES = (
    "Allergies: none known, no reaction to any antibiotic so far.",
    "NKDA; had [Drug|{culprit}] twice [Time|{ago}] without any trouble.",
    "Allergic to [Drug|{culprit}] according to the GP record, nature of reaction not known.",
    "[Disease|Allergic <rhinitis|conjunctivitis>] in [Time|summer], uses [Drug|cetirizine].",
    "A rash may appear with [Drug|{culprit}]; {he} was told to stop it and call if so.",
    "[Symptom|<Rash|Itchy rash|Hives>] was there before [Drug|{culprit}] was started and is thought to be [Disease|<viral|chickenpox|scabies>].",
    "Test dose of [Drug|{culprit}] given under supervision, no [Absent_finding|<rash|wheeze|hypotension>] afterwards.",
    "{Symptom} after [Drug|{culprit}] is a known side effect and not an allergy; it can be given again.",
    "[Symptom|<Facial swelling|Lip swelling|Swollen tongue>] came from the dental [Disease|abscess], antibiotic continued.",
    "{his} {relative} had [Family_history|anaphylaxis] to [Drug|{culprit}], {he} {himself} has taken it safely.",
    "[Test|Patch test] to nickel and fragrance [Value|negative], allergy label removed.",
)

TOPIC = Topic(reports=_REPORTS, report_count=64, lookalikes=_LOOKALIKES, lookalike_count=54)
