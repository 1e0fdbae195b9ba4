"""Words and codes: attacks 1 to 5 and 16 to 18. Whatever a sender writes, in whichever field, nobody
outside health care gets it by machine, and health care gets no substance use without a consent.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from consent.freetext import Strength, load_terms
from tests.leaks import messages as m
from tests.leaks.attacking import (
    NOT_HEALTH,
    accepted,
    agree,
    bare_brik,
    got,
    post_brik,
    post_summary,
    put,
    read_by,
    some_id,
    summary,
    texts,
)
from tests.leaks.lab import Lab
from tests.leaks.messages import JSON

REFERENCE = Path(__file__).parents[4] / "shared" / "consent" / "data"
CODES = Path(__file__).parents[3] / "consent" / "codes"

SAID = (
    "Har vært rusfri i tre måneder.",
    "Ønsker seg bort fra rusmiljøet.",
    "Er i LAR og henter Subutex på apoteket.",
    "AUDIT 24, DUDIT 31.",
    "Tok overdose på heroin i mars.",
    "Har drukket opp husleia, alkoholproblem.",
    "Diagnose F10.2 fra spesialisthelsetjenesten.",
    "Dømt til narkotikaprogram med domstolskontroll.",
    "Står på venteliste til avrusning.",
    "Bruker amfetamin i helgene.",
    "PEth var positiv.",
    "Soner på rusmestringsenheten.",
)
"""Sentences that somebody writes into a field where they do not belong."""


def _in_every_field(lab: Lab, said: str) -> None:
    """A BRIK with the sentence wherever words fit."""
    fields = bare_brik()
    for spec in texts(lab.parts, "brik.kartlegging"):
        if (spec.most or 4000) >= len(said):
            put(fields, spec.path, said)
    accepted(post_brik(lab, fields))


def _asked(lab: Lab) -> tuple[str, str]:
    """The disclosures that NAV and the housing office may answer."""
    accepted(post_brik(lab, bare_brik()))
    lab.settle()
    nav = next(c.what.rpartition("/")[2] for c in lab.calls if c.key == "nav" and b'"nav.sak"' in c.body)
    housing = next(sent.disclosure for sent in lab.recipients.sent if sent.key == "housing")
    return nav, housing


def _answered(lab: Lab, asked: tuple[str, str], said: str) -> None:
    nav, housing = m.nav_answer(asked[0]), m.housing_answer(asked[1])
    nav["melding"]["id"], housing["melding"]["id"] = some_id(), some_id()
    nav["time"]["sted"] = said
    housing["bolig"]["adresse"] = said
    housing["kontakt"] = {"navn": said}
    accepted(lab.post("nav", JSON, m.as_json(nav)))
    accepted(lab.post("housing", JSON, m.as_json(housing)))


def _sentences() -> Iterator[str]:
    """The reference's probes that the word list must see, where they are at hand, and our own."""
    yield from SAID
    probes = REFERENCE / "freetext_probes.csv"
    if probes.exists():
        with probes.open(encoding="utf-8") as file:
            yield from (
                row["sentence"] for row in csv.DictReader(file) if row["expected_max_strength"] in "SM"
            )


def test_what_the_words_tell_reaches_nobody_outside_health_care_from_any_field(
    lab: Lab, absent_reference: Callable[[str, int], None]
) -> None:
    """Attack 1."""
    if not REFERENCE.exists():
        absent_reference("freetext_probes.csv", 33)
    agree(lab, "nav", "housing", "school")
    asked = _asked(lab)
    sentences = list(_sentences())
    for said in sentences:
        _in_every_field(lab, said)
        if said in SAID:
            _answered(lab, asked, said)
    lab.settle()
    for key in NOT_HEALTH:
        payloads = b"\n".join(got(lab, key)).decode()
        assert [said for said in sentences if said.rstrip(".") in payloads] == []
    assert len(got(lab, "housing")) > len(sentences)


def test_harmless_text_is_held_until_somebody_read_it_and_the_rest_goes(lab: Lab) -> None:
    """Attack 1: or the one before would hold because nothing goes at all."""
    agree(lab, "nav", "housing")
    fields = bare_brik()
    put(fields, "bolig.merknad", "Trenger plass til to, helst nær skolen.")
    put(fields, "kommuner.bydel", "Nordbyen")
    message = accepted(post_brik(lab, fields))
    lab.settle()
    [at_housing] = read_by(lab, "housing")
    assert at_housing["kommuner"]["bydel"] == "Nordbyen"
    assert "merknad" not in at_housing
    assert message


