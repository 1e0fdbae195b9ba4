"""Understands that a declared KITH message is read, refused and written as its table says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from adapters.base import Sniff
from adapters.kith.datatypes import ANY, BL, CS, CV, MESSAGE_ID, PQ, ST, TS
from adapters.kith.message import deviations, own_root
from adapters.kith.profile import Profile
from adapters.kith.tables import MANY, everything, group, leaf, one_of, within
from adapters.kith.texts import RULES
from adapters.safe_xml import read_xml
from hub.errors import HubError
from hub.message import Record

NS = "urn:test:kith"
ROOT = within(
    NS,
    group(
        "Message",
        leaf("Type", CS, value="X"),
        leaf("Sent", TS, to={"at": "/melding.sendt"}),
        leaf("Id", MESSAGE_ID, to="/melding.id", must=("uuid",)),
        leaf("Note", ST, 0, why="for nobody"),
        one_of(leaf("Day", TS, to={"day": "dag"}), leaf("Amount", PQ, to={"V": "tall", "U": "enhet"})),
        group(
            "Item",
            leaf("Code", CV, to={"V": "kode", "S": "system", "DN": "tekst"}),
            leaf("Yes", BL, 0, to="ja"),
            least=0,
            most=MANY,
            into="koder",
            when=("Code@V",),
        ),
        group("Item", leaf("Text", ANY, 0, to="tekst"), least=0, most=MANY, into="tekster"),
        leaf("Word", ST, 0, 2, to="ord"),
        group(
            "Patient",
            leaf("Name", ST, to="navn"),
            leaf("OffId", ST, to={"text": "#id"}, derive="person-id"),
            least=0,
            into="/person",
            fill="patient-number",
            must=("patient",),
        ),
    ),
)
PROFILE = Profile(ROOT)
ADAPTER = own_root("kith-test", "test", ROOT, ("X",))
UUID = "6f5a6d0e-2a0c-4a9e-9a38-0a8c5f0b7c11"
WHOLE: dict[str, Any] = {
    "melding": {"sendt": "2030-01-02T03:04:05+01:00", "id": UUID},
    "dag": "2030-01-02",
    "koder": [{"kode": "F112", "system": "urn:oid:2.16.578.1.12.4.1.1.7110", "tekst": "x", "ja": True}],
    "tekster": [{"tekst": "one"}, {"tekst": "two\n\nlines"}],
    "ord": ["a", "b"],
}


def message(*lines: str, head: tuple[str, ...] = ()) -> bytes:
    start = head or ('<Type V="X"/>', '<Sent V="2030-01-02T03:04:05"/>', f"<Id>{UUID}</Id>")
    return "\n".join([f'<Message xmlns="{NS}">', *start, *lines, "</Message>"]).encode()


def test_what_is_written_is_read_again_as_the_same() -> None:
    body = ADAPTER.render(Record("test", WHOLE))

    assert ADAPTER.parse(body).fields == WHOLE
    assert [etree.QName(item).localname for item in etree.fromstring(body)] == [
        *("Type", "Sent", "Id", "Day", "Item", "Item", "Item", "Word", "Word")
    ]


GOOD = ('<Day V="2030-01-02"/>',)


def patient(number: str) -> bytes:
    return message(*GOOD, f"<Patient><Name>Test</Name><OffId>{number}</OffId></Patient>")


def under(number: str) -> bytes:
    return message(*GOOD, head=('<Type V="X"/>', '<Sent V="2030-01-02T03:04:05"/>', f"<Id>{number}</Id>"))


FAULTS: dict[str, tuple[bytes, list[tuple[str, str, int, int]]]] = {
    "order": (
        message(*GOOD, head=('<Sent V="2030-01-02T03:04:05"/>', '<Type V="X"/>', f"<Id>{UUID}</Id>")),
        [("order", "/Message/Type", 3, 1)],
    ),
    "missing": (
        message(*GOOD, head=('<Type V="X"/>', f"<Id>{UUID}</Id>")),
        [("missing", "/Message/Sent", 1, 1)],
    ),
    "count": (
        message(*GOOD, "<Word>a</Word><Word>b</Word><Word>c</Word>"),
        [("count", "/Message/Word[3]", 6, 29)],
    ),
    "an unknown element": (message(*GOOD, "<Other/>"), [("unknown-element", "/Message/?", 6, 1)]),
    "another namespace": (
        message('<Day xmlns="urn:x" V="2030-01-02"/>', *GOOD),
        [("unknown-element", "/Message/?", 5, 1)],
    ),
    "neither of a choice": (message(), [("choice", "/Message", 1, 1)]),
    "both of a choice": (message(*GOOD, '<Amount V="1"/>'), [("choice", "/Message", 1, 1)]),
    "an unknown attribute": (message('<Day V="2030-01-02" W="1"/>'), [("attribute", "/Message/Day", 5, 1)]),
    "text between": (message("hello", *GOOD), [("no-text", "/Message", 1, 1)]),
    "text in a coded value": (message("<Day V='2030-01-02'>x</Day>"), [("no-text", "/Message/Day", 5, 1)]),
    "no such day": (message('<Day V="2030-02-30"/>'), [("time", "/Message/Day", 5, 1)]),
    "no seconds": (message('<Day V="2030-02-03T04:05"/>'), [("seconds", "/Message/Day", 5, 1)]),
    "few digits": (message('<Day V="2030-2-3"/>'), [("date-digits", "/Message/Day", 5, 1)]),
    "no number": (message('<Amount V="1,5"/>'), [("number", "/Message/Amount", 5, 1)]),
    "no OID": (
        message(*GOOD, '<Item><Code V="1" S="ICD"/></Item>'),
        [("oid", "/Message/Item[1]/Code", 6, 7)],
    ),
    "1 for true": (
        message(*GOOD, '<Item><Code V="1"/><Yes V="1"/></Item>'),
        [("boolean", "/Message/Item[1]/Yes", 6, 20)],
    ),
    "a script": (
        message(*GOOD, '<Item><Text><script xmlns="http://www.w3.org/1999/xhtml">x</script></Text></Item>'),
        [("xhtml", "/Message/Item[1]/Text", 6, 7)],
    ),
    "elements in a word": (message(*GOOD, "<Word><b/></Word>"), [("no-elements", "/Message/Word[1]", 6, 1)]),
    "another type": (
        message(*GOOD, head=('<Type V="Y"/>', '<Sent V="2030-01-02T03:04:05"/>', f"<Id>{UUID}</Id>")),
        [("fixed", "/Message/Type", 2, 1)],
    ),
    "no UUID": (under("17"), [("msgid-uuid", "/Message/Id", 4, 1)]),
    "a UUID in braces": (under(f"{{{UUID}}}"), [("msgid-form", "/Message/Id", 4, 1)]),
    "a UUID as a URN": (under(f"URN:uuid:{UUID}"), [("msgid-form", "/Message/Id", 4, 1)]),
    "half a brace": (under(f"{{{UUID}"), [("msgid-uuid", "/Message/Id", 4, 1)]),
    "both": (under(f"{{urn:uuid:{UUID}}}"), [("msgid-uuid", "/Message/Id", 4, 1)]),
    "a number with a blank": (
        patient("158590 10099"),
        [("person-number-blank", "/Message/Patient/OffId", 6, 27)],
    ),
    "a wrong number with a blank": (
        patient("158590 10098"),
        [
            ("person-number-blank", "/Message/Patient/OffId", 6, 27),
            ("person-number", "/Message/Patient/OffId", 6, 27),
        ],
    ),
    "a blank elsewhere": (patient("1585 9010099"), [("person-number", "/Message/Patient/OffId", 6, 27)]),
    "two blanks": (patient("158590  10099"), [("person-number", "/Message/Patient/OffId", 6, 27)]),
    "another blank": (
        patient("158590\N{NO-BREAK SPACE}10099"),
        [("person-number", "/Message/Patient/OffId", 6, 27)],
    ),
    "three at once": (
        message('<Day V="x"/>', "<Other/>", "<Word><b/></Word>"),
        [
            ("time", "/Message/Day", 5, 1),
            ("unknown-element", "/Message/?", 6, 1),
            ("no-elements", "/Message/Word[1]", 7, 1),
        ],
    ),
}


@pytest.mark.parametrize(("body", "expected"), FAULTS.values(), ids=FAULTS)
def test_every_fault_is_told_with_its_place(body: bytes, expected: list[tuple[str, str, int, int]]) -> None:
    with pytest.raises(HubError) as refused:
        ADAPTER.parse(body)

    assert refused.value.code == "parse.invalid"
    assert [(f.rule, f.at, f.line, f.column) for f in refused.value.findings] == expected
    assert all(f.nb and f.expected for f in refused.value.findings)


def test_a_fault_never_tells_a_word_of_the_message() -> None:
    with pytest.raises(HubError) as refused:
        ADAPTER.parse(message('<Day V="KANARI"/>', "<KANARI/>", '<Amount V="KANARI" KANARI="1"/>', "KANARI"))

    assert "KANARI" not in repr(refused.value.findings)


@pytest.mark.parametrize("name", sorted(deviations()))
def test_a_named_deviation_is_let_through_and_told(name: str) -> None:
    bodies = {
        "order": FAULTS["order"][0],
        "seconds": FAULTS["no seconds"][0],
        "date-digits": FAULTS["few digits"][0],
        "xhtml": FAULTS["a script"][0],
        "no-text": FAULTS["text between"][0],
        "msgid-form": FAULTS["a UUID in braces"][0],
        "person-number-blank": FAULTS["a number with a blank"][0],
    }
    assert ADAPTER.lenient is not None

    record, told = ADAPTER.lenient(bodies[name], [name])

    assert [finding.rule for finding in told] == [name]
    assert record.get("melding.id") == UUID
    with pytest.raises(HubError):
        ADAPTER.lenient(bodies[name], set(deviations()) - {name})


def test_what_a_lenient_partner_may_not_do_is_refused_alone() -> None:
    assert ADAPTER.lenient is not None
    with pytest.raises(HubError) as refused:
        ADAPTER.lenient(message('<Day V="2030-2-3"/>', "<Other/>"), deviations())

    assert [finding.rule for finding in refused.value.findings] == ["unknown-element"]


@pytest.mark.parametrize("said", [f"{{{UUID}}}", f"urn:uuid:{UUID}", f" URN:UUID:{UUID}\n"])
def test_a_uuid_in_another_form_is_read_as_the_plain_one(said: str) -> None:
    assert ADAPTER.lenient is not None

    assert ADAPTER.lenient(under(said), deviations())[0].get("melding.id") == UUID


def test_a_number_with_a_blank_is_read_as_eleven_digits_and_checked() -> None:
    assert ADAPTER.lenient is not None

    record, _ = ADAPTER.lenient(patient("158590 10099"), deviations())
    assert record.get("person.id") == "15859010099"
    with pytest.raises(HubError) as refused:
        ADAPTER.lenient(patient("158590 10098"), deviations())
    assert [finding.rule for finding in refused.value.findings] == ["person-number"]


TIMES = [
    ("2030-01-02T03:04:05", "2030-01-02T03:04:05+01:00"),
    ("2030-07-02T03:04:05", "2030-07-02T03:04:05+02:00"),
    ("2030-07-02T03:04:05Z", "2030-07-02T03:04:05Z"),
    ("2030-07-02T03:04:05.1234567-03:30", "2030-07-02T03:04:05.123456-03:30"),
    ("2030-07-02T24:00:00", "2030-07-03T00:00:00+02:00"),
    ("2030-07-02", "2030-07-02T00:00:00+02:00"),
]


@pytest.mark.parametrize(("written", "read"), TIMES)
def test_a_time_without_a_zone_is_norwegian_time(written: str, read: str) -> None:
    head = ('<Type V="X"/>', f'<Sent V="{written}"/>', f"<Id>{UUID}</Id>")

    assert ADAPTER.parse(message(*GOOD, head=head)).get("melding.sendt") == read


TEXTS = [
    ("plain", "plain"),
    ("  a \t b&#13;&#10;c ", "a   b\nc"),
    ('<div xmlns="http://www.w3.org/1999/xhtml"><p>a<br/>b</p><ul><li>c</li></ul></div>', "a\nb\nc"),
    (
        '<div xmlns="http://www.w3.org/1999/xhtml"><table><tr><td>a</td><td>b</td></tr></table></div>',
        "a | b",
    ),
    (
        '<div xmlns="http://www.w3.org/1999/xhtml"><pre>5,2x10<sup>9</sup>/l\nb</pre><ol><li>c</li></ol></div>',
        "5,2x10^9/l\nb\n1. c",
    ),
    ('a <b xmlns="http://www.w3.org/1999/xhtml">ikke</b> b', "a ikke b"),
    ('<b xmlns="http://www.w3.org/1999/xhtml">a</b>', "a"),
    ('<div xmlns="http://www.w3.org/1999/xhtml">a</div>b', "a\nb"),
    ('a<br xmlns="http://www.w3.org/1999/xhtml"/>b', "a\nb"),
    ('<address xmlns="http://www.w3.org/1999/xhtml">a 1</address>0155 b', "a 1\n0155 b"),
]


@pytest.mark.parametrize(("written", "read"), TEXTS)
def test_text_and_xhtml_become_lines(written: str, read: str) -> None:
    body = message(*GOOD, f"<Item><Text>{written}</Text></Item>")

    assert ADAPTER.parse(body).fields["tekster"] == [{"tekst": read}]


@pytest.mark.parametrize(
    "inside",
    [
        '<p>a <span style="text-decoration: line-through">b</span></p>',
        '<p style="display:none">a</p>',
        "<p>a <del>b</del></p>",
        '<table><tr><td colspan="2">a</td></tr></table>',
    ],
)
def test_xhtml_that_lines_cannot_say_is_refused(inside: str) -> None:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'
    with pytest.raises(HubError) as refused:
        ADAPTER.parse(message(*GOOD, f"<Item><Text>{div}</Text></Item>"))

    assert [finding.rule for finding in refused.value.findings] == ["xhtml"]


def test_what_the_record_lacks_is_named_by_its_place() -> None:
    with pytest.raises(HubError) as refused:
        ADAPTER.render(Record("test", {"melding": {"id": UUID}, "dag": "2030-01-02"}))

    assert refused.value.code == "render.incomplete"
    assert [finding.at for finding in refused.value.findings] == ["/Message/Sent"]


def test_an_optional_group_without_data_is_not_written_and_asks_for_nothing() -> None:
    body = ADAPTER.render(Record("test", {name: WHOLE[name] for name in ("melding", "dag")}))

    assert b"Item" not in body


def test_every_value_has_a_field_or_a_reason() -> None:
    assert [one.path for one in everything(ROOT) if not one.field and not one.why] == []
    dropped = replace(ROOT, rows=(*ROOT.rows, leaf("Extra", ST, 0, ns=NS)))
    assert [one.path for one in everything(dropped) if not one.field and not one.why] == ["/Message/Extra"]


def test_a_message_is_known_by_its_root_and_what_it_says_of_itself() -> None:
    for body, known in [
        (message(*GOOD), True),
        (message(*GOOD).replace(b'V="X"', b'V="Z"'), False),
        (message(*GOOD).replace(NS.encode(), b"urn:other"), False),
    ]:
        tree = read_xml(body)
        assert ADAPTER.recognise(Sniff("application/xml", root=str(tree.tag), tree=tree)) is known


def test_every_rule_is_said_in_both_languages() -> None:
    assert all(nb and en and nb.count("{}") == en.count("{}") for nb, en in RULES.values())
    assert set(deviations()) <= set(RULES)


@pytest.mark.parametrize("hint", ["schemaLocation", "noNamespaceSchemaLocation", "type"])
def test_what_only_a_schema_reads_may_stand_on_any_element(hint: str) -> None:
    xsi = f'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:{hint}="t:Item"'
    plain, hinted = (message(*GOOD, f"<Item{more}><Text>a</Text></Item>") for more in ("", f" {xsi}"))

    assert ADAPTER.parse(hinted) == ADAPTER.parse(plain)


def test_an_attribute_that_no_schema_knows_is_told() -> None:
    with pytest.raises(HubError) as refused:
        ADAPTER.parse(message(*GOOD, '<Item type="a"><Text>a</Text></Item>'))

    assert [finding.rule for finding in refused.value.findings] == ["attribute"]
