"""Understands that BRIK XML says of every fault where it is, and that its XSD is the message type."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

import adapters
from adapters.brik_xml.adapter import ADAPTER, FORMAT
from adapters.xsd import leaves
from hub.errors import HubError
from hub.message import Record
from mappings.types import load_types

EXAMPLE = (Path(adapters.__file__).parent / "brik_xml/examples/kartlegging.xml").read_text()
SPEC = load_types()["brik.kartlegging"]


def faults(text: str) -> list[tuple[str, str, int | None, int | None]]:
    with pytest.raises(HubError) as refused:
        ADAPTER.parse(text.encode())
    assert refused.value.code == "parse.invalid"
    return [(found.at, found.rule, found.line, found.column) for found in refused.value.findings]


def place(text: str, needle: str) -> tuple[int, int]:
    before = text[: text.index(needle)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def test_the_xsd_has_an_element_for_every_field_of_the_message_type_and_no_other() -> None:
    declared = set(leaves(FORMAT.root))

    def of_type(fields: object, at: str = "") -> set[str]:
        found: set[str] = set()
        for field in fields.values() if isinstance(fields, dict) else fields:  # type: ignore[attr-defined]  # tuple or dict
            here = f"{at}.{field.name}" if at else field.name
            found |= of_type(field.children, here) if field.children else {here}
        return found

    assert declared == of_type(SPEC.fields)


def test_the_xsd_is_valid_and_knows_its_version() -> None:
    schema = etree.parse(str(Path(adapters.__file__).parent / "brik_xml/schema.xsd"))

    etree.XMLSchema(schema)
    assert schema.getroot().get("targetNamespace") == "urn:brobygger:brik:1"


@pytest.mark.parametrize(
    ("old", "new", "at", "rule"),
    [
        ("<Behov>stort</Behov>", "<Behov>masse</Behov>", "/Kartlegging/Bolig/Behov", "enumeration-valid"),
        ("<Prioritet>1<", "<Prioritet>12<", "/Kartlegging/Bolig/Prioritet", "maxinclusive-valid"),
        ("<Prioritet>1<", "<Prioritet>en<", "/Kartlegging/Bolig/Prioritet", "datatype-valid-1-2-1"),
        ("<Opphold>9901<", "<Opphold>991<", "/Kartlegging/Kommuner/Opphold", "pattern-valid"),
        ("<Enhet>Furulund fengsel<", "<Enhet><", "/Kartlegging/Enhet", "minlength-valid"),
        ("<Onske>true<", "<Onske>1<", "/Kartlegging/Bolig/Onske", "pattern-valid"),
        ("<Enhet>", '<Enhet lang="nb">', "/Kartlegging/Enhet", "attribute"),
        ("<Bolig>", "<Ukjent/><Bolig>", "/Kartlegging/?", "unknown-element"),
        ("<Bolig>", "<Bolig>tekst", "/Kartlegging/Bolig", "complex-type-2-3"),
        ("<Svar>3<", "<Svar>5<", "/Kartlegging/Rus/Audit/Svar[1]", "maxinclusive-valid"),
        ("<Svar>3</Svar>", "", "/Kartlegging/Rus/Audit/Svar", "count"),
        ("<Enhet>Furulund fengsel</Enhet>", "", "/Kartlegging/Enhet", "missing"),
    ],
)  # one row per case # fmt: skip
def test_a_fault_is_told_by_path_and_rule(old: str, new: str, at: str, rule: str) -> None:
    broken = EXAMPLE.replace(old, new, 1)

    assert broken != EXAMPLE
    assert [(path, found) for path, found, _, _ in faults(broken)] == [(at, rule)]


def test_every_fault_is_told_at_once_with_line_and_column() -> None:
    broken = (
        EXAMPLE.replace("<Enhet>Furulund fengsel</Enhet>", "<Noe/>")
        .replace("<Varighet", '<Extra a="b">\n</Extra><Varighet')
        .replace("<Prioritet>3<", "<Prioritet>0<")
        .replace("<Sum>22</Sum>", "<Sum>22</Sum>\n<Sum>23</Sum>")
    )

    assert set(faults(broken)) >= {
        ("/Kartlegging/?", "unknown-element", *place(broken, "<Noe/>")),
        ("/Kartlegging/Enhet", "missing", *place(broken, "<Kartlegging")),
        ("/Kartlegging/?", "unknown-element", *place(broken, "<Extra")),
        ("/Kartlegging/Okonomi/Prioritet", "mininclusive-valid", *place(broken, "<Prioritet>0<")),
        ("/Kartlegging/Rus/Audit/Sum", "count", *place(broken, "<Sum>23<")),
    }


def test_elements_in_the_wrong_order_are_told() -> None:
    broken = EXAMPLE.replace(
        "<Behov>stort</Behov>\n    <Onske>true</Onske>", "<Onske>true</Onske><Behov>stort</Behov>", 1
    )

    assert faults(broken)[0][:2] == ("/Kartlegging/Bolig/Behov", "order")


def test_an_expectation_says_what_to_write() -> None:
    with pytest.raises(HubError) as refused:
        ADAPTER.parse(EXAMPLE.replace("<Behov>stort", "<Behov>masse", 1).encode())

    assert refused.value.findings[0].expected == "one of ingen, noe, stort"


def test_a_schema_location_is_an_attribute_and_nothing_is_fetched() -> None:
    hint = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:brobygger:brik:1 http://127.0.0.1:9/x"'

    assert [fault[1] for fault in faults(EXAMPLE.replace("<Kartlegging", f"<Kartlegging {hint}", 1))] == [
        "attribute"
    ]


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"unknown": "x"}, "record"),
        ({"bolig": {"unknown": "x"}}, "bolig"),
        ({"bolig": {"prioritet": "1"}}, "bolig.prioritet"),
        ({"bolig": {"onske": 1}}, "bolig.onske"),
        ({"bolig": {"merknad": "a\x00b"}}, "bolig.merknad"),
        ({"bolig": "x"}, "bolig"),
    ],
)
def test_what_the_format_cannot_say_is_not_rendered(fields: dict[str, object], at: str) -> None:
    record = ADAPTER.parse(EXAMPLE.encode())

    with pytest.raises(HubError) as refused:
        ADAPTER.render(Record(record.type, {**record.fields, **fields}))

    assert refused.value.code == "render.incomplete"
    assert [finding.at for finding in refused.value.findings] == [at]


def test_an_invalid_value_is_not_rendered() -> None:
    record = ADAPTER.parse(EXAMPLE.encode())

    with pytest.raises(HubError) as refused:
        ADAPTER.render(Record(record.type, {**record.fields, "dato": "2026-02-30"}))

    assert refused.value.code == "render.incomplete"


def test_a_whole_number_may_have_zeros_in_front_and_no_end_of_digits_breaks_it() -> None:
    def minutes(digits: str) -> str:
        return EXAMPLE.replace("<VarighetMinutter>70", f"<VarighetMinutter>{digits}")

    assert ADAPTER.parse(minutes("0070").encode()).fields["varighet_minutter"] == 70
    for body in (
        minutes("0" * 5000 + "70"),
        minutes("0" * 5000 + "70").replace("<Dato>", "<Ukjent/><Dato>", 1),
    ):
        try:
            record = ADAPTER.parse(body.encode())
        except HubError:
            assert ADAPTER.partly is not None
            record = ADAPTER.partly(body.encode())
        assert ("varighet_minutter", "type") in {(one.at, one.rule) for one in SPEC.check(record.fields)}


def test_every_element_of_a_kind_has_its_number_and_so_many_are_told_in_one_walk() -> None:
    found = faults(EXAMPLE.replace("<Svar>3</Svar>", "<Svar>9</Svar>" * 3000, 1))

    told = {(at, rule) for at, rule, _, _ in found}
    assert ("/Kartlegging/Rus/Audit/Svar[1]", "maxinclusive-valid") in told
    assert ("/Kartlegging/Rus/Audit/Svar[3009]", "count") in told
