"""Understands that a broken document is told everything that is wrong with it, and where.

One folder per format in `bad/`, with `expected.yaml` beside the documents. The oracle is that table, written
by what was broken on purpose. A row with `put` has no document: it is the example of ours with each `new` in
place of its `old`, which stands there once, or in one file of it where it is a package.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.fiks.package import read_package, write_package
from adapters.registry import adapters_for
from hub.errors import Finding, HubError
from mappings.types import load_types
from tests.adapters import digisos_schemas

BAD = Path(__file__).parent / "bad"
ADAPTERS = Path(__file__).resolve().parents[2] / "adapters"
TYPES = load_types()
REGISTRY = adapters_for(TYPES)
FOLDERS = sorted(folder for folder in BAD.iterdir() if folder.is_dir())


@cache
def _expected(folder: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((folder / "expected.yaml").read_text(encoding="utf-8")))


def body_of(folder: Path, name: str) -> bytes:
    """The broken document of a row."""
    expected = _expected(folder)
    row = expected["files"][name]
    if "put" not in row:
        return next(folder.glob(f"{name}.*")).read_bytes()
    example = ADAPTERS / expected["example"]
    packed = example.suffix == ".asice"
    files = read_package(example.read_bytes()) if packed else {"": example.read_bytes()}
    for change in row["put"]:
        old, new = change["old"].encode(), change["new"].encode()
        assert sum(content.count(old) for content in files.values()) == 1, f"{folder.name} {name}: {old!r}"
        files = {file: content.replace(old, new) for file, content in files.items()}
    return write_package(files) if packed else files[""]


DOCUMENTS = [(folder, str(name)) for folder in FOLDERS for name in _expected(folder)["files"]]


def told(folder: Path, name: str) -> tuple[str, tuple[Finding, ...]]:
    """As the parse step tells it: the format's own findings, or else those of the message type."""
    body = body_of(folder, name)
    adapter = REGISTRY.by_name(_expected(folder)["adapter"])
    try:
        record = adapter.parse(body)
    except HubError as refused:
        return refused.code, refused.findings
    found = TYPES[adapter.type].check(record.fields)
    return "parse.invalid", tuple(adapter.locate(body, found) if adapter.locate else found)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.name))
def test_every_broken_document_has_its_row_and_every_row_its_document(folder: Path) -> None:
    documents = {path.stem for path in folder.iterdir() if path.name != "expected.yaml"}
    rows = _expected(folder)["files"]

    assert documents == {str(name) for name, row in rows.items() if "put" not in row}
    assert len(rows) > 4


@pytest.mark.parametrize(("folder", "name"), DOCUMENTS, ids=lambda part: getattr(part, "name", part))
def test_a_broken_document_is_told_every_fault_and_its_place(folder: Path, name: str) -> None:
    row = _expected(folder)["files"][name]

    code, found = told(folder, name)

    assert (code, [f"{f.line}:{f.column} {f.at} {f.rule}" for f in found]) == (row["code"], row["findings"])


@pytest.mark.parametrize(
    ("folder", "name"),
    [pair for pair in DOCUMENTS if pair[0].name.startswith("digisos")],
    ids=lambda part: getattr(part, "name", part),
)
def test_the_official_schema_refuses_it_too(folder: Path, name: str) -> None:
    code = _expected(folder)["files"][name]["code"]
    if code != "parse.invalid" or name.startswith("header-of-ours") or not digisos_schemas.SCHEMAS.is_dir():
        assert code in ("parse.invalid", "parse.malformed")
        return  # not JSON, or about the key that is ours; absence is counted with the schemas

    document = json.loads((folder / f"{name}.json").read_bytes())

    assert not digisos_schemas.accepts(digisos_schemas.ROOTS[folder.name], document)
