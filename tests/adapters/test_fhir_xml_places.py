"""Understands that each path of a FHIR document in XML leads to the one element that says it, and no other path
anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from xml.sax.saxutils import quoteattr

import pytest

from adapters import fhir_xml_places
from adapters.base import Adapter, Findings
from adapters.fhir_consent.resource import models
from adapters.fhir_xml import FHIR, Models, Release, XmlReader
from adapters.fhir_xml_places import XmlPlaces, _Stand
from adapters.safe_json import read_json
from adapters.safe_xml import read_xml
from tests import mutating
from tests.adapters.test_fhir_xml import EXAMPLES, MODELS, OCCURRING, SPELLINGS

NS = FHIR[1:-1]


def ways(node: object, at: str = "", *, whole: bool = True) -> Iterator[tuple[str, str, object]]:
    """The path, the name and the value of all that a document in JSON says; None for what is no single value.
    Not what XML has as an attribute."""
    if not isinstance(node, dict):
        return
    whole = whole or "resourceType" in node
    for name, value in node.items():
        if name == "resourceType" or (name == "id" and not whole) or (name == "url" and "extension" in at):
            continue
        plain = name.removeprefix("_")
        here = f"{at}.{plain}" if at else plain
        for index, one in enumerate(value) if isinstance(value, list) else ((None, value),):
            place = here if index is None else f"{here}[{index}]"
            if name == plain and one is not None:
                yield place, name, None if isinstance(one, dict) else one
            yield from ways(one, place, whole=False)


def in_lines(body: bytes) -> bytes:
    return body.replace(b"><", b">\n<")


def places(body: bytes, known: Models | Release = MODELS) -> XmlPlaces:
    return XmlPlaces(XmlReader(read_xml(body), known, Findings()), body)


@pytest.mark.parametrize(("spelling", "example"), EXAMPLES, ids=lambda v: getattr(v, "stem", None))
def test_every_path_leads_to_what_says_it(spelling: Adapter, example: Path) -> None:
    record = spelling.parse(example.read_bytes())
    body = in_lines(SPELLINGS[spelling].render(record))
    document = read_json(spelling.render(record).replace(b"<p></p>", b"<p/>"))
    lines = body.decode().split("\n")
    stands = places(body, OCCURRING.get(spelling.type, models))
    known = list(ways(document))
    assert len(known) > 20

    for path, name, value in known:
        place = stands.get(path)
        assert place is not None, path
        said = lines[place[0] - 1][place[1] - 1 :]
        assert said.startswith(f"<{name}"), path
        if value is not None and name != "div":
            words = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else str(value)
            assert f"value={quoteattr(words or '')}" in said, path

    assert len({stands.get(path) for path, _, _ in known}) == len(known)


PATIENT = f"""<Bundle xmlns="{NS}">
<id value="a"/>
<entry>
<resource><Patient>
<name><family value="A"/>
<given value="B"/>
<given value="C"><extension url="u"><valueCode value="x"/></extension>
<other/>
<extension url="v"><valueCode value="y"/><url value="z"/></extension></given></name>
<text><status value="empty"/><div xmlns="http://www.w3.org/1999/xhtml"><extension xmlns="{NS}"/></div></text>
<birthDate/>
<birthDate value="2000-01-01"/>
<gender value="male" id="g"/>
</Patient><Patient/></resource></entry>
<entry><resource/></entry>
<entry>
<resource><Basic><id value="b"/><extension url="u"/></Basic></resource></entry>
</Bundle>""".encode()

WHERE: dict[str, tuple[int, int] | None] = {
    "": (1, 1),
    "id": (2, 1),
    "entry": None,
    "entry[0]": (3, 1),
    "entry[3]": None,
    "entry[0": None,
    "entry[x]": None,
    "entry[-1]": None,
    f"entry[{'9' * 5000}]": None,
    "entry[0].": None,
    ".entry[0]": None,
    "entry[0].resource" + ".a" * 2000: None,
    "entry[0].resource": (4, 1),
    "entry[0].resource[0]": None,
    "entry[0].resource.resourceType": None,
    "entry[0].resource.name[0].family": (5, 7),
    "entry[0].resource.name[0].given": None,
    "entry[0].resource.name[0].given[0]": (6, 1),
    "entry[0].resource.name[0].given[1]": (7, 1),
    "entry[0].resource.name[0].given[2]": None,
    "entry[0].resource.name[0].given[0].extension[0]": None,
    "entry[0].resource.name[0].given[1].extension": None,
    "entry[0].resource.name[0].given[1].extension[0]": (7, 18),
    "entry[0].resource.name[0].given[1].extension[0].url": None,
    "entry[0].resource.name[0].given[1].extension[0].valueCode": (7, 37),
    "entry[0].resource.name[0].given[1].extension[1]": None,  # another one stands there
    "entry[0].resource.name[0].given[1].other[1]": None,
    "entry[0].resource.name[0].given[1].extension[2]": (9, 1),
    "entry[0].resource.name[0].given[1].extension[2].url": None,  # XML has it as an attribute
    "entry[0].resource.text.status": (10, 7),
    "entry[0].resource.text.div": (10, 30),
    "entry[0].resource.text.div.extension[0]": None,
    "entry[0].resource.birthDate": (11, 1),  # the first of two
    "entry[0].resource.gender": (13, 1),
    "entry[0].resource.gender.id": None,
    "entry[0].resource._gender": None,
    "entry[0].resource.nobody": None,
    "entry[1].resource": (15, 8),
    "entry[1].resource.id": None,
    "entry[2].resource": (17, 1),
    "entry[2].resource.id": None,  # of a kind that is not read
    "entry[2].resource.extension[0]": None,
    "entry[2].resource.extension[1]": None,
}

FAULTY = {
    "entry[0].resource?0": (4, 1),
    "entry[0].resource.name[0].given[1].other?1": (8, 1),
    "entry[0].resource.name[0].given[1].extension[2].url?2": (9, 42),
    "entry[0].resource.text?3": (10, 1),
    "entry[0].resource.birthDate?4": (11, 1),
    "entry[0].resource.gender?5": (13, 1),
    "entry[1].resource?6": (15, 8),
}


@pytest.mark.parametrize(("path", "place"), WHERE.items())
def test_a_path_has_its_place_or_none(path: str, place: tuple[int, int] | None) -> None:
    assert places(PATIENT).get(path) == place


def test_what_json_could_not_say_has_its_place() -> None:
    reader = XmlReader(read_xml(PATIENT), MODELS, Findings())
    stands = XmlPlaces(reader, PATIENT)

    assert {at: stands.get(at) for at in reader.faulty} == FAULTY


def test_each_part_of_a_way_is_gone_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stands = places(PATIENT)
    gone: list[str] = []
    step = XmlPlaces._step

    def counted(self: XmlPlaces, stand: _Stand, name: str) -> _Stand | None:
        gone.append(name)
        return step(self, stand, name)

    monkeypatch.setattr(XmlPlaces, "_step", counted)

    for _ in range(3):
        for path in (
            "entry[0].resource.gender",
            "entry[0].resource.birthDate",
            "entry[0].resource.nobody.id",
        ):
            stands.get(path)

    assert gone == ["entry[0]", "resource", "gender", "birthDate", "nobody"]


MUTATIONS = [
    (fhir_xml_places, "self._reader.faulty.get(path)", "None"),
    (fhir_xml_places, r"(?:\[(?P<index>[0-9]{1,9})\])?", r"\[?(?P<index>[0-9]*)\]?"),
    (fhir_xml_places, "stand.inside is None or", ""),
    (fhir_xml_places, "None if model is None else resource, model", "resource, model"),
    (fhir_xml_places, "is_attribute(name, stand.model, whole=stand.whole)", "False"),
    (fhir_xml_places, "said.many != (index is not None)", "False"),
    (fhir_xml_places, "if (index or 0) >= len(found):", "if not found:"),
    (fhir_xml_places, "if said.holds == RESOURCE:", "if False:"),
    (fhir_xml_places, "None if said.holds == XHTML else element", "element"),
    (fhir_xml_places, 'if name != "extension" or index', "if index"),
    (fhir_xml_places, "or index >= len(value)", ""),
    (fhir_xml_places, "or local(value[index]) != name", ""),
]  # one row per case # fmt: skip


@mutating.each(MUTATIONS)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    tests: list[Callable[..., None]] = [
        test_every_path_leads_to_what_says_it,
        test_a_path_has_its_place_or_none,
        test_what_json_could_not_say_has_its_place,
    ]
    mutating.expect_noticed(where, old, new, lambda: mutating.of_tests(tests))
