"""Understands that every body finds exactly one adapter, or a refusal that says what would be read."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

import adapters
from adapters.registry import ADAPTERS, adapters_for
from hub.errors import HubError
from mappings.types import load_types

FOLDER = Path(adapters.__file__).parent
TYPES = load_types()
REGISTRY = adapters_for(TYPES)
EXAMPLES = sorted(FOLDER.glob("*/examples/*"))
MEDIA = {
    ".xml": "application/xml",
    ".json": "application/json",
    ".asice": "application/vnd.etsi.asic-e+zip",
}


def test_every_folder_with_an_adapter_is_in_the_registry() -> None:
    folders = {path.parent.name for path in FOLDER.glob("*/adapter.py")} - {"plain_json"}
    modules = [import_module(f"adapters.{folder}.adapter") for folder in folders]

    made = [
        one for module in modules for one in getattr(module, "ADAPTERS", [getattr(module, "ADAPTER", None)])
    ]

    assert sorted(adapter.name for adapter in ADAPTERS) == sorted(adapter.name for adapter in made)
    assert {folder_of(adapter.name) for adapter in ADAPTERS} == folders


def folder_of(name: str) -> str:
    """The folder of an adapter: its name without the version of the format, the spelling of FHIR, and which
    of several messages it is."""
    plain = re.sub(r"(-[0-9.]+|(?<=fhir-)([a-z]+)-xml)$", r"\2", name).replace("-", "_")
    return plain if (FOLDER / plain).is_dir() else plain.rpartition("_")[0]


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in FOLDER.glob("*/adapter.py")), ids=lambda p: p.name
)
def test_every_adapter_has_a_readme_and_an_example(folder: Path) -> None:
    assert (folder / "README.md").is_file()
    assert list((folder / "examples").iterdir())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_every_example_is_recognised_by_one_adapter_and_fits_its_message_type(example: Path) -> None:
    body = example.read_bytes()
    adapter = REGISTRY.recognise(MEDIA[example.suffix], body)

    record = adapter.parse(body)

    assert example.parts[-3] in (folder_of(adapter.name), "plain_json")
    assert TYPES[adapter.type].check(record.fields) == ()


def test_every_declared_type_has_plain_json_by_default() -> None:
    for name in TYPES:
        assert REGISTRY.default_for(name).name == f"json:{name}"
        assert REGISTRY.recognise("application/json", f'{{"type":"{name}"}}'.encode()).type == name


def test_no_type_has_a_field_that_plain_json_keeps_for_itself() -> None:
    assert all(field.name != "type" for spec in TYPES.values() for field in spec.fields)


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("", b"{}"),
        ("application/octet-stream", b"{}"),
        ("text/plain", b"<k/>"),
        ("application/json; charset=latin-1", b'{"type":"epikrise"}'),
        ("application/json", b"{}"),
        ("application/json", b'{"type":"unknown"}'),
        ("application/json", b'{"type":["epikrise"]}'),
        ("application/json", b'{"resourceType":"Bundle"}'),
        ("application/fhir+json", b'{"type":"epikrise"}'),
        ("application/fhir+json", b'{"resourceType":"Patient"}'),
        ("application/fhir+json", b'{"resourceType":"Bundle","type":"document","entry":[{"resource":[]}]}'),
        ("application/fhir+json", b'{"resourceType":"Bundle","type":"document","entry":{"0":1}}'),
        ("application/xml; charset=iso-8859-1", b"<k/>"),
        (
            "application/xml; charset=iso-8859-1",
            b'<?xml version="1.0"?><Kartlegging xmlns="urn:brobygger:brik:1"/>',
        ),
        (
            "application/xml; charset=UTF-8",
            b'<?xml version="1.0" encoding="ISO-8859-1"?><Kartlegging xmlns="urn:brobygger:brik:1"/>',
        ),
        ("application/xml; charset=us-ascii", b'<Kartlegging xmlns="urn:brobygger:brik:1"/>'),
        (
            "application/xml; charset=utf-8; charset=iso-8859-1",
            b'<?xml version="1.0" encoding="UTF-8"?><Kartlegging xmlns="urn:brobygger:brik:1"/>',
        ),
        ("application/xml", b"<k/>"),
        ("application/xml", b'<Kartlegging xmlns="urn:brobygger:brik:2"/>'),
    ],
)
def test_a_sound_body_of_no_known_format_is_refused_as_that(media_type: str, body: bytes) -> None:
    with pytest.raises(HubError) as refused:
        REGISTRY.recognise(media_type, body)

    assert refused.value.code == "parse.format-unknown"
    assert refused.value.findings


@pytest.mark.parametrize(
    "media_type", ["Application/JSON", "application/json; charset=UTF-8", " application/json ;q=1"]
)
def test_a_media_type_is_read_without_regard_to_case_and_parameters(media_type: str) -> None:
    assert REGISTRY.recognise(media_type, b'{"type":"epikrise"}').type == "epikrise"


@pytest.mark.parametrize(
    ("parameter", "encoding"),
    [
        ("", "ISO-8859-1"), ("; charset=iso-8859-1", "ISO-8859-1"), (';charset="ISO-8859-1"', "iso-8859-1"),
        ("; charset=utf-8", "UTF-8"), ("; charset=utf-8", "us-ascii"), ("; charset=utf8", "UTF-8"),
        ("; charset=windows-1252", "windows-1252"),
    ],
)  # one row per case # fmt: skip
def test_a_charset_may_say_what_the_document_says(parameter: str, encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?><Kartlegging xmlns="urn:brobygger:brik:1"/>'.encode()

    assert REGISTRY.recognise(f"text/xml{parameter}", body).name == "brik-xml"


XML_EXAMPLES = [path for path in EXAMPLES if path.suffix == ".xml"]


@pytest.mark.parametrize("example", XML_EXAMPLES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
@pytest.mark.parametrize(("encoding", "codec"), [("ISO-8859-1", "latin-1"), ("windows-1252", "cp1252")])
def test_every_xml_example_is_read_in_an_encoding_of_single_bytes(
    example: Path, encoding: str, codec: str
) -> None:
    """But FHIR, which has one encoding. What is written is UTF-8."""
    body = example.read_bytes()
    adapter = REGISTRY.recognise("application/xml", body)
    _, _, rest = body.decode().lstrip().rpartition("?>")
    other = (f'<?xml version="1.0" encoding="{encoding}"?>' + rest).encode(codec, "xmlcharrefreplace")

    if adapter.name.startswith("fhir"):
        with pytest.raises(HubError, match=r"parse\.malformed"):
            adapter.parse(other)
    else:
        assert REGISTRY.recognise("application/xml", other) is adapter
        assert adapter.parse(other) == adapter.parse(body)


def test_some_examples_have_letters_that_differ_between_encodings() -> None:
    assert sum(not path.read_bytes().isascii() for path in XML_EXAMPLES) > len(XML_EXAMPLES) // 2


def test_a_format_that_does_not_exist_is_a_fault_of_the_settings() -> None:
    with pytest.raises(HubError) as refused:
        REGISTRY.by_name("brik-xlm")

    assert refused.value.code == "settings.invalid"
