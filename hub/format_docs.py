"""Understands how BRIK as XML is published: each element, who gets it, and why it is there.

Everything comes from the XSD, the message type, the agreements, the examples and the reasons beside them;
`unreasoned` says where a reason is missing or belongs to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from lxml import etree

import adapters
from adapters.base import MAX_DEPTH, MAX_NODES
from adapters.brik_xml.adapter import ADAPTER, FORMAT, TYPE
from adapters.xsd import Node
from hub.errors import HubError
from mappings.agreements import Agreement, load_agreements
from mappings.strict_yaml import read_yaml
from mappings.types import TypeSpec, load_types

FOLDER = "formats"
"""Below `docs/`."""

_HOME = Path(adapters.__file__).parent / "brik_xml"
_FROM_HERE = "../../adapters/brik_xml"
_ANY_AREA = "*."
_SHORT = "avslag.xml"
_EXAMPLES = {
    _SHORT: "remand, declined: all that may be said then",
    "kartlegging.xml": "a prison: every area that was talked about, AUDIT and DUDIT",
    "samfunnsstraff.xml": "a probation office: five kommuner, no release, nothing about substance use",
}
_FAULTS = {
    b"  <Enhet>Furulund fengsel</Enhet>\n": b"",
    b"<Dato>2026-11-02</Dato>\n  <Sank": b"<Dato>02.11.2026</Dato>\n  <Sank",
    b"avslatt": b"nei",
}


def pages(note: str) -> dict[str, str]:
    """The pages of formats by their name below `docs/`; `note` says in each that it is generated."""
    return {f"{FOLDER}/brik.md": _brik(note)}


def reasons() -> Mapping[str, str]:
    """Why each element of BRIK is there, by its field; `*.behov` speaks for that field of every area."""
    return cast(Mapping[str, str], read_yaml(_HOME / "reasons.yaml"))


def unreasoned(said: Mapping[str, str], fields: Iterator[str]) -> list[str]:
    """The fields that no reason speaks for, and the reasons that speak for no field."""
    spoken = {field: _key(said, field) for field in fields}
    return [
        *(field for field, key in spoken.items() if key not in said),
        *(key for key in said if key not in spoken.values()),
    ]


def _key(said: Mapping[str, str], field: str) -> str:
    area = _ANY_AREA + field.rpartition(".")[2]
    return field if field in said else area


def _brik(note: str) -> str:
    types = load_types()
    spec = types[TYPE]
    to = [agreement for agreement in load_agreements(types) if agreement.source.type == TYPE]
    return "\n".join(
        [
            "# BRIK as XML, version 1",
            "",
            note,
            "",
            f"{spec.description.en} *{spec.description.nb}*",
            "",
            "There is no national format for it, so this one is published for whoever has a system of",
            f"the correctional service. The schema is [`schema.xsd`]({_FROM_HERE}/schema.xsd), and it is",
            "all that a system needs to write valid messages. What stands here besides is who gets an",
            "element, and why it is there at all: what has no reason is not asked for.",
            "",
            "## The document",
            "",
            "| | |",
            "|---|---|",
            f"| Root | `{FORMAT.root.local}` in the namespace `{etree.QName(FORMAT.root.tag).namespace}` |",
            "| Media type | `application/xml` or `text/xml` |",
            "| Encoding | UTF-8 is written; ISO-8859-1 and windows-1252 are read, too |",
            "| Elements | in the order of the schema, each once unless another number stands there |",
            "| Never | attributes, other elements, document type declarations, entities |",
            f"| Limits | {MAX_NODES} elements, {MAX_DEPTH} levels, `BRO_MAX_BODY_BYTES` |",
            f"| Sent by | {', '.join(sorted(spec.senders))} |",
            "| Posted to | `POST /v1/messages`, with a token of the sender's |",
            "",
            "One document is one talk with one person. A later one of the same sender replaces the earlier",
            "as a whole: an area that is not in it counts as not mapped.",
            "",
            *_elements(spec, to),
            *_rules(spec),
            *_examples(),
            *_refused(),
            "## New versions",
            "",
            "What old senders may go on leaving out is added to this version: optional elements, codes.",
            "Anything else gets a new namespace, `urn:brobygger:brik:2`, and is read beside this one. An",
            "element never changes its meaning.",
            "",
        ]
    )


def _elements(spec: TypeSpec, to: list[Agreement]) -> Iterator[str]:
    yield from (
        "## Elements",
        "",
        "*Goes to* names the [agreements](../reference/README.md) that carry the element at all. Whether it",
        "goes in a given case is decided by the person's consents and the rows of the law, for each element",
        "by its labels. `none`: no agreement carries it to anybody.",
        "",
    )
    said = reasons()
    for group, rows in _groups(FORMAT.root):
        yield from (
            f"### {group}",
            "",
            "| element | value | labels | goes to | what, and why |",
            "|---|---|---|---|---|",
        )
        for path, field, node, needed in rows:
            about = spec.by_path[field]
            goes = ", ".join(_link(agreement) for agreement in to if field in agreement.carries) or "none"
            value = f"{node.expected}; {'required' if needed else 'optional'}"
            if node.most > 1:
                value += f", {node.least} of them"
            what = f"{about.says.en}. {said[_key(said, field)]}<br>*{about.says.nb}*"
            yield f"| `{path}` | {value} | {', '.join(sorted(about.labels))} | {goes} | {what} |"
        yield ""


def _groups(root: Node) -> Iterator[tuple[str, list[tuple[str, str, Node, bool]]]]:
    """The elements with values, under that of the root which holds them; first those that stand alone."""
    alone = [(n.local, n.name, n, n.least > 0) for n in root.children.values() if not n.children]
    yield root.local, alone
    for node in root.children.values():
        if node.children:
            yield node.local, list(_below(node, node.local, node.name, node.least > 0))


def _below(group: Node, path: str, field: str, needed: bool) -> Iterator[tuple[str, str, Node, bool]]:
    """An element must be there if it must in its group, which is said of the group where that is optional."""
    for node in group.children.values():
        here, name = f"{path}/{node.local}", f"{field}.{node.name}"
        if node.children:
            yield from _below(node, here, name, needed and node.least > 0)
        else:
            yield here, name, node, node.least > 0


def _link(agreement: Agreement) -> str:
    return f"[`{agreement.target.sector.value}`](../reference/agreement-{agreement.id}.md)"


def _rules(spec: TypeSpec) -> Iterator[str]:
    yield from ("## Between the elements", "", "| rule | says |", "|---|---|")
    for check in spec.checks:
        yield f"| `{check.rule}` | {check.says.en}<br>*{check.says.nb}* |"
    yield ""


def _examples() -> Iterator[str]:
    yield from ("## Examples", "", "| file | what it shows |", "|---|---|")
    for name, shows in _EXAMPLES.items():
        yield f"| [`{name}`]({_FROM_HERE}/examples/{name}) | {shows} |"
    yield from ("", "The shortest one:", "", "```xml")
    yield (_HOME / "examples" / _SHORT).read_text(encoding="utf-8").rstrip()
    yield from ("```", "")


def _refused() -> Iterator[str]:
    """What the adapter says of the shortest example with faults put in; asked of it, not written down."""
    spoiled = (_HOME / "examples" / _SHORT).read_bytes()
    for right, wrong in _FAULTS.items():
        spoiled = spoiled.replace(right, wrong)
    try:
        ADAPTER.parse(spoiled)
    except HubError as refused:
        code, findings = refused.code, refused.findings
    yield from (
        "## A refusal",
        "",
        "All faults of a document are said at once, with line and column, and never a value of it. This is",
        "the shortest example without its `Enhet`, with a date turned round and an answer that is none",
        f"(`{code}`, [codes](../errors.md)):",
        "",
        "| at | line | column | rule | expected |",
        "|---|---|---|---|---|",
        *(f"| `{f.at}` | {f.line} | {f.column} | `{f.rule}` | {f.expected} |" for f in findings),
        "",
    )