DENIED = (
    ("Bruker heroin.", "Bruker ikke heroin."),
    ("AUDIT 24.", "AUDIT er ikke aktuelt."),
    ("Har rusproblem.", "Har aldri hatt rusproblem."),
    ("Er i LAR.", "Er ikke i LAR."),
    ("Positiv på cannabis.", "Ikke positiv på cannabis."),
    ("Drikker alkohol hver dag.", "Avholdende, ingen alkohol."),
    ("Har alkoholmisbruk.", "Ingen mistanke om alkoholmisbruk."),
    ("Innlagt til avrusning.", "Trenger ingen avrusning."),
)


@pytest.mark.parametrize(("positive", "negative"), DENIED)
def test_a_denial_travels_exactly_as_far_as_the_statement(lab: Lab, positive: str, negative: str) -> None:
    """Attack 2."""
    section = {"kode": "8716-3", "tittel": "Sosialt"}
    seen = []
    for said in (positive, negative):
        text = f"Pasienten har vært hos oss i tre måneder. {said} Ny time er avtalt med fastlegen."
        before = len(got(lab, "gp"))
        accepted(post_summary(lab, summary(sections=[{**section, "tekst": text}])))
        fields = bare_brik()
        put(fields, "bolig.merknad", said)
        put(fields, "kommuner.bydel", said)
        accepted(post_brik(lab, fields))
        lab.settle()
        [arrived] = read_by(lab, "gp")[before:]
        seen.append([arrived["seksjoner"], read_by(lab, "housing")])
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == 1


PARAPHRASED = (
    "henter på apoteket hver morgen",
    "samme problem som sist",
    "har vært nykter siden jul",
    "må levere prøver to ganger i uka",
    "trenger å komme seg bort fra gamle venner",
    "er i et opplegg på klinikken",
    "sliter fortsatt med det vi snakket om",
    "får medisin under tilsyn",
)


@pytest.mark.parametrize("said", PARAPHRASED)
def test_what_no_list_of_words_can_see_is_for_a_person_to_read(lab: Lab, said: str) -> None:
    """Attack 3: in a remark, and in a field that is meant for a name."""
    agree(lab, "nav", "housing", "school")
    asked = _asked(lab)
    for written in (said, f"{said.capitalize()}."):
        _in_every_field(lab, written)
        _answered(lab, asked, written)
    lab.settle()
    for key in NOT_HEALTH:
        payloads = b"\n".join(got(lab, key)).decode().lower()
        assert said not in payloads


def _disguises(word: str) -> Iterator[tuple[str, str]]:
    half = len(word) // 2
    front, back = word[:half], word[half:]
    alike = str.maketrans("aeopcxyi", "аеорсхуі")
    yield "line-end hyphen", f"{front}-\n{back}"
    yield "soft hyphen", f"{front}\u00ad{back}"
    yield "zero width", "\u200b".join(word)
    yield "word joiner", f"{front}\u2060{back}"
    yield "right-to-left mark", f"{front}\u200f{back}"
    yield "spaced", " ".join(word)
    yield "dotted", ".".join(word)
    yield "look-alikes", word.translate(alike)
    yield "entities", "".join(f"&#{ord(sign)};" for sign in word)
    yield "entities twice", "".join(f"&amp;#x{ord(sign):x};" for sign in word)
    yield "percent", "".join(f"%{byte:02X}" for byte in word.encode())
    yield "combining marks", "".join(f"{sign}\u0336" for sign in word)
    yield "decomposed", unicodedata.normalize("NFD", word)
    yield "full width", "".join(chr(ord(s) + 0xFEE0) if "!" <= s <= "~" else s for s in word)
    yield "mathematical", "".join(chr(0x1D41A + ord(s) - 97) if "a" <= s <= "z" else s for s in word)
    yield "tags between", f"{front}<b></b>{back}"


def _strong_words() -> list[str]:
    """Every single word of the list that speaks by itself, ending cut off as the list writes it."""
    words = (
        word
        for term in load_terms()
        if term.strength is Strength.STRONG and not term.case
        for word in term.words
    )
    return sorted({word.strip("*") for word in words if word.strip("*").isalpha() and len(word) > 5})


