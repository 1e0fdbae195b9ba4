"""Understands what the hub would do with every file of a folder: one answer each, nothing passed over.

Per file: the format and the adapter that reads it, or the code with every place; the agreements it goes
through when everything may go; whether it can be written again, in its own format and in every format of
what it becomes; whether what was written reads back as the same and what the XSDs say of it.

Decides nothing about consent and stores nothing. Knows no format: whatever the registry reads, it tries.
"""

from __future__ import annotations

import json
import os
import stat
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lxml import etree

from adapters.base import Adapter, without
from adapters.fiks.package import MEDIA_TYPE as PACKAGE
from adapters.registry import Registry
from hub.errors import Finding, HubError
from hub.kit.asked import asked
from hub.kit.schemas import Judged, SchemaSet
from hub.message import Record, walk
from hub.telling import in_place, told_whole
from mappings.agreements import Agreement
from mappings.engine import EXAMPLE_HEADER, translate_record
from mappings.fields import TEXTS
from mappings.types import TypeSpec

MAX_BYTES = 10 * 1024 * 1024
MOST_TEXT = 500_000
"""As in `hub/pipeline.py`, which cannot be imported here without a store; a test compares the two."""

_ID = "6b1f0c52-3d0e-4d8a-9a35-0d6f1f5a7c11"
HEADER: Mapping[str, str] = {**EXAMPLE_HEADER, "id": _ID, "avsender": "310000078", "mottaker": "310000000"}
"""A UUID for id, which some formats demand; from whom and to whom stands on whatever the hub sends."""

OUTCOMES = ("accepted", "accepted-not-written", "rejected", "unknown-format", "unreadable", "broken")
"""accepted: read, written again and valid. rejected: a known format with faults, or no sound XML or JSON.
unreadable: no plain file. accepted-not-written and broken are faults of ours."""

_OURS = frozenset({"accepted-not-written", "broken", "unreadable"})


@dataclass(frozen=True)
class Written:
    """A record in one format: `code` is empty when it was written and reads back as the same record."""

    adapter: str
    code: str = ""
    findings: tuple[Finding, ...] = ()
    judged: Judged | None = None

    @property
    def valid(self) -> bool:
        return not self.code and (self.judged is None or not self.judged.findings)


