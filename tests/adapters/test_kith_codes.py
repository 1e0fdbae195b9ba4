"""Understands that of a code and its words nothing is lost unsaid, in any table of elements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

import adapters
from adapters.base import Sniff
from adapters.kith.profile import Profile
from adapters.kith.tables import El, OneOf, group, within
from adapters.registry import ADAPTERS
from adapters.safe_xml import read_xml
from hub.errors import HubError

FOLDER = Path(adapters.__file__).parent
PARTS = ("V", "DN", "OT")


def rows(row: El) -> Iterator[El]:
    yield row
    for below in row.rows:
        for member in below.rows if isinstance(below, OneOf) else (below,):
            yield from rows(member)


CODES = {
    (row.name, row.type.name, *sorted(row.to), row.absent, row.must): row
    for adapter in ADAPTERS
    if isinstance(adapter.profile, Profile)
    for row in rows(adapter.profile.root)
    if row.type is not None and row.to and row.type.attributes >= {"V", "DN"}
}
"""Every carried code of every table; those that are told alike are asked once."""


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


def test_many_codes_of_many_tables_were_asked() -> None:
    assert len(CODES) > 60
    assert {"Hastegrad", "ArithmeticComp", "DosageCoded", "AdmCat", "TypeId"} <= {
        row.name for row in CODES.values()
    }


RULE = "part-missing"
WORDS_OR_CODE = {
    "a dose as a code": ("kith_epikrise/examples/alt-1.2-1.xml", "DosageCoded", {"V": "2x2", "S": "1.2.3"}),
    "a form as a code": ("kith_epikrise/examples/alt-1.2-1.xml", "Form", {"V": "53"}),
    "less than, in words": ("kith_epikrise/examples/alt-1.2-3.xml", "ArithmeticComp", {"DN": "Mindre enn"}),
    "and in a referral": ("kith_henvisning/examples/alt-2.0-4.xml", "ArithmeticComp", {"DN": "Mindre enn"}),
    "sick, in words": ("kith_henvisning/examples/alt-1.1-3.xml", "DevResultInd", {"DN": "Sykt"}),
    "at once, in words": ("kith_dialog/examples/alt-1.1-2.xml", "Hastegrad", {"DN": "Straks"}),
    "day and night, in words": ("kith_epikrise/examples/alt-1.1-1.xml", "AdmCat", {"DN": "Døgn"}),
}


@pytest.mark.parametrize(("file", "name", "says"), WORDS_OR_CODE.values(), ids=WORDS_OR_CODE)
def test_what_has_no_place_is_refused_where_it_stands(file: str, name: str, says: dict[str, str]) -> None:
    root = read_xml((FOLDER / file).read_bytes())
    element = next(root.iter(f"{{*}}{name}"))
    element.attrib.clear()
    for part, value in says.items():
        element.set(part, value)
    body = etree.tostring(root, encoding="UTF-8")
    sniff = Sniff("application/xml", root=str(root.tag), tree=root)
    (adapter,) = (one for one in ADAPTERS if one.recognise(sniff))

    with pytest.raises(HubError) as refused:
        adapter.parse(body)

    (finding,) = refused.value.findings
    assert (finding.rule, finding.at.endswith(f"/{name}")) == (RULE, True)
    assert not any(word in finding.expected for word in says.values())