def test_no_disguise_brings_a_word_through(lab: Lab) -> None:
    """Attack 4: every strong word in every disguise, to the GP, who may have all but that."""
    words = _strong_words()
    assert len(words) > 60
    disguised = [(word, name, text) for word in words for name, text in _disguises(word)]
    for at in range(0, len(disguised), 900):
        part = disguised[at : at + 900]
        sections = [
            {"tittel": f"Punkt {n}", "tekst": f"Pasienten har hatt time hos oss om {text} i denne uken."}
            for n, (_, _, text) in enumerate(part, start=at)
        ]
        accepted(post_summary(lab, summary(sections=sections)))
    lab.settle()
    arrived = [section["tittel"] for fields in read_by(lab, "gp") for section in fields["seksjoner"]]
    titles = {f"Punkt {n}": (word, name) for n, (word, name, _) in enumerate(disguised)}
    assert [titles[title] for title in arrived if title in titles] == []
    assert "Forløp" in arrived


FOREIGN = {
    "nynorsk": "Brukaren har rusavhengnad og ynskjer å kome i gang med ny behandling.",
    "dialect": "Han har drukke altfor mykje sprit og e no på avrusing.",
    "English": "The patient has a history of drug abuse and is on methadone treatment.",
    "German": "Der Patient ist seit Jahren heroinabhängig und wird mit Methadon behandelt.",
    "Polish": "Pacjent jest od lat uzależniony i wymaga dalszego leczenia w poradni.",
    "Lithuanian": "Pacientas turi priklausomybę ir jam reikalingas tolesnis gydymas.",
    "Somali": "Bukaanku wuxuu isticmaalaa maandooriye waxaana loo baahan yahay daaweyn.",
    "Russian": "Пациент страдает зависимостью и нуждается в лечении.",
    "Arabic": "المريض يعاني من الإدمان ويحتاج إلى علاج",
    "Spanish": "El paciente tiene una adicción y necesita tratamiento en la clínica.",
    "half and half": "Pasienten har det bra. Pacjent jest od lat uzależniony i wymaga leczenia w poradni.",
}


@pytest.mark.parametrize("language", FOREIGN)
def test_no_language_brings_it_through(lab: Lab, language: str) -> None:
    """Attack 5: what is understood is labelled, what is not is held."""
    said = FOREIGN[language]
    accepted(post_summary(lab, summary(sections=[{"tittel": "Vurdering", "tekst": said}])))
    lab.settle()
    [arrived] = read_by(lab, "gp")
    assert [section["tittel"] for section in arrived["seksjoner"]] == ["Forløp"]


ODD_CODES: tuple[tuple[str, str], ...] = (
    (m.ICD, "F112"),
    (m.ICD, "F 11.2"),
    (m.ICD, "f11.22"),
    (m.ICD, "F1120"),
    (m.ICD, "Z50.30"),
    (m.ICD, "Z50.3"),
    (m.ICD, "F10.2+"),
    (m.ICD, "F11.2, J45.9"),
    ("2.16.578.1.12.4.1.1.7110", "F19.2"),
    ("URN:OID:2.16.578.1.12.4.1.1.7110", "F19.2"),
    ("http://hl7.org/fhir/sid/icd-10-no", "F12.1"),
    ("http://hl7.org/fhir/sid/icd-10-no/", "F12.1"),
    ("http://hl7.org/fhir/sid/icd-10", "F14.2"),
    ("http://hl7.org/fhir/sid/icd-10-cm", "F11.20"),
    ("http://hl7.org/fhir/sid/icd-9-cm", "304.00"),
    ("urn:oid:2.16.578.1.12.4.1.1.7170", "P19"),
    ("http://snomed.info/sct", "191816009"),
    ("http://snomed.info/sct", "64572001:246075003=387341002"),
    ("http://snomed.info/sct", "191816009 |x|"),
    ("http://loinc.org", "75626-2"),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", "6813"),
    ("urn:oid:2.16.578.1.12.4.1.1.7280", "NOR25618"),
    ("urn:lokalt-kodeverk", "R7"),
    ("urn:oid:2.16.578.1.12.4.1.1.9999", "17"),
    ("http://example.org/kodeverk", "J45.9"),
    ("unknown", "1"),
    ("lokal", "LAR-rekvisisjon"),
    (" ", "F11.2"),
)