@dataclass(frozen=True)
class Way:
    """What becomes of the record under one agreement. With a `code` it goes no further; else it was
    written in every format of the type it becomes."""

    agreement: str
    code: str = ""
    findings: tuple[Finding, ...] = ()
    written: tuple[Written, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What the hub does with one file. `judged` is what the XSDs say of the file itself."""

    file: str
    outcome: str
    adapter: str = ""
    code: str = ""
    findings: tuple[Finding, ...] = ()
    why_no_way: str = ""
    ways: tuple[Way, ...] = ()
    again: Written | None = None
    judged: Judged | None = None

    @property
    def sound(self) -> bool:
        """It was answered, and if it was accepted, everything written from it is valid."""
        if self.outcome in _OURS:
            return False
        return all(written.valid or _cannot(written) for way in self.ways for written in way.written)

    @property
    def unsaid(self) -> tuple[tuple[str, str], ...]:
        """The formats of a recipient that cannot say what the file becomes, each with the rules by which: one
        pair for each agreement and format. The hub would hand nothing over there."""
        return tuple(
            (
                written.adapter,
                ", ".join(sorted({finding.rule for finding in written.findings}) or [written.code]),
            )
            for way in self.ways
            for written in way.written
            if _cannot(written)
        )


@dataclass(frozen=True)
class Hub:
    """What a file meets: formats, types and agreements, and perhaps official XSDs."""

    registry: Registry
    types: Mapping[str, TypeSpec]
    agreements: Sequence[Agreement]
    desk: frozenset[str] = frozenset()
    """Types that end at the consent desk instead of going through an agreement."""
    schemas: SchemaSet | None = None
    _families: dict[str, Registry] = field(default_factory=dict, repr=False)

    def family(self, family: str) -> Registry:
        """All adapters that read `xml`, `json`, `package` or `other`, as if by the family's media type."""
        if family not in self._families:
            media = _media(family)
            fitting = [a for a in self.registry.adapters if family in {_family(m) for m in a.media_types}]
            self._families[family] = Registry(replace(a, media_types=(media,)) for a in fitting)
        return self._families[family]


def answers(folder: Path, hub: Hub) -> Iterator[Answer]:
    """One answer for every entry of a folder and below that is not a folder, in the order of names."""
    for path, name in _entries(folder):
        yield answer(path, name, hub)


def answer(path: Path, name: str, hub: Hub) -> Answer:
    """The answer for one file. Raises nothing."""
    body = asked(_read, path)
    if isinstance(body, HubError):
        outcome = "rejected" if body.code == "receive.too-large" else "unreadable"
        return Answer(name, outcome, code=body.code, findings=body.findings)
    family = _guess(body)
    judged = hub.schemas.judge(body) if hub.schemas and family == "xml" else None
    adapter = asked(recognised, hub, body)
    if isinstance(adapter, HubError):
        return replace(_refused(name, adapter), judged=judged)
    record = asked(_parse, hub, adapter, body)
    if isinstance(record, HubError):
        return replace(_refused(name, record), adapter=adapter.name, judged=judged)
    return _accepted(name, hub, adapter, record, judged)


def read_file(hub: Hub, path: Path) -> Record:
    """The record of one file of any known format. Raises receive.too-large and parse.*."""
    body = _read(path.resolve())
    return _parse(hub, recognised(hub, body), body)


def recognised(hub: Hub, body: bytes) -> Adapter:
    """The adapter that reads these bytes, whatever media type they would come with. Raises parse.*."""
    family = _guess(body)
    media = _media(family)
    try:
        adapter = hub.family(family).recognise(media, body)
    except HubError as refused:
        if family == "other" or _is_json_list(family, body):
            expected = "XML or a JSON object of a known format"
            raise HubError("parse.format-unknown", [Finding("body", "format", expected)]) from None
        in_other_letters = any(finding.rule == "encoding" for finding in refused.findings)
        if in_other_letters and (readable := _in_utf_8(family, body)) is not None:
            hub.family(family).recognise(media, readable)  # if nobody reads it, its letters do not matter
        raise refused
    return hub.registry.by_name(adapter.name)


def _in_utf_8(family: str, body: bytes) -> bytes | None:
    """The same document with the letters that every adapter wants, if it is one in other letters."""
    if family == "json":
        return body.removeprefix(BOM_UTF8) if body.startswith(BOM_UTF8) else None
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        return None
    known = (root.getroottree().docinfo.encoding or "UTF-8").upper() in ("UTF-8", "US-ASCII", "ASCII")
    return None if known else etree.tostring(root, encoding="utf-8")


# ------------------------------------------------------------------------------------------ files


def _entries(folder: Path) -> Iterator[tuple[Path, str]]:
    """Everything that is no folder. Links are told and never followed: they can lead out, or in circles."""
    for here, folders, names in os.walk(folder):
        folders.sort()
        links = [name for name in folders if Path(here, name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(here, name)
            yield path, str(path.relative_to(folder)).encode("utf-8", "replace").decode()


def _read(path: Path) -> bytes:
    """The bytes of a plain file. A pipe or a device is never opened."""
    try:
        told = path.lstat()
        if not stat.S_ISREG(told.st_mode):
            raise HubError("parse.malformed", [Finding("file", "plain-file", "a plain file, no link")])
        if told.st_size > MAX_BYTES:
            raise HubError("receive.too-large", [Finding("file", "size", f"at most {MAX_BYTES} bytes")])
        with path.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
    except OSError:
        raise HubError("parse.malformed", [Finding("file", "readable", "a file that can be read")]) from None
    if len(body) > MAX_BYTES:  # it grew meanwhile
        raise HubError("receive.too-large", [Finding("file", "size", f"at most {MAX_BYTES} bytes")])
    return body


def _guess(body: bytes) -> str:
    """`xml`, `json` or `other`, by the first letter in any encoding of Unicode; `package` by a zip's."""
    if body.startswith(b"PK\x03\x04"):
        return "package"
    start = body[:64].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n")
    return {b"<": "xml", b"{": "json", b"[": "json"}.get(start[:1], "other")


def _media(family: str) -> str:
    """The media type that a family's readers get: packages are opened by theirs."""
    return PACKAGE if family == "package" else f"application/{family}"


def _family(media_type: str) -> str:
    if media_type == PACKAGE:
        return "package"
    return next((family for family in ("xml", "json") if media_type.endswith(family)), "other")


def _is_json_list(family: str, body: bytes) -> bool:
    """A sound list is not malformed: it is a format that nobody reads."""
    if family != "json" or not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        return False
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


# ---------------------------------------------------------------------------------------- answers


def _refused(name: str, refused: HubError) -> Answer:
    outcome = {"parse.format-unknown": "unknown-format", "hub.internal": "broken"}
    return Answer(name, outcome.get(refused.code, "rejected"), code=refused.code, findings=refused.findings)


def _parse(hub: Hub, adapter: Adapter, body: bytes) -> Record:
    spec = hub.types[adapter.type]
    try:
        record = spec.in_microseconds(adapter.parse(body))
    except HubError as refused:
        raise told_whole(adapter, spec, body, refused) from None
    texts = (leaf.value for leaf in spec.leaves(record) if _is_text(spec, leaf.field))
    if sum(len(value) for value in texts if isinstance(value, str)) > MOST_TEXT:
        raise HubError("receive.too-large", [Finding("body", "text", f"at most {MOST_TEXT} characters")])
    if findings := spec.check(record.fields):
        raise HubError("parse.invalid", in_place(adapter, body, findings))
    return record


def _is_text(spec: TypeSpec, path: str) -> bool:
    return path not in spec.by_path or spec.by_path[path].kind in TEXTS


def _accepted(name: str, hub: Hub, adapter: Adapter, record: Record, judged: Judged | None) -> Answer:
    again = written(hub, adapter, record)
    fitting = [agreement for agreement in hub.agreements if agreement.source.type == record.type]
    why = ""
    if record.type in hub.desk:
        why = "it is recorded at the consent desk, and goes to nobody as it is"
    elif not fitting:
        why = f"no agreement carries {record.type}"
    return Answer(
        name,
        "accepted" if again.valid else "accepted-not-written",
        adapter.name,
        why_no_way=why,
        ways=tuple(_way(hub, agreement, record) for agreement in fitting),
        again=again,
        judged=judged,
    )


def _way(hub: Hub, agreement: Agreement, record: Record) -> Way:
    made = asked(translate_record, record, agreement, hub.types, HEADER)
    if isinstance(made, HubError):
        return Way(agreement.id, made.code, made.findings)
    made = addressed(made, hub.types[made.type])
    target = [adapter for adapter in hub.registry.adapters if adapter.type == made.type]
    return Way(agreement.id, written=tuple(written(hub, adapter, made) for adapter in target))


def addressed(record: Record, spec: TypeSpec) -> Record:
    """With a name for who gets it, and with what a receipt answers as that one wrote it, where the type has a
    place for that and nothing is in it: what the hub itself puts there when it sends (`pipeline.render`)."""
    if "mottaker.enhet" not in spec.by_path:
        return record
    said = {name: value for name, value in _ANSWERED.items() if name in spec.by_path}
    named = {"enhet": "Eksempel", **record.fields.get("mottaker", {})}
    return Record(record.type, {**said, **record.fields, "mottaker": named})


_ANSWERED = {"gjelder_type": "EPIKRISE", "gjelder_sendt": "2030-01-01T10:00:00+01:00"}


def written(hub: Hub, adapter: Adapter, record: Record) -> Written:
    """The record written in one format, read back by its own adapter and judged by the XSDs. What the
    format says that it has no place for need not come back."""
    body = asked(adapter.render, record)
    if isinstance(body, HubError):
        return Written(adapter.name, body.code, body.findings)
    judged = hub.schemas.judge(body) if hub.schemas and _family(adapter.media_type) == "xml" else None
    back = asked(_parse, hub, adapter, body)
    if isinstance(back, HubError):
        return Written(adapter.name, back.code, back.findings, judged)
    said = without(adapter.as_said(record), adapter.loses)
    if back != said:
        places = sorted(_differing(said, back))
        findings = tuple(Finding(at, "read-back", "the same value as before") for at in places)
        return Written(adapter.name, "render.incomplete", findings, judged)
    return Written(adapter.name, judged=judged)


def _differing(one: Record, other: Record) -> set[str]:
    left, right = dict(walk(one.fields)), dict(walk(other.fields))
    return {path for path in left.keys() | right.keys() if left.get(path, _NONE) != right.get(path, _NONE)}


_NONE = object()


def _cannot(written: Written) -> bool:
    """Another format may be unable to say all that the type can; then it says so, and nothing goes. No fault
    of the file, and counted by name (`Answer.unsaid`): whoever gets that format gets nothing."""
    return written.code == "render.incomplete" and not any(f.rule == "read-back" for f in written.findings)


def plain(answer: Answer) -> dict[str, Any]:
    """As JSON."""
    return {
        "file": answer.file,
        "outcome": answer.outcome,
        "adapter": answer.adapter or None,
        "code": answer.code or None,
        "findings": [finding.plain() for finding in answer.findings],
        "schema": _judged(answer.judged),
        "translated": [
            {
                "agreement": way.agreement,
                "code": way.code or None,
                "findings": [finding.plain() for finding in way.findings],
                "written": [_written(one) for one in way.written],
            }
            for way in answer.ways
        ],
        "why_not_translated": answer.why_no_way or None,
        "written_again": _written(answer.again) if answer.again else None,
    }


def _written(one: Written) -> dict[str, Any]:
    return {
        "adapter": one.adapter,
        "valid": one.valid,
        "code": one.code or None,
        "findings": [finding.plain() for finding in one.findings],
        "schema": _judged(one.judged),
    }


def _judged(judged: Judged | None) -> dict[str, Any] | None:
    if judged is None:
        return None
    return {"verdict": judged.word, "findings": [finding.plain() for finding in judged.findings]}
