"""Understands how a new adapter begins: a folder that works and conforms, to be changed into the agency's
own words. What differs between agencies is data (`fields.json` or `schema.xsd`), made from the type.
"""

from __future__ import annotations

import json
import keyword
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from string import Template
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import adapters
from adapters.json_table import JsonTable
from adapters.registry import ADAPTERS
from adapters.xsd import XsdFormat
from hub.errors import Finding, HubError
from hub.kit.values import sample
from mappings.fields import FieldSpec, Kind
from mappings.types import TypeSpec

WIRES = ("json", "xml")
_OURS = Path(adapters.__file__).parent

_ADAPTER = {
    "json": '''\
"""Understands $name: $title, as the agency's own JSON.

Wire:   UTF-8 JSON object with "format": "$name/1"; `fields.json` says which key holds which field.
Units:  dates YYYY-MM-DD, times with offset.
Quirks: a key that fields.json does not have is refused.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from pathlib import Path

from adapters.base import Adapter, Sniff
from adapters.json_table import JsonTable
from hub.message import Record

TYPE = "$type"
FORMAT = JsonTable(TYPE, Path(__file__).with_name("fields.json"))


def recognise(sniff: Sniff) -> bool:
    return sniff.at("format") == "$name/1"


def parse(body: bytes) -> Record:
    """Read one message, or raise with every fault by path."""
    return FORMAT.read(body)


def render(record: Record) -> bytes:
    """Write one message; a field without a key is render.incomplete."""
    return FORMAT.write(record)


ADAPTER = Adapter(
    "$name",
    TYPE,
    ("application/json",),
    recognise,
    parse,
    render,
    locate=FORMAT.locate,
    partly=FORMAT.partly,
)
''',
    "xml": '''\
"""Understands $name: $title, as the agency's own XML.

Wire:   UTF-8 XML, root {urn:$name:1}$root; elements and order as in schema.xsd.
Units:  dates YYYY-MM-DD, times with offset.
Quirks: no attributes, no unknown elements; the version is in the namespace.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from pathlib import Path

from adapters.base import Adapter, Sniff
from adapters.safe_xml import read_xml
from adapters.xsd import XsdFormat
from hub.errors import Finding, HubError
from hub.message import Record

TYPE = "$type"
ROOT = "{urn:$name:1}$root"
FORMAT = XsdFormat(Path(__file__).with_name("schema.xsd"))


def recognise(sniff: Sniff) -> bool:
    return sniff.root == ROOT


def parse(body: bytes) -> Record:
    """Read one message, or raise with every fault by line and column."""
    root = read_xml(body)
    if root.tag != ROOT:
        raise HubError("parse.invalid", [Finding("/", "root", ROOT)])
    return Record(TYPE, FORMAT.read(root, body))


def render(record: Record) -> bytes:
    """Write one message, valid against schema.xsd."""
    if record.type != TYPE:
        raise HubError("render.incomplete")
    return FORMAT.write(record.fields)


def partly(body: bytes) -> Record:
    """What can be read of a message that `parse` refuses."""
    return Record(TYPE, FORMAT.partly(body))


ADAPTER = Adapter(
    "$name",
    TYPE,
    ("application/xml", "text/xml"),
    recognise,
    parse,
    render,
    locate=FORMAT.locate,
    partly=partly,
)
''',
}

_README = """\
# $name

Message type `$type`: $title.

| | |
|---|---|
| Name | `$name` |
| Media type | `application/$wire`, UTF-8 |
| Recognised by | $recognised |
| Directions | read and written |
| Example | `examples/$sample` |

$format

To change: who the agency is and who agreed on the format, with a date; what the wire has, in `$data`;
the example, with invented persons and synthetic numbers only (month + 80). Fields of the type that the format
cannot say belong in `loses` of the Adapter, each with its reason. Then `bro adapter conform $name$enable`.
Who is to get it needs `formats: {$type: $name}` in its entry of the directory file.
"""

_FORMAT = {
    "json": """\
`fields.json` is the whole format: wire key on the left, field of the type on the right. `{"=": …}` is a
constant, `"[]"` names the list of groups that a list of objects stands for; inside it, paths are its own.""",
    "xml": """\
`schema.xsd` is the whole format: one element per field (`person.id` is `Person/Id`), in a fixed order. An
element cannot be called anything else here: where the agency's names differ, `parse` and `render` rename
them. The documentation of each simple type is the sentence a sender is shown as what to write.""",
}

_TEST = '''\
"""Understands that $name keeps the promises of every adapter, and says what its example says."""

from __future__ import annotations

from pathlib import Path

import $package.adapter
from $package.adapter import ADAPTER
from hub.kit.checked import checks

EXAMPLE = Path($package.adapter.__file__).parent / "examples" / "$sample"


def test_the_example_is_read_whole_and_written_again() -> None:
    record = ADAPTER.parse(EXAMPLE.read_bytes())

    assert record.get("melding.id") == "$message_id"
    assert ADAPTER.parse(ADAPTER.render(record)) == record


def test_it_conforms() -> None:
    assert {check.name: check.findings for check in checks("$name") if not check.holds} == {}
'''

_PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "$name"
version = "1"
description = "Adapter for Brobygger: $name"
requires-python = ">=3.11"

[project.entry-points."brobygger.adapters"]
$name = "$package.adapter:ADAPTER"

[tool.setuptools]
packages = ["$package"]

[tool.setuptools.package-data]
$package = ["*.json", "*.xsd", "*.md", "examples/*"]
"""


def files(name: str, spec: TypeSpec, wire: str, *, package: bool) -> Mapping[str, str]:
    """Every file of a new adapter by its path. `package`: one of its own instead of a folder of ours.

    Raises adapter.invalid for a name that is none, or that something else has.
    """
    folder = name.replace("-", "_")
    if faults := _name_faults(name, folder, package=package):
        raise HubError("adapter.invalid", faults)
    root, file = "".join(part.title() for part in folder.split("_")), f"example.{wire}"
    data = "fields.json" if wire == "json" else "schema.xsd"
    record = sample(spec)
    dotted = folder if package else f"adapters.{folder}"
    words = {
        "name": name,
        "type": spec.name,
        "title": spec.title.en,
        "wire": wire,
        "root": root,
        "package": dotted,
        "sample": file,
        "data": data,
        "format": _FORMAT[wire],
        "recognised": f'`"format": "{name}/1"`' if wire == "json" else f"root `{{urn:{name}:1}}{root}`",
        "enable": " --enable" if package else "",
        "message_id": str(record.get("melding.id")),
    }
    here = folder if package else f"adapters/{folder}"
    made = {
        f"{here}/__init__.py": "",
        f"{here}/adapter.py": _filled(_ADAPTER[wire], words),
        f"{here}/README.md": _filled(_README, words),
        f"{here}/{data}": _table(name, spec) if wire == "json" else _schema(name, root, spec),
        f"tests/adapters/test_{folder}.py": _filled(_TEST, words),
    }
    if package:
        made["pyproject.toml"] = _filled(_PYPROJECT, words)
        made[f"tests/test_{folder}.py"] = made.pop(f"tests/adapters/test_{folder}.py")
    return made


_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_OUR_PACKAGES = frozenset({"adapters", "consent", "hub", "mappings", "tests", "docs"})


def _name_faults(name: str, folder: str, *, package: bool) -> list[Finding]:
    """Why a new adapter may not be called so: what has the name already would be hidden, or hide it."""
    expected: str | None = None
    if not _NAME.fullmatch(name):
        expected = "lower case letters, digits and hyphens, a letter first"
    elif keyword.iskeyword(folder):
        expected = "no keyword of Python: add a word to it (the agency, or the system)"
    elif name in {adapter.name for adapter in ADAPTERS}:
        expected = "a name that no adapter has: `bro adapter list` shows them"
    elif not package and (_OURS / f"{folder}.py").exists():
        expected = f"another name: the folder would hide adapters/{folder}.py, which other adapters use"
    elif not package and (_OURS / folder).exists():
        expected = f"another name: there is a folder adapters/{folder} already"
    elif package and (folder in _OUR_PACKAGES or folder in sys.stdlib_module_names):
        expected = "another name: a package of it would hide one of Python's or ours; add a word to it"
    elif package and _is_installed(folder):
        expected = "another name, or that package taken out first: a package of it is installed here"
    return [Finding("NAME", "name", expected)] if expected else []


def _is_installed(top: str) -> bool:
    """Whether Python finds a module of that name. A folder without code that lies about is none."""
    found = PathFinder.find_spec(top)
    return found is not None and found.origin is not None


def write(into: Path, name: str, spec: TypeSpec, wire: str, *, package: bool) -> list[str]:
    """Write all files and the example, and tell their paths. Nothing that is there is written over.

    Raises adapter.invalid when something is there already, and as `files` does.
    """
    made = files(name, spec, wire, package=package)
    there = [path for path in made if (into / path).exists()]
    if there:
        raise HubError(
            "adapter.invalid",
            [Finding(path, "exists", "nothing of that name: choose another one") for path in there],
        )
    for path, text in made.items():
        try:
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            (into / path).write_text(text, encoding="utf-8")
        except OSError:
            found = [Finding(path, "folder", "a folder that can be written")]
            raise HubError("adapter.invalid", found) from None
    here = name.replace("-", "_") if package else f"adapters/{name.replace('-', '_')}"
    example = f"{here}/examples/example.{wire}"
    (into / example).parent.mkdir()
    (into / example).write_bytes(_example(into / here, spec, wire))
    return [*made, example]


def _example(folder: Path, spec: TypeSpec, wire: str) -> bytes:
    record = sample(spec)
    if wire == "xml":
        return XsdFormat(folder / "schema.xsd").write(record.fields)
    said = json.loads(JsonTable(spec.name, folder / "fields.json").write(record))
    return (json.dumps(said, ensure_ascii=False, indent=2) + "\n").encode()


def _filled(template: str, words: Mapping[str, str]) -> str:
    return Template(template).substitute(words)


# ------------------------------------------------------------------------------------- fields.json


def _table(name: str, spec: TypeSpec) -> str:
    table = {"format": {"=": f"{name}/1"}, **_keys(spec.fields, "")}
    return json.dumps(table, ensure_ascii=False, indent=2) + "\n"


def _keys(specs: tuple[FieldSpec, ...], above: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for spec in specs:
        path = f"{above}.{spec.name}" if above else spec.name
        if not spec.fields:
            made[spec.name] = path
        elif spec.many:
            made[spec.name] = {"[]": path, **_keys(spec.fields, "")}
        else:
            made[spec.name] = _keys(spec.fields, path)
    return made


# -------------------------------------------------------------------------------------- schema.xsd


def _schema(name: str, root: str, spec: TypeSpec) -> str:
    namespace = f"urn:{name}:1"
    kinds: dict[str, list[str]] = {}
    elements = list(_elements(spec.fields, kinds, "        "))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:b="{namespace}"',
        f'           targetNamespace="{namespace}" elementFormDefault="qualified" version="1">',
        f'  <xs:element name="{root}">',
        "    <xs:complexType>",
        "      <xs:sequence>",
        *elements,
        "      </xs:sequence>",
        "    </xs:complexType>",
        "  </xs:element>",
        *(line for made in kinds.values() for line in made),
        "</xs:schema>",
    ]
    return "\n".join(lines) + "\n"


def _elements(specs: tuple[FieldSpec, ...], kinds: dict[str, list[str]], indent: str) -> Iterator[str]:
    for spec in specs:
        least = "" if spec.required else ' minOccurs="0"'
        most = ' maxOccurs="unbounded"' if spec.many else ""
        if spec.exactly is not None:
            least, most = (
                f' minOccurs="{spec.exactly if spec.required else 0}"',
                f' maxOccurs="{spec.exactly}"',
            )
        head = f'{indent}<xs:element name="{_camel(spec.name)}"'
        if not spec.fields:
            kind = "".join(_camel(part) for part in spec.path.split("."))
            kinds[kind] = list(_kind(kind, spec))
            yield f'{head} type="b:{kind}"{least}{most}/>'
            continue
        yield f"{head}{least}{most}>"
        yield f"{indent}  <xs:complexType>"
        yield f"{indent}    <xs:sequence>"
        yield from _elements(spec.fields, kinds, indent + "      ")
        yield f"{indent}    </xs:sequence>"
        yield f"{indent}  </xs:complexType>"
        yield f"{indent}</xs:element>"


def _kind(name: str, spec: FieldSpec) -> Iterator[str]:
    base, facets = _facets(spec)
    yield f'  <xs:simpleType name="{name}">'
    says = escape(spec.expected)
    yield f"    <xs:annotation><xs:documentation>{says}</xs:documentation></xs:annotation>"
    yield f'    <xs:restriction base="xs:{base}">'
    for facet, value in facets:
        yield f"      <xs:{facet} value={quoteattr(str(value))}/>"
    yield "    </xs:restriction>"
    yield "  </xs:simpleType>"


def _facets(spec: FieldSpec) -> tuple[str, list[tuple[str, object]]]:
    match spec.kind:
        case Kind.CODE:
            return "string", [("enumeration", code) for code in spec.codes]
        case Kind.BOOLEAN:
            return "boolean", [("pattern", "true|false")]
        case Kind.INTEGER:
            bounds = [("minInclusive", spec.least), ("maxInclusive", spec.most)]
            return "integer", [
                ("pattern", "-?(0|[1-9][0-9]*)"),
                *((f, v) for f, v in bounds if v is not None),
            ]
        case Kind.DATE:
            return "date", [("pattern", "[0-9]{4}-[0-9]{2}-[0-9]{2}")]
        case Kind.DATETIME:
            return "dateTime", [("pattern", ".*(Z|[+-][0-9]{2}:[0-9]{2})")]
        case Kind.FODSELSNUMMER:
            return "string", [("pattern", "[0-9]{11}")]
        case Kind.ORGNR:
            return "string", [("pattern", "[0-9]{9}")]
        case Kind.KOMMUNENUMMER:
            return "string", [("pattern", "[0-9]{4}")]
        case _:
            most = [("maxLength", spec.most)] if spec.most is not None else []
            return "string", [("minLength", 1), *most]


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
