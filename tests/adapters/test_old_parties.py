"""Who sends and who receives in the messages older than MsgHead: whoever is read can be written again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from lxml import etree

from hub.errors import HubError
from hub.kit.asked import asked
from hub.kit.case import Case
from hub.kit.checked import cases, loaded
from hub.kit.tried import tried

_PARTIES = {
    "kith-epikrise-1.1": ("ServProvider", "Requester"),
    "kith-henvisning-1.1": ("Requester", "ServProvider"),
    "apprec-1.1": ("Sender", "Receiver"),
}
_UNIT = {"HER", "ENH", "RSH"}
_PERSON = {"HER", "HPR"}
_ORGNR, _NOBODYS = "310000019", "310000018"


def _holders() -> Iterator[tuple[str, set[str]]]:
    yield "Inst", _UNIT
    yield "Inst/Dept", _UNIT
    yield "Inst/HCPerson", _PERSON
    yield "HCProf", _PERSON


def _party(name: str, path: str, kind: str, number: str, further: bool) -> etree._Element:
    party = etree.Element(name)
    holder = etree.SubElement(party, "HCP")
    for step in path.split("/"):
        holder = etree.SubElement(holder, step)
    if further:
        holder = etree.SubElement(holder, "AdditionalId")
    etree.SubElement(holder, "Id").text = number
    if kind:
        etree.SubElement(holder, "Type" if further else "TypeId").set("V", kind)
    return party


def _spoiled(case: Case, party: etree._Element, name: str) -> bytes:
    root = etree.fromstring(next(iter(case.bodies.values())))
    here = next(root.iter(f"{{*}}{name}"))
    ns = etree.QName(here).namespace
    for below in party.iter():
        below.tag = f"{{{ns}}}{below.tag}"
    for child in here.findall("{*}HCP"):
        here.remove(child)
    here.extend(list(party))
    return etree.tostring(root)


HUB = loaded()


@cache
def _case(format_: str) -> Case:
    """Made once: it reads and writes every example."""
    return next(iter(cases(format_, HUB)))


CASES = [
    (format_, name, path, kind, number, further)
    for format_, names in _PARTIES.items()
    for name in names
    for path, kinds in _holders()
    for further in (False, True)
    for kind in (*(() if further else ("",)), "XYZ", *sorted(kinds))
    for number in ((_ORGNR, _NOBODYS) if kind == "ENH" else ("4711",))
]


@pytest.mark.parametrize(("format_", "name", "path", "kind", "number", "further"), CASES)
def test_a_number_alone_is_somebody_or_is_refused(
    format_: str, name: str, path: str, kind: str, number: str, further: bool
) -> None:
    """A party without any name: its one number is kept and written again, or nobody is there."""
    case = _case(format_)
    body = _spoiled(case, _party(name, path, kind, number, further), name)

    read = asked(case.adapter.parse, body)
    if isinstance(read, HubError):
        assert {finding.rule for finding in read.findings} <= {"sender-missing", "receiver-missing"}
    assert tried(case, body)[0] == []
