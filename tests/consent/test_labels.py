"""What content raises: codes in any notation, words in any field, and the whole element around them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.code_lists import CodeLists, Entry
from consent.labels import label, load_codes
from hub.errors import HubError
from hub.message import Category, Leaf, Record

CODE_LISTS = load_codes()
ICD, ICPC, ATC, NLK = (f"2.16.578.1.12.4.1.1.{n}" for n in (7110, 7170, 7180, 7280))
S, M, H, U = Category.SUBSTANCE_USE, Category.MENTAL_HEALTH, Category.SOMATIC_HEALTH, Category.UNKNOWN
CUSTODY, OFFENCE = Category.CUSTODY, Category.OFFENCE

CODED: list[tuple[str, str, set[Category]]] = [
    (ICD, "F11.2", {S}),
    (ICD, "F1120", {S}),
    (ICD, "F 11.2", {S}),
    (ICD, "f11.2", {S}),
    (ICD, "F11.2+", {S}),
    (ICD, "F10", {S}),
    (ICD, "F10-F19", {S}),
    (ICD, "F19.9", {S}),
    (ICD, "F17.2", {H}),
    (ICD, "Z50.30", {S}),
    (ICD, "Z50.2", {S}),
    (ICD, "Z50.1", set()),
    (ICD, "Z71.4", {S}),
    (ICD, "Z72.1", {S}),
    (ICD, "Z86.4", {S}),
    (ICD, "R78.0", {S}),
    (ICD, "R78.6", set()),
    (ICD, "Y90.3", {S}),
    (ICD, "Y91", {S}),
    (ICD, "K70.3", {S}),
    (ICD, "T40.1", {S}),
    (ICD, "F32.1", {M}),
    (ICD, "F04", {M}),
    (ICD, "F60.7", {M}),
    (ICD, "F55.2", {M}),
    (ICD, "Z65.1", {CUSTODY}),
    (ICD, "Z65.0", {OFFENCE}),
    (ICD, "S72.0", set()),
    (ICD, "J45 Astma", set()),
    (ICD, "F\u00ad11.2", {S}),
    (ICD, "Z50,30", {S}),
    (ICD, "FI1.2", {U}),  # no code of the system: nobody knows what it is
    (ICD, "J45 \u042019", {U}),
    (ICPC, "\u042019", {U}),
    (ICPC, "-31", set()),
    (ATC, "N07B", {S}),
    (ATC, "N07", set()),
    (NLK, "16494", {U}),
    (ICD, "P15", set()),
    (ICD, "", {U}),
    (ICD, "†", {U}),
    (f"urn:oid:{ICD}", "F11.2", {S}),
    ("http://hl7.org/fhir/sid/icd-10-no", "F32.1", {M}),
    ("HTTP://hl7.org/fhir/sid/icd-10-no/", "F32.1", {M}),
    ("http://hl7.org/fhir/sid/icd-10-cm", "F11.20", {S}),
    ("http://hl7.org/fhir/sid/icd-10-cm", "M54.5", {U}),
    (ICPC, "P15", {S}),
    (ICPC, "P19 -> F11.2", {S}),
    (ICPC, "P17", {H}),
    (ICPC, "P76", {M}),
    (ICPC, "L84", set()),
    (ICPC, "A86", {H}),
    (ATC, "N07BC02", {S}),
    (ATC, "N07BB04", {S}),
    (ATC, "V03AB15", {S}),
    (ATC, "N07BA01", {H}),
    (ATC, "N02AA01", {H}),
    (ATC, "N06AB04", {M}),
    (ATC, "A10BA02", set()),
    (NLK, "NPU16494", {S}),
    (NLK, "NOR25838", {S}),
    (NLK, "NPU19651", set()),
    ("http://snomed.info/sct", "75544000", {S}),
    ("http://snomed.info/sct", "22298006", {U}),
    ("http://loinc.org", "75624-7", {S}),
    ("http://loinc.org", "11535-2", {H}),
    ("http://loinc.org", "99999-9", {U}),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", "6813", {S}),
    ("", "F11.2", {S}),
    ("", "S72.0", {U}),
    ("urn:oid:1.2.3", "N07BC02", {S}),
    ("urn:oid:1.2.3", "P15", {S}),
    ("urn:oid:1.2.3", "M54.5", {U}),
    ("urn:oid:1.2.3", "F17.2", {U}),
    # every notation of a system's name
    (f"oid:{ICD}", "F32.1", {M}),
    (f"urn:oid:{ICD}", "F32.1", {M}),
    (f"URN:OID:{ICD} ", "F32.1", {M}),
    ("https://hl7.org/fhir/sid/icd-10", "F32.1", {M}),
    ("http://loinc.org|2.77", "11535-2", {H}),
    ("https://www.loinc.org/", "11535-2", {H}),
    ("ＬＯＩＮＣ", "11535-2", {H}),
    # F1 is substance use wherever it stands
    (ICPC, "F10", {S}),
    (ICPC, "F16", {S}),
    (ICPC, "F18", {S}),
    (ICPC, "F19", {S}),
    (ICPC, "F17", set()),
    (ATC, "F10.231", {S}),
    (ATC, "F11.20A", {S}),
    (NLK, "f 13", {S}),
    # how the codes of each closed system are written
    (ICD, "J4", {U}),
    (ICD, "J45", set()),
    (ICD, "M80.01AB", set()),
    (ICD, "J45.12345", {U}),
    (ICD, "4512", {U}),
    (ICPC, "A0", {U}),
    (ICPC, "A01", set()),
    (ICPC, "A0123", set()),
    (ICPC, "A01234", {U}),
    (ICPC, "AB1", {U}),
    (ICPC, "-3", {U}),
    (ATC, "A", set()),
    (ATC, "A1", {U}),
    (ATC, "A10", set()),
    (ATC, "A10B", set()),
    (ATC, "A10BA", set()),
    (ATC, "A10BA0", {U}),
    (ATC, "10BA02", {U}),
    (NLK, "NPU1965", {U}),
    (NLK, "NPU196511", {U}),
    (NLK, "NP19651", {U}),
    (NLK, "NPUX19651", {U}),
    # several codes, and signs around them
    (ICD, "J45 → J46", set()),
    (ICD, "J45 ٤", {U}),
    (ICD, "J45 -> Z50.30", {S}),
    (ICD, "J45†Z50.3*", {S}),
    (ICD, "F32.1*", {M}),
    (ICD, "Z_50_3", {S}),
    (ICPC, "A01-P15", {S}),
    (ICPC, "a01 / p15", {S}),
    (ICPC, "A01,P15", {S}),
    ("http://loinc.org", "11535-2 99999-9", {H, U}),
    ("http://loinc.org", " 11535-2 ", {H}),
    ("http://loinc.org", "11535-2 75624-7", {H, S}),
    ("http://snomed.info/sct", "22298006:363698007=75544000", {S}),
    ("http://snomed.info/sct", "56294008+22298006", {H, U}),
    ("http://snomed.info/sct", "N07BC02", {S}),
    (ICD, "Ｆ３２．１", {M}),
    (f" {ICD}", "F32.1", {M}),
]


@pytest.mark.parametrize(("system", "code", "expected"), CODED)
def test_a_code_tells_this_in_every_notation(system: str, code: str, expected: set[Category]) -> None:
    assert CODE_LISTS.categories(system, code) == expected


def made(open_systems: set[str], **listed: dict[str, Category]) -> CodeLists:
    return CodeLists(
        {name: {code: Entry(told, "-") for code, told in codes.items()} for name, codes in listed.items()},
        {name: name for name in (*listed, *open_systems)},
        frozenset(open_systems),
    )


def test_a_system_without_codes_or_a_form_tells_nothing_away() -> None:
    assert made({"x"}).categories("x", "A01") == {U}
    assert made(set(), y={"A01": M}).categories("y", "A01") == {M}
    assert made(set(), y={"A01": M}).categories("y", "A02") == {U}


def test_substance_use_in_any_list_counts_where_the_system_is_not_known() -> None:
    for order in ("abc", "cba", "bac"):
        lists = {"a": {"X12": H}, "b": {"X1*": S, "Y1": M}, "c": {"X123": H}}
        codes = made(set(), **{name: lists[name] for name in order})
        assert [codes.names_substance(code) for code in ("X12", "X123", "Y1", "X")] == [
            True,
            True,
            False,
            False,
        ]
        assert codes.categories("z", "X12") == {S}


def test_the_longest_beginning_counts() -> None:
    codes = made(set(), y={"A*": H, "A01*": M, "A012": S})

    assert [codes.categories("y", code) for code in ("A0", "A013", "A012")] == [{H}, {M}, {S}]


def leaf(path: str, value: object, *labels: Category, **more: object) -> Leaf:
    return Leaf(path, value, frozenset(labels or {H}), **more)  # type: ignore[arg-type]  # real fields


def told(*leaves: Leaf) -> dict[str, set[Category]]:
    return {item.path: set(item.categories) for item in label(Record("t", {}), leaves, CODE_LISTS).items}


def test_declared_labels_are_a_floor() -> None:
    labelled = label(Record("t", {}), (leaf("arbeid.behov", "noe", Category.WORK),), CODE_LISTS)

    (item,) = labelled.items
    assert item.declared == item.categories == frozenset({Category.WORK})


FILES: dict[str, tuple[bytes, str, set[Category]]] = {
    "a harmless text": ("Har time hos lege på mandag.".encode(), "text/plain", {H}),
    "a text that tells": (b"Pasienten bruker heroin daglig.", "text/plain", {H, S}),
    "a page that tells": (
        b"<html><body><p>Har brukt amfetamin hele livet.</p></body></html>",
        "text/html",
        {H, S},
    ),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(40), "image/png", {H, U}),
    "a text that says it is a PDF": (b"Har time hos lege.", "application/pdf", {H, U}),
    "a file of no stated type": (b"Har time hos lege.", "", {H, U}),
}


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_tells_what_can_be_read_in_it(name: str) -> None:
    content, media, expected = FILES[name]
    packed = base64.b64encode(content).decode()
    file = leaf("vedlegg[0].innhold", packed, free_text=True, file=(media, "fil"))

    assert told(file, leaf("vedlegg[0].navn", "fil")) == {
        "vedlegg[0].innhold": expected,
        "vedlegg[0].navn": expected,
    }


def test_a_file_that_is_no_base64_is_unknown() -> None:
    assert told(leaf("fil", "!", file=("text/plain", "fil"))) == {"fil": {H, U}}


def test_a_leaf_that_declares_nothing_is_unknown() -> None:
    bare = Leaf("felt", 3, frozenset())

    assert told(bare) == {"felt": {U}}


def test_a_diagnosis_raises_its_whole_element_and_no_other() -> None:
    got = told(
        leaf("diagnoser[0].system", ICD),
        leaf("diagnoser[0].kode", "S72.0", code_system=ICD),
        leaf("diagnoser[0].tekst", "Hoftebrudd"),
        leaf("diagnoser[1].system", ICD),
        leaf("diagnoser[1].kode", "F11.2", code_system=ICD),
        leaf("diagnoser[1].tekst", "Se eget ark"),
        leaf("diagnoser[1].dato", "2026-01-01"),
        leaf("diagnoser[10].kode", "S72.0", code_system=ICD),
    )

    assert {path for path, categories in got.items() if S in categories} == {
        "diagnoser[1].system", "diagnoser[1].kode", "diagnoser[1].tekst", "diagnoser[1].dato",
    }  # one row per case # fmt: skip


def test_a_code_that_no_word_gives_away_raises_its_element_too() -> None:
    got = told(leaf("d[0].kode", "F32.1", code_system=ICD), leaf("d[0].tekst", "Se eget ark"))

    assert got == {"d[0].kode": {H, M}, "d[0].tekst": {H, M}}


def test_a_word_raises_its_whole_element() -> None:
    got = told(
        leaf("seksjoner[0].tittel", "Oppsummering"),
        leaf("seksjoner[0].tekst", "Pasienten får metadon og har det bra.", free_text=True),
        leaf("seksjoner[1].tittel", "Bevegelse"),
    )

    assert got == {"seksjoner[0].tittel": {H, S}, "seksjoner[0].tekst": {H, S}, "seksjoner[1].tittel": {H}}


def test_an_inner_element_raises_every_element_around_it() -> None:
    got = told(leaf("a[0].navn", "x"), leaf("a[0].b[0].tekst", "heroin"), leaf("a[0].b[1].tekst", "ro"))

    assert got == {"a[0].navn": {H, S}, "a[0].b[0].tekst": {H, S}, "a[0].b[1].tekst": {H, S}}


def test_a_code_outside_a_list_raises_its_group() -> None:
    got = told(
        leaf("diagnose.kode", "F11.2", code_system=ICD),
        leaf("diagnose.dato", "2026-01-01"),
        leaf("dato", "2026"),
    )

    assert got == {"diagnose.kode": {H, S}, "diagnose.dato": {H, S}, "dato": {H}}


def test_a_word_outside_a_list_raises_only_its_leaf() -> None:
    got = told(
        leaf("bolig.behov", "stort", Category.HOUSING),
        leaf("bolig.merknad", "Mistet boligen på grunn av rusmisbruk", Category.HOUSING, free_text=True),
    )

    assert got == {"bolig.behov": {Category.HOUSING}, "bolig.merknad": {Category.HOUSING, S}}


TEXTS: list[tuple[object, bool, set[Category]]] = [
    ("rusbehandling", False, {H, S}),
    ("overdose i januar", False, {H}),
    ("Bruker Sobril ved behov", True, {H}),
    ("Nie ma mieszkania i potrzebuje pomocy", True, {H, U}),
    ("Владимир", False, {H, U}),
    ("Nie ma mieszkania, heroin", True, {H, S, U}),
    ("Pasienten har det bra", True, {H}),
    (22, False, {H}),
    (True, False, {H}),
    ("", True, {H}),
]


@pytest.mark.parametrize(("value", "free", "expected"), TEXTS)
def test_every_text_is_read(value: object, free: bool, expected: set[Category]) -> None:
    assert told(leaf("felt", value, free_text=free)) == {"felt": expected}


def test_a_leaf_of_a_known_code_is_raised_by_its_words_too() -> None:
    assert told(leaf("d[0].kode", "S72.0 heroin", code_system=ICD))["d[0].kode"] == {H, S}


def test_hits_stay_with_the_leaf_they_stand_in() -> None:
    assert told(leaf("a", "rus-"), leaf("b", "misbruk av tillit"), leaf("c", "r u"), leaf("d", "s"))["d"] == {
        H
    }


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=6), st.data())
def test_labels_only_ever_grow_and_no_leaf_is_lost(values: list[str], data: st.DataObject) -> None:
    free = data.draw(st.booleans())
    leaves = tuple(leaf(f"a[{i}].x", value, free_text=free) for i, value in enumerate(values))

    labelled = label(Record("t", {}), leaves, CODE_LISTS)

    assert [item.path for item in labelled.items] == [one.path for one in leaves]
    assert all(item.declared <= item.categories for item in labelled.items)
    for i, one in enumerate(leaves):
        alone = label(Record("t", {}), (one,), CODE_LISTS).items[0]
        assert alone == labelled.items[i]


SYSTEMS = "system,alias,coverage\n7110,ICD,closed\n7110,http://x/,closed\nsct,sct,open\n"
HEAD = "system,code,tier,category,note,source\n"
ROW = "7110,F99X,-,mental_health,note,x\n"


def folder(path: Path, systems: str, codes: str) -> Path:
    (path / "systems.csv").write_bytes(systems.encode("latin-1"))
    (path / "a.csv").write_bytes(codes.encode("latin-1"))
    return path


def test_code_lists_are_loaded_as_they_are_written(tmp_path: Path) -> None:
    codes = load_codes(
        folder(
            tmp_path,
            SYSTEMS,
            HEAD + ROW + "7110,f1.1*,A,substance_use,,\nsct,7-5,B,substance_use,n,s\n7110,N1,C,custody,,\n",
        )
    )

    assert codes.listed == {
        "7110": {"F99X": Entry(M, "-"), "F11*": Entry(S, "A"), "N1": Entry(CUSTODY, "C")},
        "sct": {"7-5": Entry(S, "B")},
    }
    assert codes.aliases == {"icd": "7110", "x": "7110", "sct": "sct"}
    assert codes.open_systems == {"sct"}


BROKEN: list[tuple[str, str, list[tuple[str, str]]]] = [
    (SYSTEMS, HEAD + "7110,F99X,-,mental,note,x\n", [("a.csv:2", "code")]),
    (SYSTEMS, HEAD + "9999,F99X,-,mental_health,note,x\n", [("a.csv:2", "code")]),
    (SYSTEMS, HEAD + "http://x/,F99X,-,mental_health,note,x\n", [("a.csv:2", "code")]),
    (SYSTEMS, HEAD + ROW + "sct,4.5E+14,A,substance_use,note,x\n", [("a.csv:3", "code")]),
    (SYSTEMS, HEAD + "sct,4-,A,substance_use,note,x\n", [("a.csv:2", "code")]),
    (SYSTEMS, HEAD + "7110,F9 9,-,mental_health,note,x\n", [("a.csv:2", "code")]),
    (SYSTEMS, HEAD + "7110,F9*9,-,mental_health,note,x\n", [("a.csv:2", "code")]),
    (SYSTEMS, HEAD + "7110,*,-,mental_health,note,x\n", [("a.csv:2", "code")]),
    (SYSTEMS, HEAD + ROW + "7110,F9.9x,-,somatic_health,b,x\n", [("a.csv:3", "code")]),
    (SYSTEMS, HEAD + "7110,F99X,-,mental_health,note\n", [("a.csv", "columns")]),
    (SYSTEMS, HEAD + "7110,,-,mental_health,note,x\n", [("a.csv", "columns")]),
    (SYSTEMS, HEAD + "7110,F99X,,mental_health,note,x\n", [("a.csv", "columns")]),
    (SYSTEMS, "system,code,tier,category,note\n", [("a.csv", "columns")]),
    (SYSTEMS, "", [("a.csv", "columns")]),
    (SYSTEMS, HEAD + "7110,F99X,A,mental_health,note,x\n", [("a.csv:2", "tier")]),
    (SYSTEMS, HEAD + "7110,F99X,B,mental_health,note,x\n", [("a.csv:2", "tier")]),
    (SYSTEMS, HEAD + "7110,F99X,C,substance_use,note,x\n", [("a.csv:2", "tier")]),
    (SYSTEMS, HEAD + "7110,F99X,Q,mental_health,note,x\n", [("a.csv:2", "tier")]),
    (SYSTEMS, HEAD + '7110,"F99X,-,mental_health,note,x\n', [("a.csv", "file")]),
    (SYSTEMS, HEAD + "7110,F99X,-,mental_health,\xe6,x\n", [("a.csv", "file")]),
    (SYSTEMS + "7110,abc,half\n", HEAD + ROW, [("systems.csv:5", "coverage")]),
    (SYSTEMS + "sct,icd,open\n", HEAD + ROW, [("systems.csv:5", "alias")]),
    (SYSTEMS + "sct,oid:ICD,open\n", HEAD + ROW, [("systems.csv:5", "alias")]),
    (SYSTEMS, HEAD, []),
]


@pytest.mark.parametrize(("systems", "codes", "found"), BROKEN)
def test_a_code_list_that_is_not_clear_is_refused(
    tmp_path: Path, systems: str, codes: str, found: list[tuple[str, str]]
) -> None:
    with pytest.raises(HubError, match=r"policy\.invalid") as caught:
        load_codes(folder(tmp_path, systems, codes))

    assert [(finding.at, finding.rule) for finding in caught.value.findings] == found


def test_a_folder_without_lists_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HubError, match=r"policy\.invalid"):
        load_codes(tmp_path)
