"""Understands that of a code and its words nothing is lost unsaid, in any table of elements."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

import adapters
from adapters.base import Adapter, Sniff
from adapters.kith.profile import Profile
from adapters.kith.tables import NATIONAL, El, OneOf, group, within
from adapters.registry import ADAPTERS
from adapters.safe_xml import read_xml
from consent.labels import label, load_codes
from hub.errors import HubError
from hub.message import Category, walk
from mappings.types import load_types

FOLDER = Path(adapters.__file__).parent
PARTS = ("V", "DN", "OT")


def rows(row: El) -> Iterator[El]:
    yield row
    for below in row.rows:
        for member in below.rows if isinstance(below, OneOf) else (below,):
            yield from rows(member)


ALL_CODES = {
    (row.name, row.type.name, *sorted(row.to), row.absent, row.must): row
    for adapter in ADAPTERS
    if isinstance(adapter.profile, Profile)
    for row in rows(adapter.profile.root)
    if row.type is not None and row.to and row.type.attributes >= {"V", "DN"}
}
"""Every carried code of every table; those that are told alike are asked once."""
CODES = {key: row for key, row in ALL_CODES.items() if not row.why}
"""Those that are carried always."""


@pytest.mark.parametrize("row", CODES.values(), ids=lambda row: row.name)
def test_a_code_alone_and_words_alone_are_carried_or_told_at_their_element(row: El) -> None:
    table = Profile(within("urn:test", group("Root", replace(row, ns="urn:test", when=(), least=0))))
    for part in PARTS:
        if row.type is None or part not in row.type.attributes:
            continue
        body = f'<Root xmlns="urn:test"><{row.name} {part}="1"/></Root>'.encode()

        reading = table.read(read_xml(body), body)

        told = [finding.at.partition("[")[0] for finding in reading.refused]
        assert told == [f"/Root/{row.name}"] or (reading.fields and not told)


def test_the_sex_of_a_patient_is_the_only_code_that_a_number_may_say_instead() -> None:
    assert {(row.name, *row.to.values()) for row in ALL_CODES.values() if row.why} == {("Sex", "kjonn")}


def test_many_codes_of_many_tables_were_asked() -> None:
    assert len(CODES) > 60
    assert {"Hastegrad", "ArithmeticComp", "DosageCoded", "AdmCat", "TypeId"} <= {
        row.name for row in CODES.values()
    }


RULE = "part-missing"
EPIKRISE = ("kith_epikrise/examples/alt-1.1-1.xml", "kith_epikrise/examples/alt-1.2-1.xml")
FORMS, WAYS, SPECIALITIES = (f"{NATIONAL}{number}" for number in ("7448", "7477", "7426"))
WORDS_OR_CODE: dict[str, tuple[str, str, dict[str, str]]] = {
    "a dose as a code": (EPIKRISE[1], "DosageCoded", {"V": "2x2", "S": "1.2.3"}),
    "a form as a code": (EPIKRISE[1], "Form", {"V": "53"}),
    "a form as a code of its list": (EPIKRISE[1], "Form", {"V": "53", "S": FORMS}),
    "a way as a code of its list": (EPIKRISE[1], "RouteOfAdm", {"V": "53", "S": WAYS}),
    "a speciality that the list does not have": (
        EPIKRISE[1],
        "MedSpecialty",
        {"V": "9999", "S": SPECIALITIES},
    ),
    "a speciality of a list of the same number": (
        EPIKRISE[1],
        "MedSpecialty",
        {"V": "199", "S": "1.2.3.7426"},
    ),
    "a speciality of no list": (EPIKRISE[1], "MedSpecialty", {"V": "199"}),
    "less than, in words": ("kith_epikrise/examples/alt-1.2-3.xml", "ArithmeticComp", {"DN": "Mindre enn"}),
    "and in a referral": ("kith_henvisning/examples/alt-2.0-4.xml", "ArithmeticComp", {"DN": "Mindre enn"}),
    "sick, in words": ("kith_henvisning/examples/alt-1.1-3.xml", "DevResultInd", {"DN": "Sykt"}),
    "at once, in words": ("kith_dialog/examples/alt-1.1-2.xml", "Hastegrad", {"DN": "Straks"}),
    "day and night, in words": ("kith_epikrise/examples/alt-1.1-1.xml", "AdmCat", {"DN": "Døgn"}),
}


def saying(file: str, name: str, says: dict[str, str]) -> tuple[Adapter, bytes]:
    """An example whose first element of this name says this, with who reads it."""
    root = read_xml((FOLDER / file).read_bytes())
    element = next(root.iter(f"{{*}}{name}"))
    element.attrib.clear()
    for part, value in says.items():
        element.set(part, value)
    sniff = Sniff("application/xml", root=str(root.tag), tree=root)
    (adapter,) = (one for one in ADAPTERS if one.recognise(sniff))
    return adapter, etree.tostring(root, encoding="UTF-8")


@pytest.mark.parametrize(("file", "name", "says"), WORDS_OR_CODE.values(), ids=WORDS_OR_CODE)
def test_what_has_no_place_is_refused_where_it_stands(file: str, name: str, says: dict[str, str]) -> None:
    adapter, body = saying(file, name, says)

    with pytest.raises(HubError) as refused:
        adapter.parse(body)

    (finding,) = refused.value.findings
    assert (finding.rule, finding.at.endswith(f"/{name}")) == (RULE, True)
    assert not any(word in finding.expected for word in says.values())


BY_CODE: dict[str, tuple[str, dict[str, str], dict[str, object], dict[str, str] | None]] = {
    "a form and its words": (
        "Form",
        {"V": "53", "S": FORMS, "DN": "Tablett"},
        {"legemidler[0].form": "Tablett"},
        {"DN": "Tablett"},
    ),
    "a form where no code fits": ("Form", {"OT": "Delt"}, {"legemidler[0].form": "Delt"}, {"DN": "Delt"}),
    "a form of another list, and its words": (
        "Form",
        {"V": "A", "S": "1.2", "DN": "Tablett"},
        {"legemidler[0].form": "Tablett"},
        {"DN": "Tablett"},
    ),
    "a speciality": (
        "MedSpecialty",
        {"V": "199", "S": SPECIALITIES},
        {"fagfelt": "Rus- og avhengighetsmedisin"},
        {"DN": "Rus- og avhengighetsmedisin"},
    ),
}


@pytest.mark.parametrize("file", EPIKRISE)
@pytest.mark.parametrize(("name", "says", "carried", "again"), BY_CODE.values(), ids=BY_CODE)
def test_a_code_of_a_known_list_is_carried_and_written_again(
    file: str, name: str, says: dict[str, str], carried: dict[str, object], again: dict[str, str] | None
) -> None:
    adapter, body = saying(file, name, says)

    record = adapter.parse(body)
    written = next(read_xml(adapter.render(record)).iter(f"{{*}}{name}"))

    (field,) = {path.removesuffix("_kode") for path in carried}
    found = dict(walk(record.fields))
    assert {path: found[path] for path in (field, f"{field}_kode") if path in found} == carried
    assert {str(part): str(value) for part, value in written.attrib.items()} == (again or says)
    assert adapter.parse(adapter.render(record)) == record


def test_the_code_of_a_speciality_is_labelled_as_its_words() -> None:
    adapter, body = saying(EPIKRISE[1], "MedSpecialty", {"V": "199", "S": SPECIALITIES})
    record = adapter.parse(body)

    items = label(record, load_types()[record.type].leaves(record), load_codes()).items

    (item,) = (one for one in items if one.path == "fagfelt")
    assert Category.SUBSTANCE_USE in item.categories


def test_a_code_that_is_carried_without_its_words_is_labelled_as_these() -> None:
    """Nothing else tells what the number of a speciality is, and whoever gets it can look it up."""
    root = read_xml((FOLDER / "kith_henvisning/examples/alt-2.0-1.xml").read_bytes())
    connection = next(root.iter("{*}DocumentConnection"))
    kind = etree.Element(str(connection.tag).replace("DocumentConnection", "ContentType"))
    kind.set("V", "199")
    kind.set("S", SPECIALITIES)
    connection.addnext(kind)
    sniff = Sniff("application/xml", root=str(root.tag), tree=root)
    (adapter,) = (one for one in ADAPTERS if one.recognise(sniff))
    record = adapter.parse(etree.tostring(root, encoding="UTF-8"))

    items = label(record, load_types()[record.type].leaves(record), load_codes()).items

    (item,) = (one for one in items if one.path == "hoveddokument.innholdstype.kode")
    assert Category.SUBSTANCE_USE in item.categories


MESSAGES = [
    file
    for adapter in ("apprec", "kith_dialog", "kith_epikrise", "kith_henvisning", "kith_plo", "nav_dialog")
    for file in sorted((FOLDER / adapter / "examples").glob("*.xml"))
]


@pytest.mark.parametrize("file", MESSAGES, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_blanks_around_a_code_say_nothing(file: Path) -> None:
    """V is a token: the schema takes blanks and line ends around it away."""
    root = read_xml(file.read_bytes())
    padded = deepcopy(root)
    for element in padded.iter():
        if (code := element.get("V")) is not None:
            element.set("V", f" \n{code}\t ")
    (adapter,) = (
        one for one in ADAPTERS if one.recognise(Sniff("application/xml", str(root.tag), tree=root))
    )

    assert adapter.recognise(Sniff("application/xml", str(root.tag), tree=padded))
    assert adapter.parse(etree.tostring(padded, encoding="UTF-8")) == adapter.parse(file.read_bytes())
