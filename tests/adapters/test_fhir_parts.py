"""Understands that each part that FHIR formats share is read to the last element, and written as it is read."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from adapters import fhir_parts
from adapters.fhir import Reader
from adapters.fhir_extensions import LEFT_EXTENSIONS
from adapters.fhir_parts import FHN
from hub.errors import HubError
from hub.message import Record
from tests.adapters.consents import DNR, FNR, ORGNR
from tests.adapters.taking import Faults, taken

NUMBER = "14839030186"
LEFT = next(iter(LEFT_EXTENSIONS))

# ------------------------------------------------------------------------------- the parts

WHO = {"system": FNR, "value": NUMBER}
NOBODY = dict.fromkeys(("identifier", "name", "birthDate", "gender"))
ID = {"use": "official", "type": {"text": "x"}, "assigner": {"display": "x"}}
TO = {"url": fhir_parts.RECIPIENT, "valueIdentifier": {"system": ORGNR, "value": "310000043", **ID}}
FROM = {"url": fhir_parts.SENDER, "valueIdentifier": {"system": ORGNR, "value": "310000078"}}
ANSWERS = {"url": fhir_parts.ANSWERS, "valueString": "m-0"}


def on_the_day(patient: Reader) -> object:
    return fhir_parts.read_person(patient, on="2030-02-01T12:00:00+01:00")


PARTS: dict[str, tuple[Callable[[Reader], object], dict[str, Any], object, Faults]] = {
    "a person": (
        fhir_parts.read_person,
        {"identifier": [WHO | ID], "name": [{"text": "Ask Prøvestad"}], "active": True, "gender": "male",
         "birthDate": "1990-01-01", "address": [], "telecom": [], "maritalStatus": {}},
        {"id": NUMBER, "navn": "Ask Prøvestad"}, set(),
    ),
    "a person without name": (fhir_parts.read_person, {"identifier": [WHO]}, {"id": NUMBER}, set()),
    "a person without number": (fhir_parts.read_person, {}, {}, {("identifier", "count")}),
    "two numbers": (
        fhir_parts.read_person, {"identifier": [WHO, {"system": DNR, "value": "5"}]}, {"id": "5"},
        {("identifier", "count")},
    ),
    "a number of the sender's own beside": (
        fhir_parts.read_person, {"identifier": [{"system": "urn:x", "value": "7", "period": {}}, WHO]},
        {"id": NUMBER}, set(),
    ),
    "a number with something nobody reads": (
        fhir_parts.read_person, {"identifier": [WHO | {"extension": []}]}, {"id": NUMBER},
        {("identifier[0].extension", "not-read")},
    ),
    "a number in use beside former ones": (
        on_the_day,
        {"identifier": [{"system": DNR, "value": "5", "period": {"end": "2029"}}, {"system": DNR, "value": "6", "use": "old"},
                        WHO | {"period": {"start": "2030-01-01", "end": "2030-02"}}]},
        {"id": NUMBER}, set(),
    ),
    "a number that is over": (
        on_the_day, {"identifier": [{"system": "urn:x", "value": "7"}, WHO | {"period": {"end": "2030-01-31T10:00:00Z"}}]},
        {"id": NUMBER}, {("identifier[1]", "ended")},
    ),
    "a former number": (on_the_day, {"identifier": [WHO | {"use": "old"}]}, {"id": NUMBER}, {("identifier[0]", "ended")}),
    "a number in the last year of it": (on_the_day, {"identifier": [WHO | {"period": {"end": "2030"}}]}, {"id": NUMBER}, set()),
    "a name beside former ones": (
        on_the_day,
        {"identifier": [WHO], "name": [{"text": "a", "use": "old"}, {"text": "b", "use": "usual"},
                                       {"text": "c", "use": "maiden"}, {"text": "d", "period": {"end": "2030-01"}}]},
        {"id": NUMBER, "navn": "b"}, set(),
    ),
    "a former name alone": (
        on_the_day, {"identifier": [WHO], "name": [{"text": "a", "use": "old"}]}, {"id": NUMBER, "navn": "a"}, set(),
    ),
    "extensions that may be left behind": (
        fhir_parts.read_person,
        {"identifier": [WHO], "extension": [{"url": LEFT}],
         "name": [{"given": ["A"], "_given": [{"extension": [{"url": LEFT}]}], "extension": [{"url": LEFT}]}]},
        {"id": NUMBER, "navn": "A"}, set(),
    ),
    "extensions that may not": (
        fhir_parts.read_person,
        {"identifier": [WHO], "extension": [{"url": "urn:x"}],
         "name": [{"given": ["A"], "_given": [{"extension": [{"url": "urn:x"}]}]}]},
        {"id": NUMBER, "navn": "A"},
        {("extension[0].url", "extension"), ("name[0]._given.extension[0].url", "extension")},
    ),
    "two names": (
        fhir_parts.read_person, {"identifier": [WHO], "name": [{"text": "a"}, {"text": "b"}]},
        {"id": NUMBER, "navn": "b"}, {("name", "count")},
    ),
    "a person who is dead": (
        fhir_parts.read_person, {"identifier": [WHO], "deceasedBoolean": True}, {"id": NUMBER},
        {("deceasedBoolean", "not-read")},
    ),
    "a D-number": (fhir_parts.person_number, {"system": DNR, "value": "5"}, "5", set()),
    "a number in another system": (
        fhir_parts.person_number, {"system": "urn:x", "value": "5"}, "5", {("system", "code")},
    ),
    "a number without value": (fhir_parts.person_number, {"system": FNR}, None, {("value", "missing")}),
    "a name in parts": (
        fhir_parts.read_name,
        {"given": ["Ask", "Odd"], "family": "Prøvestad", "use": "official", "period": {}, "prefix": [], "suffix": []},
        "Ask Odd Prøvestad", set(),
    ),
    "a family name": (fhir_parts.read_name, {"family": "Prøvestad"}, "Prøvestad", set()),
    "a given name": (fhir_parts.read_name, {"given": ["Ask"]}, "Ask", set()),
    "a name in both ways": (fhir_parts.read_name, {"given": ["Ask"], "text": "A."}, "A.", set()),
    "no name": (fhir_parts.read_name, {}, None, set()),
    "a header": (
        fhir_parts.read_header,
        {"identifier": {"system": "urn:x", "value": "m", **ID}, "timestamp": "2026-01-01T00:00:00Z"},
        {"id": "m", "sendt": "2026-01-01T00:00:00Z"}, set(),
    ),
    "a header of a leap second": (
        fhir_parts.read_header, {"identifier": {"value": "m"}, "timestamp": "2016-12-31T23:59:60Z"},
        {"id": "m", "sendt": "2016-12-31T23:59:59Z"}, set(),
    ),
    "no header": (
        fhir_parts.read_header, {}, {}, {("identifier", "missing"), ("timestamp", "missing")},
    ),
    "a header without id": (
        fhir_parts.read_header, {"identifier": {}, "timestamp": "t"}, {"sendt": "t"},
        {("identifier.value", "missing")},
    ),
    "from whom, to whom, answering what": (
        fhir_parts.read_addressing, {"extension": [TO, FROM, ANSWERS]},
        {"mottaker": "310000043", "avsender": "310000078", "svar_pa": "m-0"}, set(),
    ),
    "another extension": (
        fhir_parts.read_addressing, {"extension": [{"url": "urn:x", "valueString": "x"}]}, {},
        {("extension[0].url", "code")},
    ),
    "an extension twice": (
        fhir_parts.read_addressing, {"extension": [ANSWERS, {"url": fhir_parts.ANSWERS}]}, {"svar_pa": "m-0"},
        {("extension[1].url", "unique")},
    ),
    "an extension without value": (
        fhir_parts.read_addressing, {"extension": [{"url": u} for u in (
            fhir_parts.RECIPIENT, fhir_parts.SENDER, fhir_parts.ANSWERS)]}, {},
        {("extension[0].valueIdentifier", "missing"), ("extension[1].valueIdentifier", "missing"),
         ("extension[2].valueString", "missing")},
    ),
    "an organisation in another system": (
        fhir_parts.read_organisation, {"system": FNR, "value": "1"}, "1", {("system", "value")},
    ),
    "an organisation without number": (
        fhir_parts.read_organisation, {"system": ORGNR}, None, {("value", "missing")},
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("read", "node", "got", "faults"), PARTS.values(), ids=PARTS.keys())
def test_each_part_is_read_to_the_last_element(
    read: Callable[[Reader], object], node: dict[str, Any], got: object, faults: Faults
) -> None:
    assert taken(copy.deepcopy(node), read) == (got, faults)


MELDING = {"id": "m", "sendt": "2026-01-01T00:00:00Z", "mottaker": "310000043", "avsender": "310000078"}
WRITTEN: list[tuple[Callable[..., object], object, object]] = [
    (fhir_parts.person_identifier, (NUMBER), WHO),
    *((fhir_parts.person_identifier, (f"{first}1"), {"system": DNR, "value": f"{first}1"}) for first in "4567"),
    *((fhir_parts.person_identifier, (f"{first}1"), {"system": FNR, "value": f"{first}1"}) for first in "3"),
    *((fhir_parts.person_identifier, (f"{first}1"), {"system": FHN, "value": f"{first}1"}) for first in "89"),
    (fhir_parts.person_identifier, (None), {"system": FNR, "value": None}),
    (fhir_parts.write_person, ({"id": NUMBER, "navn": "A"}), {**NOBODY, "identifier": [WHO], "name": [{"text": "A"}]}),
    (fhir_parts.write_person, ({"fodt": "1971-03-28", "kjonn": "1"}), {**NOBODY, "birthDate": "1971-03-28", "gender": "male"}),
    (fhir_parts.write_person, ({}), NOBODY),
    (fhir_parts.write_person, ("x"), NOBODY),
    (
        fhir_parts.write_header, (Record("t", {"melding": MELDING})),
        {"identifier": {"system": "urn:brobygger:message", "value": "m"}, "timestamp": "2026-01-01T00:00:00Z"},
    ),
    (
        fhir_parts.write_addressing, (Record("t", {"melding": {**MELDING, "svar_pa": "m-0"}})),
        [{**TO, "valueIdentifier": {"system": ORGNR, "value": "310000043"}}, FROM, ANSWERS],
    ),
    (fhir_parts.write_addressing, (Record("t", {"melding": {}})), []),
    (fhir_parts.read_organisation, (None), None),
    (fhir_parts.day, ("2026-01-31T10:00:00Z"), "2026-01-31"),
    (fhir_parts.day, (None), None),
    (fhir_parts.day, ("2016-12-31T23:59:60Z"), "2017-01-01"),
    (fhir_parts.counted, ("2016-12-31T23:59:60.1234567Z"), "2016-12-31T23:59:59.123456Z"),
    (fhir_parts.counted, ("2016-12-31T23:58:07+01:00"), "2016-12-31T23:58:07+01:00"),
    (fhir_parts.counted, ("kl. 2016-12-31T23:59:60Z"), "kl. 2016-12-31T23:59:60Z"),
    (fhir_parts.instant, ("2026-01-01T10:00+01:00"), "2026-01-01T10:00:00+01:00"),
    (fhir_parts.instant, ("2026-01-01T10:00:00.5+01:00"), "2026-01-01T10:00:00.5+01:00"),
    (fhir_parts.elements, ([{"a": 1}, 7, {"b": 2}]), [{"a": 1}, {"b": 2}]),
    (fhir_parts.elements, ({"a": 1}), []),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("write", "value", "written"), WRITTEN)
def test_each_part_is_written_as_it_is_read(
    write: Callable[..., object], value: object, written: object
) -> None:
    assert write(value) == written


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: fhir_parts.instant("i går"), "melding.sendt"),
    (lambda: fhir_parts.needed(Record("t", {"a": ""}), "a"), "a"),
    (lambda: fhir_parts.needed(Record("t", {"a": 7}), "a"), "a"),
    (lambda: fhir_parts.needed(Record("t", {}), "a"), "a"),
    (lambda: fhir_parts.check_fields(Record("t", {"a": 7}), "u", frozenset("a")), "record"),
    (lambda: fhir_parts.check_fields(Record("t", {"a": 7}), "t", frozenset("b")), "record"),
]


@pytest.mark.parametrize(("write", "at"), REFUSED)
def test_what_a_format_has_no_place_for_is_not_written(write: Callable[[], object], at: str) -> None:
    with pytest.raises(HubError) as refused:
        write()

    assert (refused.value.code, [f.at for f in refused.value.findings]) == ("render.incomplete", [at])
    fhir_parts.check_fields(Record("t", {"a": 7}), "t", frozenset("ab"))


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_moment_at_the_ends_of_the_calendar_has_the_day_that_is_written(moment: str) -> None:
    assert fhir_parts.day(moment) == moment[:10]
