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


def test_a_format_that_does_not_exist_is_a_fault_of_the_settings() -> None:
    with pytest.raises(HubError) as refused:
        REGISTRY.by_name("brik-xlm")

    assert refused.value.code == "settings.invalid"