def test_no_notation_and_no_unknown_system_brings_a_code_through(lab: Lab) -> None:
    """Attack 16: as diagnosis and as medicine, one by one and together."""
    for system, code in ODD_CODES:
        odd = {"system": system, "kode": code}
        call = post_summary(lab, summary(diagnoses=[odd], medicines=[{**odd, "navn": "Preparat"}]))
        assert call.status == 202 or 400 <= call.status < 500, (system, code)
    lab.settle()
    arrived = read_by(lab, "gp")
    assert len(arrived) >= len(ODD_CODES) - 4
    assert {d["kode"] for fields in arrived for d in fields["diagnoser"]} == {"J45.9"}
    assert {d["kode"] for fields in arrived for d in fields["legemidler"]} == {"R03AC02"}


def _listed() -> Iterator[Mapping[str, str]]:
    for file in ("icd10.csv", "icpc2.csv", "international.csv", "nlk.csv", "atc.csv"):
        with (CODES / file).open(encoding="utf-8") as rows:
            yield from (row for row in csv.DictReader(rows) if row["category"] == "substance_use")


def test_no_code_of_the_lists_comes_through_in_any_spelling(lab: Lab) -> None:
    """Attack 16: all of them, through the whole hub."""
    codes = [(row["system"], row["code"].replace("*", "")) for row in _listed()]
    spelt = [
        {"system": system, "kode": spelling}
        for system, code in codes
        for spelling in {code, code.lower(), code.replace(".", ""), f"{code[:1]} {code[1:]}"}
    ]
    assert len(spelt) > 100
    for at in range(0, len(spelt), 900):
        accepted(post_summary(lab, summary(diagnoses=spelt[at : at + 900])))
    lab.settle()
    assert {d["kode"] for fields in read_by(lab, "gp") for d in fields["diagnoser"]} == {"J45.9"}


MEDICINES: tuple[Mapping[str, str], ...] = (
    {"kode": "N07BC01", "navn": "Preparat", "dosering": "Sublingvaltablett, utleveres overvåket, daglig"},
    {"kode": "N07BC01", "dosering": "Sublingvaltablett, utleveres overvåket, daglig"},
    {"kode": "R03AC02", "navn": "Subutex", "dosering": "Sublingvaltablett, utleveres overvåket, daglig"},
    {"kode": "R03AC02", "navn": "Salbutamol", "dosering": "Gis sammen med metadon"},
    {"kode": "N07BB04", "navn": "Preparat", "dosering": "Depot hver fjerde uke"},
    {"kode": "V03AB15", "navn": "Nesespray", "dosering": "Ved behov"},
)


def test_a_medicine_goes_whole_or_not_at_all(lab: Lab) -> None:
    """Attack 18: no form, strength or frequency is left of one that is taken out."""
    for medicine in MEDICINES:
        accepted(post_summary(lab, summary(medicines=[{"system": m.ATC, **medicine}])))
    lab.settle()
    arrived = read_by(lab, "gp")
    assert len(arrived) == len(MEDICINES)
    harmless = {"system": m.ATC, "kode": "R03AC02", "navn": "Salbutamol", "dosering": "Ved behov"}
    assert [fields["legemidler"] for fields in arrived] == [[harmless]] * len(MEDICINES)


TOGETHER: tuple[dict[str, Any], ...] = (
    {
        "diagnoses": [{"system": m.ICD, "kode": "B18.2", "tekst": "Kronisk hepatitt C"}],
        "medicines": [{"system": m.ATC, "kode": "V03AB15", "navn": "Nalokson"}],
    },
    {
        "diagnoses": [{"system": m.ICD, "kode": "B18.2", "tekst": "Kronisk hepatitt C"}],
        "medicines": [{"system": m.ATC, "kode": "R03AC02", "navn": "Preparat", "dosering": "Depotinjeksjon ukentlig"}],
    },
    {
        "medicines": [{"system": m.ATC, "kode": "R03AC02", "navn": "Preparat", "dosering": "Sublingvaltablett, overvåket inntak"}]
    },
)  # one row per case # fmt: skip


@pytest.mark.parametrize(
    "signs", TOGETHER, ids=["infection and antidote", "infection and injection", "supervised"]
)
def test_what_tells_only_together_does_not_go_together(lab: Lab, signs: dict[str, Any]) -> None:
    """Attack 17: of a combination the GP gets at most what is harmless alone."""
    accepted(post_summary(lab, summary(**signs)))
    lab.settle()
    [arrived] = read_by(lab, "gp")
    codes = {part["kode"] for name in ("diagnoser", "legemidler") for part in arrived[name]}
    doses = [part.get("dosering") for part in arrived["legemidler"]]
    assert not {"B18.2", "V03AB15"} <= codes
    assert doses == ["Ved behov"]
