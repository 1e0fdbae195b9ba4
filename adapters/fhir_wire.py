"""Understands that one FHIR format is spoken in two spellings, JSON and XML, by one reading and one
writing: an adapter gives both for a document, and gets an adapter for each spelling.

Every finding gets its line and column here, whoever made it. It must not know any message type.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from adapters.base import Adapter, Findings, Sniff, decode
from adapters.fhir import JSON_TYPES, XML_TYPES, Json
from adapters.fhir_paths import noted
from adapters.fhir_places import Unsaid, at_fields, nowhere
from adapters.fhir_xml import FHIR, Models, Release, XmlReader, write_fhir_xml
from adapters.fhir_xml_places import XmlPlaces
from adapters.safe_json import read_json, write_json
from adapters.safe_xml import UNICODE, read_xml
from hub.errors import Finding, HubError
from hub.message import Record

Read = Callable[[Json], Record]
Compose = Callable[[Record], Json]
Place = tuple[int, int]


OF_THE_FILE: Mapping[str, str] = {
    ".identifier.system": "who issued the id of the message; the id itself is read",
    ".identifier[].system": "who issued an id; the id itself is read",
    ".identifier[]": "an id of an issuer that nobody knows here, beside the one that is read",
    ".fullUrl": "how entries of this one document refer to each other",
    ".meta.profile[]": "what a resource is said to conform to; what it says is what is read",
    ".source.endpoint": "the technical address of the sending system; the sender is known by its token",
}
"""Places of FHIR that tell how a document is filed, and nothing of the person."""


def both(
    name: str,
    type_name: str,
    recognise: Callable[[Sniff], bool],
    read: Read,
    compose: Compose,
    models: Models | Release,
    *,
    loses: Mapping[str, str] | None = None,
    as_said: Callable[[Record], Record] = lambda record: record,
    passes_over: Mapping[str, str] | None = None,
    unsaid: Unsaid = nowhere,
) -> tuple[Adapter, Adapter]:
    """The adapter for JSON, `name`, and the one for XML, `name-xml`. `read` takes a document as JSON has
    it, and raises what is wrong by path; `compose` gives one. `models` are all resources that occur,
    `loses`, `as_said` and `passes_over` what they are of `Adapter`; a place in JSON stands for the same one
    in XML, too. `unsaid` knows where a document would say what it does not say."""

    def parse_json(body: bytes) -> Record:
        return _parse_json(body, read)

    def parse_xml(body: bytes) -> Record:
        return _parse_xml(body, read, models)

    def render_json(record: Record) -> bytes:
        return write_json(compose(record))

    def render_xml(record: Record) -> bytes:
        return write_fhir_xml(compose(record), _written(models))

    def locate_json(body: bytes, findings: Iterable[Finding]) -> list[Finding]:
        return _placed(at_fields(findings, read_json(body), read, unsaid), json_places(decode(body)))

    def locate_xml(body: bytes, findings: Iterable[Finding]) -> list[Finding]:
        reader = XmlReader(read_xml(body, (UNICODE,)), models, Findings())
        return _placed(at_fields(findings, reader.document, read, unsaid), XmlPlaces(reader, body))

    def adapter(
        spelled: str,
        types: tuple[str, ...],
        parse: Callable[[bytes], Record],
        render: Callable[[Record], bytes],
        locate: Callable[[bytes, Iterable[Finding]], list[Finding]],
    ) -> Adapter:
        return Adapter(
            *(spelled, type_name, types, recognise, parse, render),
            loses=loses or {},
            as_said=as_said,
            passes_over={at: why for end, why in (passes_over or {}).items() for at in (end, *_in_xml(end))},
            locate=locate,
        )

    return (
        adapter(name, JSON_TYPES, parse_json, render_json, locate_json),
        adapter(f"{name}-xml", XML_TYPES, parse_xml, render_xml, locate_xml),
    )


def _parse_json(body: bytes, read: Read) -> Record:
    document = read_json(body)
    try:
        return read(document)
    except HubError as refused:
        raise HubError(refused.code, _placed(refused.findings, json_places(decode(body)))) from None


def _parse_xml(body: bytes, read: Read, models: Models | Release) -> Record:
    """What XML says that JSON could not is told before what is wrong with the document."""
    faults = Findings()
    reader = XmlReader(read_xml(body, (UNICODE,)), models, faults)  # FHIR has one encoding
    code, found = "parse.invalid", list(told(faults))
    try:
        record = read(reader.document)
    except HubError as refused:
        code = code if found else refused.code
        found += refused.findings
    else:
        if not found:
            return record
    raise HubError(code, _placed(found, XmlPlaces(reader, body)))


def _in_xml(end: str) -> tuple[str, str]:
    """The end of a place as XML has it: of `.meta.profile[]` `/meta/profile` and `/meta/profile/@value`."""
    *above, last = end.replace("[]", "").replace(".", "/").split("/")
    element = "/".join([*above, last])
    return element, "/".join([*above, "@url"]) if last == "url" else f"{element}/@value"


def _written(models: Models | Release) -> Models:
    return models if isinstance(models, Mapping) else models(frozenset())


class Places(Protocol):
    """Where each path of a document stands."""

    def get(self, path: str, /) -> Place | None:
        """None for a path that the document has not."""


def _placed(findings: Iterable[Finding], places: Places) -> list[Finding]:
    """Where each path stands; of what is not there, where it would have to be put in."""
    return [
        finding if finding.line else _at_place(finding, *_nearest(noted(finding.at), places))
        for finding in findings
    ]


def _at_place(finding: Finding, line: int, column: int) -> Finding:
    return replace(finding, at=str(finding.at), line=line, column=column)  # no more than is shown


def told(faults: Findings) -> tuple[Finding, ...]:
    """What was collected, without raising it."""
    try:
        faults.finish()
    except HubError as refused:
        return refused.findings
    return ()


def _nearest(at: str, places: Places) -> Place:
    while (place := places.get(at)) is None:
        if not at:
            return 1, 1
        at = at[: max(at.rfind("."), at.rfind("["), 0)]
    return place


_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def json_places(text: str) -> dict[str, Place]:
    """Line and column of every path of a document in JSON that `read_json` accepted: of a value in an
    object where its name stands, of one in a list where it begins."""
    starts = [0, *(match.end() for match in re.finditer("\r\n|\r|\n", text))]
    places: dict[str, Place] = {"": (1, 1)}
    path, key = [""], False  # the path of each open object or list; whether a name comes next
    counts: list[int | None] = []  # of each open one: the next index of a list, None for an object
    here = ""

    def note(offset: int) -> None:
        line = bisect_right(starts, offset)
        places.setdefault(here, (line, offset - starts[line - 1] + 1))

    for token in _TOKEN.finditer(text):
        said = token.group()
        if said in "}]":
            counts.pop()
            path.pop()
            key = False
        elif said == ",":
            key = bool(counts) and counts[-1] is None
        elif said == ":":
            key = False
        elif key:
            name = str(json.loads(said)) if "\\" in said else said[1:-1]
            here = f"{path[-1]}.{name}" if path[-1] else name
            note(token.start())
        else:
            if counts and (index := counts[-1]) is not None:
                here = f"{path[-1]}[{index}]"
                counts[-1] = index + 1
                note(token.start())
            if said in "{[":
                path.append(here)
                counts.append(0 if said == "[" else None)
                key = said == "{"
    return places


def kind_of(media_type: str, body: bytes) -> str:
    """The kind of resource that a body holds, of whatever soundness inside; an empty text for no FHIR.

    Raises parse.malformed or parse.forbidden-construct, with line and column.
    """
    if media_type.endswith("xml"):
        root = read_xml(body, (UNICODE,))
        return str(root.tag).removeprefix(FHIR) if str(root.tag).startswith(FHIR) else ""
    kind = read_json(body).get("resourceType")
    return kind if isinstance(kind, str) else ""
