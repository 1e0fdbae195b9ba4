"""Understands that a referral is read, refused and written as the standards say, in three versions."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

import adapters
from adapters.base import Adapter, Sniff
from adapters.kith.receipts import receipt_codes
from adapters.kith_henvisning.adapter import ADAPTERS, TYPE
from adapters.safe_xml import read_xml
from hub.errors import HubError
from hub.message import Category, Record, walk
from mappings.types import load_types
from tests.adapters.national import SAMPLES, Absent, samples, schemas

REFERRAL = load_types()[TYPE]
V1_0, V1_1, V2_0 = ADAPTERS
FOLDER = Path(adapters.__file__).parent / "kith_henvisning" / "examples"
OLD = (FOLDER / "henvisning-1.1.xml").read_bytes()
NEW = (FOLDER / "henvisning-2.0.xml").read_bytes()


def adapter_of(body: bytes) -> Adapter | None:
    tree = read_xml(body)
    sniff = Sniff("application/xml", root=str(tree.tag), tree=tree)
    return next((adapter for adapter in ADAPTERS if adapter.recognise(sniff)), None)


def changed(body: bytes, old: str, new: str) -> bytes:
    text = body.decode()
    assert old in text
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.stem)
def test_the_examples_are_written_as_they_are_read(file: Path) -> None:
    body = file.read_bytes()
    adapter = adapter_of(body)
    assert adapter is not None
    written = etree.fromstring(adapter.render(adapter.parse(body)))
    etree.indent(written)

    assert etree.tostring(written) == etree.tostring(etree.fromstring(body))


FAULTS: dict[str, tuple[Adapter, bytes, tuple[str, ...], list[str]]] = {
    "no receiver": (
        V1_1,
        changed(OLD, "<Name>Eksempel sykehus</Name>", "").replace(b"311000055", b"").replace(b"100007", b""),
        ("E21",),
        ["receiver-missing"],
    ),
    "no reason for its urgency": (
        V1_1,
        changed(OLD, '<Priority V="2" DN="Haster"/>', ""),
        ("T02",),
        ["missing"],
    ),
    "a result of two kinds": (
        V1_1,
        changed(OLD, "<NumResult>", "<Interval/><NumResult>"),
        ("T02",),
        ["choice"],
    ),
    "a recall of another kind": (
        V1_1,
        changed(OLD, '<ServType V="N"', '<ServType V="Q"'),
        ("T99",),
        ["code"],
    ),
    "a day that does not exist": (
        V2_0,
        changed(NEW, "<Dato>2030-05-01<", "<Dato>2030-02-30<"),
        ("T02",),
        ["date"],
    ),
    "a wrong check digit": (V2_0, NEW.replace(b"14858710058", b"14858710059"), ("E31",), ["person-number"]),
    "an H-number": (V1_1, changed(OLD, 'V="FNR"', 'V="HNR"'), ("E36",), ["person-number-local"]),
}


@pytest.mark.parametrize(("adapter", "body", "codes", "rules"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_and_gets_its_code(
    adapter: Adapter, body: bytes, codes: tuple[str, ...], rules: list[str]
) -> None:
    with pytest.raises(HubError) as told:
        adapter.parse(body)

    assert [finding.rule for finding in told.value.findings] == rules
    assert all(finding.line and finding.column and finding.nb for finding in told.value.findings)
    assert receipt_codes(told.value) == codes


def test_a_referral_of_the_old_kind_is_written_as_the_new_one_with_the_loss_that_is_told() -> None:
    record = V1_1.parse(OLD)

    again = V2_0.parse(V2_0.render(record))

    read = dict(walk(again.fields))
    lost = {path for path, value in walk(record.fields) if read.get(path) != value}
    assert lost == {"gjelder.kode", "gjelder.tekst"} <= set(V2_0.loses)
    assert again.get("meldingstype") == "HENVISNING_NYTILSTAND"


def test_a_day_is_a_midnight_where_a_moment_is_demanded() -> None:
    record = V1_1.parse(OLD)
    fields = {**record.fields, "hensyn": [{"tekst": "a", "fra": "2030-05-02"}]}

    assert V1_1.parse(V1_1.render(Record(TYPE, fields))).fields["hensyn"][0]["fra"] == "2030-05-02"
    written = V2_0.render(Record(TYPE, fields))
    assert b"<StartDateTime>2030-05-02T00:00:00</StartDateTime>" in written


def test_who_asks_and_who_is_asked_are_not_turned_round() -> None:
    old, new = V1_1.parse(OLD), V2_0.parse(NEW)

    for record in (old, new):
        assert record.get("avsender.enhet") == "Eksempel kommune"
        assert record.get("mottaker.enhet") == "Eksempel sykehus"
        assert record.get("melding.mottaker") == "311000055"


def test_a_change_says_so_and_a_new_one_says_nothing() -> None:
    record = V1_0.parse((FOLDER / "endring-1.0.xml").read_bytes())

    assert record.get("handling") == "M"
    assert "handling" not in V1_1.parse(OLD).fields
    assert b'<ServType V="N" DN="Ny"/>' in V1_1.render(V1_1.parse(OLD))


def test_who_is_near_is_labelled_so() -> None:
    for spec in REFERRAL.scalars:
        if spec.path.startswith(("parorende.", "omsorgssituasjon.")):
            assert spec.labels == {Category.FAMILY, Category.NETWORK}


# -- the national samples and the reception tests --

REFUSED = {
    "Case1-20-a.xml": ("E30", "E32"),
    "Case1-20-b.xml": ("T02",),
    "Case1-22.xml": ("E31",),
    "Case1-23b.xml": ("E36",),
}
"""Reception tests: 20 without the patient, 22 a wrong number, 23b a help number that only
one house knows, and not all of birth date and sex beside it."""


def test_every_valid_sample_is_read_and_written_and_valid_again(absent_reference: Absent) -> None:
    national = schemas(1, absent_reference)
    if national is None:
        return
    seen, unlike, placeless, good = dict[str, tuple[str, ...]](), [], [], 0
    for file in samples("**/*.xml", 400, absent_reference):
        body = file.read_bytes()
        if b"xmlstds/henvisning/" not in body or b"ebxml" in body[:2000].lower():
            continue
        adapter = adapter_of(body)
        assert adapter is not None, file.name
        try:
            record = adapter.parse(body)
        except HubError as told:
            seen[file.name] = receipt_codes(told)
            placeless += [file.name for finding in told.findings if not (finding.line and finding.column)]
            continue
        assert REFERRAL.check(record.fields) == (), file.name
        written = adapter.render(record)
        assert national.findings(read_xml(written), written) == (), file.name
        good += 1
        unlike += [file.name] * (dict(walk(adapter.parse(written).fields)) != dict(walk(record.fields)))

    assert (unlike, placeless) == ([], [])
    if SAMPLES.is_dir():
        assert (seen, good) == (REFUSED, 27)
