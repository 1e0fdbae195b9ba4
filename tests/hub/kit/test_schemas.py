"""Understands that official XSDs judge offline: references are found in the folder or nowhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.errors import HubError
from hub.kit.schemas import SchemaSet

STANDARDS = Path(__file__).parents[4] / "shared" / "standards"

_XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{own}" targetNamespace="{own}"
  elementFormDefault="qualified" {more}>{body}</xs:schema>"""


def write(path: Path, own: str, body: str, more: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_XSD.format(own=own, body=body, more=more), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A letter whose address is declared in another folder, under a web address nobody may ask."""
    write(
        tmp_path / "letters" / "letter.xsd",
        "urn:test:letter",
        """<xs:import namespace="urn:test:place" schemaLocation="http://127.0.0.1:9/a/place.xsd"/>
        <xs:include schemaLocation="sums.xsd"/>
        <xs:element name="Letter"><xs:complexType><xs:sequence>
          <xs:element name="Sum" type="Sum"/><xs:element ref="p:Place"/>
        </xs:sequence></xs:complexType></xs:element>""",
        'xmlns:p="urn:test:place"',
    )
    write(
        tmp_path / "letters" / "sums.xsd",
        "urn:test:letter",
        """<xs:simpleType name="Sum"><xs:restriction base="xs:integer"/></xs:simpleType>""",
    )
    write(
        tmp_path / "places" / "place.xsd",
        "urn:test:place",
        '<xs:element name="Place" type="xs:string"/>',
    )
    return tmp_path


def letter(of: str, head: str = "") -> bytes:
    place = '<Place xmlns="urn:test:place">Elvestad</Place>'
    return f'{head}<Letter xmlns="urn:test:letter">\n <Sum>{of}</Sum>{place}</Letter>'.encode()


def test_a_document_is_judged_across_files_that_name_each_other_by_web_address(folder: Path) -> None:
    schemas = SchemaSet(folder)

    assert schemas.judge(letter("3")).valid
    assert schemas.judge(letter("three")).word == "invalid"


def test_a_fault_has_line_column_path_and_rule_and_not_the_value(folder: Path) -> None:
    [finding] = SchemaSet(folder).judge(letter("KANARI")).findings

    assert (finding.line, finding.column, finding.at) == (2, 2, "/Letter/?")
    assert finding.rule == "datatype-valid-1-2-1"
    assert "KANARI" not in repr(finding)


def test_a_root_that_no_file_declares_is_unknown_and_not_invalid(folder: Path) -> None:
    schemas = SchemaSet(folder)

    assert not schemas.judge(b"<a/>").known
    assert not schemas.judge(b'<Other xmlns="urn:test:letter"/>').known
    assert not schemas.judge(b"no xml").known


@pytest.mark.parametrize(("encoding", "column"), [("ISO-8859-1", 2), ("ISO-8859-15", None)])
def test_another_encoding_is_judged_too(folder: Path, encoding: str, column: int | None) -> None:
    """With the column, if it is one that the hub reads."""
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    schemas = SchemaSet(folder)

    assert schemas.judge(letter("3", head).replace(b"Elvestad", b"\xd8y")).valid
    [finding] = schemas.judge(letter("three", head).replace(b"Elvestad", b"\xd8y")).findings
    assert (finding.line, finding.column) == (2, column)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE Letter SYSTEM "file:///etc/hostname">',
        '<!DOCTYPE Letter [<!ENTITY a "3">]>',
    ],
)
def test_a_doctype_is_not_judged(folder: Path, doctype: str) -> None:
    assert not SchemaSet(folder).judge(letter("3", doctype)).known


def test_a_reference_never_leads_out_of_the_folder(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "foreign.xsd"
    write(outside, "urn:test:place", '<xs:element name="Place" type="xs:integer"/>')
    (folder / "places" / "place.xsd").unlink()
    letters = folder / "letters" / "letter.xsd"
    for location in (outside.as_uri(), "../../" + outside.parent.name + "/foreign.xsd"):
        letters.write_text(
            re.sub(
                r'place" schemaLocation="[^"]*"', f'place" schemaLocation="{location}"', letters.read_text()
            )
        )

        assert not SchemaSet(folder).judge(letter("3")).known


def test_a_link_is_no_file_of_the_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    real = tmp_path_factory.mktemp("outside") / "place.xsd"
    (folder / "places" / "place.xsd").rename(real)
    (folder / "places" / "place.xsd").symlink_to(real)

    assert "urn:test:place" not in SchemaSet(folder).namespaces


def test_an_entity_in_an_xsd_is_not_resolved(folder: Path) -> None:
    file = folder / "places" / "place.xsd"
    file.write_text(
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
        + file.read_text().replace("</xs:schema>", "&e;</xs:schema>")
    )

    assert SchemaSet(folder).judge(letter("3")).word in ("valid", "unknown")


def test_what_is_broken_in_the_folder_judges_nothing_and_hides_nothing(folder: Path) -> None:
    (folder / "broken.xsd").write_text("<xs:schema")
    (folder / "other.xsd").write_text("<a/>")

    assert SchemaSet(folder).judge(letter("3")).valid


def test_a_folder_without_xsds_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(HubError) as refused:
        SchemaSet(tmp_path)

    assert refused.value.code == "settings.invalid"


def test_a_catalogue_says_which_of_two_files_is_meant(folder: Path) -> None:
    write(folder / "a-old.xsd", "urn:test:place", '<xs:element name="Place" type="xs:integer"/>')
    body = b'<Place xmlns="urn:test:place">Elvestad</Place>'
    assert SchemaSet(folder).judge(body).word == "invalid"

    (folder / "Catalog.xml").write_text(
        '<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">'
        '<uri name="urn:test:place" uri="far/away/place.xsd"/></catalog>'
    )

    assert SchemaSet(folder).judge(body).valid


LISTS = ("xsd-validation-sarepta.txt", "xsd-validation-github-test-fixtures.txt")


@pytest.mark.parametrize("name", LISTS)
def test_the_national_samples_are_judged_as_in_the_reference_lists(
    name: str, absent_reference: Callable[[str, int], None]
) -> None:
    file = STANDARDS / "samples" / "derived" / name
    if not file.is_file():
        absent_reference(name, 1)
        return
    schemas = SchemaSet(STANDARDS / "xsd")
    rows = [line.split(maxsplit=1) for line in file.read_text().splitlines() if line[:3] in ("OK ", "BAD")]
    stated = {rest.partition(".xml")[0] + ".xml": word for word, rest in rows if "MISSING" not in rest}
    here = {
        path: word
        for told, word in stated.items()
        if (path := STANDARDS / "samples" / told.removeprefix("_samples/")).is_file()
    }

    wrong = {
        path
        for path, word in here.items()
        if (schemas.judge(path.read_bytes()).word == "valid") != (word == "OK")
    }

    if len(here) < len(stated):
        absent_reference(f"samples named in {name}", len(stated) - len(here))
    assert len(here) > 10
    assert wrong == set()
