"""Understands that the care messages are read, refused and written as the national standards say."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

import adapters
from adapters.base import Adapter, Sniff
from adapters.kith.receipts import receipt_codes
from adapters.kith_plo.adapter import ADAPTERS
from adapters.kith_plo.messages import MESSAGES, VERSIONS
from adapters.safe_xml import read_xml
from hub.errors import HubError
from hub.message import Category, Record, walk
from mappings.types import load_types
from tests.adapters.national import SAMPLES, Absent, samples, schemas

TYPES = load_types()
BY_NAME = {adapter.name: adapter for adapter in ADAPTERS}
FOLDER = Path(adapters.__file__).parent / "kith_plo" / "examples"
DISCHARGE = (FOLDER / "utskrivning.xml").read_bytes()
NEW = BY_NAME["kith-plo-utskrivning-1.6"]


def adapter_of(body: bytes) -> Adapter | None:
    tree = read_xml(body)
    sniff = Sniff("application/xml", root=str(tree.tag), tree=tree)
    return next((adapter for adapter in ADAPTERS if adapter.recognise(sniff)), None)


def changed(old: str, new: str) -> bytes:
    text = DISCHARGE.decode()
    assert old in text
    return text.replace(old, new, 1).encode()


def test_there_is_an_adapter_for_each_message_and_version() -> None:
    assert set(BY_NAME) == {f"kith-plo-{name}-{version}" for name in MESSAGES for version in VERSIONS}


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.stem)
def test_the_examples_are_written_as_they_are_read(file: Path) -> None:
    body = file.read_bytes()
    adapter = adapter_of(body)
    assert adapter is not None
    written = etree.fromstring(adapter.render(adapter.parse(body)))
    etree.indent(written)

    assert etree.tostring(written) == etree.tostring(etree.fromstring(body))


APPLICATIONS = {version: BY_NAME[f"kith-plo-soknad-{version}"] for version in VERSIONS}


def test_what_one_version_of_an_application_demands_is_not_made_up_for_the_other() -> None:
    body = (FOLDER / "soknad.xml").read_bytes()
    adapter = adapter_of(body)
    assert adapter is not None
    whole = adapter.parse(body).fields
    both = {
        **whole,
        "soknad": {"egensoknad_sendt": False},
        "opphold": [{"anslag": True, "tidspunkt": "2030-05-01"}],
    }

    for version, lacking, element in (("1.5", "soknad", "EgensoknadSendt"), ("1.6", "opphold", "Anslag")):
        less = {name: value for name, value in both.items() if name != lacking}
        with pytest.raises(HubError, match=r"render\.incomplete") as refused:
            APPLICATIONS[version].render(Record("pleie.soknad", less))

        told = {(finding.rule, finding.at.rpartition("/")[2]) for finding in refused.value.findings}
        assert ("missing", element) in told
    for application in APPLICATIONS.values():
        again = application.parse(application.render(Record("pleie.soknad", both)))
        assert again.get("soknad") == both["soknad"]


PATIENT = DISCHARGE.decode()[DISCHARGE.decode().index("<Patient>") : DISCHARGE.decode().index("</MsgInfo>")]
FAULTS: dict[str, tuple[bytes, tuple[str, ...], list[str]]] = {
    "no patient": (changed(PATIENT, ""), ("E30",), ["person-number-missing"]),
    "no status": (changed('<Forsendelsesstatus V="N" DN="Ny"/>', ""), ("T02",), ["missing"]),
    "an unknown status": (changed('V="N" DN="Ny"', 'V="X"'), ("T99",), ["code"]),
    "a truth that is none": (changed(">true</Forbehold", ">ja</Forbehold"), ("T02",), ["boolean"]),
    "an EPJ component of another kind": (changed("14.50001.0", "14.50002.0"), ("T02",), ["fixed"]),
    "an EPJ component without an id": (
        changed(' komponentID="', ' referanseViktigTilleggsinfo="'),
        ("T02",),
        ["attribute-missing"],
    ),
    "an unknown category": (changed('"Andre notater"', '"Annet"'), ("T99",), ["code"]),
    "a foreign attribute": (
        changed("<MedisinskDiagnose>", '<MedisinskDiagnose a="1">'),
        ("T02",),
        ["attribute"],
    ),
    "no medicine's name": (changed("<Navn>Salbutamol</Navn>", ""), ("T02",), ["missing"]),
}


@pytest.mark.parametrize(("body", "codes", "rules"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_and_gets_its_code(body: bytes, codes: tuple[str, ...], rules: list[str]) -> None:
    with pytest.raises(HubError) as told:
        NEW.parse(body)

    assert [finding.rule for finding in told.value.findings] == rules
    assert all(finding.line and finding.column and finding.nb for finding in told.value.findings)
    assert receipt_codes(told.value) == codes


def test_an_adapter_writes_its_own_report_only() -> None:
    record = NEW.parse(DISCHARGE)

    with pytest.raises(HubError) as told:
        BY_NAME["kith-plo-innleggelse-1.6"].render(record)
    assert [(f.at, f.expected) for f in told.value.findings] == [("meldingstype", "INNLEGGELSESRAPPORT")]


def test_the_ids_of_components_differ_within_a_document_and_not_between_two_writings() -> None:
    record = NEW.parse(DISCHARGE)
    ids = [
        item.get("komponentID")
        for item in etree.fromstring(NEW.render(record)).iter()
        if item.get("komponentID")
    ]

    assert len(ids) == len(set(ids)) == 5
    assert NEW.render(record) == NEW.render(record)


def test_what_may_not_be_passed_on_and_what_the_patient_objects_to_goes_along() -> None:
    record = NEW.parse(DISCHARGE)

    assert record.get("forsendelse.forbehold_videresending") is True
    assert record.fields["reservasjoner"][0]["framsatt"] == "2030-04-01"
    assert NEW.parse(NEW.render(record)) == record


def test_several_wrappers_become_one_list() -> None:
    one = DISCHARGE.decode()
    start, end = one.index("<InfoMedisinskDiagnose"), one.index("</InfoMedisinskDiagnose>") + 24
    body = one[:end] + one[start:end].replace("J45", "J30") + one[end:]

    record = NEW.parse(body.encode())

    assert [diagnosis["kode"] for diagnosis in record.fields["diagnoser"]] == ["J45", "J30"]
    assert NEW.parse(NEW.render(record)) == record


def test_medicines_given_by_personnel_and_by_the_patient_come_in_any_order() -> None:
    given = {"start": "2030-05-01", "navn": "Salbutamol"}
    record = NEW.parse(DISCHARGE)
    both = {"gitt": [given], "utlevert_til_pasienten": [{**given, "utlevert": [{"antall": "2"}]}]}
    fields = {**record.fields, "sykepleie": {"administrert": both}}

    body = NEW.render(Record(record.type, fields)).decode()
    first, second = body.index("<AdmAvHelsepersonell"), body.index("<Egenadministrering")
    end = body.index("</LegemidlerAdministrertVedOverforing")
    turned = body[:first] + body[second:end] + body[first:second] + body[end:]

    assert NEW.parse(body.encode()).fields == NEW.parse(turned.encode()).fields == fields


def test_who_is_near_is_labelled_so_and_every_text_is_free_text() -> None:
    for name in ("pleie.rapport", "pleie.soknad"):
        for spec in TYPES[name].scalars:
            if spec.path.startswith("parorende."):
                assert spec.labels == {Category.FAMILY, Category.NETWORK}
            if spec.name in ("merknad", "notat", "beskrivelse", "gjelder") and not spec.path.startswith(
                "vedlegg"
            ):
                assert spec.free_text, spec.path


# -- the national samples and the reception tests --

OTHERS = 57
"""Schema-valid care messages of other kinds: absence, logistics, medical information, services on offer."""
REFUSED: dict[str, dict[str, tuple[str, ...]]] = {
    "Helseopplysninger_til_lege": {
        "13b": ("T02", "X99"), "14a": ("E30",), "15a": ("T02",), "15b": ("T02",), "16a": ("E36",),
        "16b": ("E36",),
    },
    "elseopplysninger_ved_soknad": {
        "11a": ("E30", "E32"), "14a": ("E30",), "14b": ("E31",), "15a": ("T02",), "15b": ("T02",),
        "16c": ("E31",),
    },
    "Innleggelsesrapport": {
        "13a": ("X99",), "14a": ("E30",), "16b": ("E36",), "17a": ("E36",),
    },
    "Utskrivningsrapport": {
        "13a": ("X99",), "13b": ("T02", "X99"), "16a": ("E36",), "16b": ("E36",),
        "17a": ("E36",),
    },
}  # one row per case # fmt: skip
"""Reception tests by message and case: 11 and 14 the patient's number or name is missing or another kind of
number, 13 the sender, 15 the schema, 16 and 17 help numbers, a wrong digit."""


def test_every_valid_sample_is_read_and_written_and_valid_again(absent_reference: Absent) -> None:
    national = schemas(1, absent_reference)
    if national is None:
        return
    seen: dict[tuple[str, str], tuple[str, ...]] = {}
    unlike, placeless, others, good = [], [], 0, 0
    for file in samples("**/plo/**/*.xml", 145, absent_reference):
        body = file.read_bytes()
        if b"xmlstds/po/" not in body or "Case1-2-" in file.name:
            continue
        tree = read_xml(body)
        adapter, valid = adapter_of(body), not national.findings(tree, body)
        if adapter is None:
            others += valid
            continue
        try:
            record = adapter.parse(body)
        except HubError as told:
            case = file.stem.partition("-")[2].partition("-")[0]
            name = next(name for name in REFUSED if name in file.stem)
            seen[name, case] = receipt_codes(told)
            placeless += [file.name for finding in told.findings if not (finding.line and finding.column)]
            continue
        assert valid, file.name
        assert TYPES[adapter.type].check(record.fields) == (), file.name
        written = adapter.render(record)
        assert national.findings(read_xml(written), written) == (), file.name
        good += 1
        unlike += [file.name] * (dict(walk(adapter.parse(written).fields)) != dict(walk(record.fields)))

    expected = {(name, case): codes for name, cases in REFUSED.items() for case, codes in cases.items()}
    assert (unlike, placeless) == ([], [])
    if SAMPLES.is_dir():
        assert (seen, others, good) == (expected, OTHERS, 45)


def test_a_broken_reception_test_is_no_xml(absent_reference: Absent) -> None:
    for file in samples("**/plo/**/Case1-2-*.xml", 7, absent_reference):
        with pytest.raises(HubError) as told:
            read_xml(file.read_bytes())
        assert receipt_codes(told.value) == ("T01",)
