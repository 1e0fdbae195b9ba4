"""Understands BRIK as XML: the correctional service's mapping of needs and resources.

Wire:   UTF-8 XML, root {urn:brobygger:brik:1}Kartlegging, one mapping of one person per document.
Units:  dates YYYY-MM-DD, minutes, screening points 0 to 4; element order as in schema.xsd.
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

TYPE = "brik.kartlegging"
ROOT = "{urn:brobygger:brik:1}Kartlegging"
FORMAT = XsdFormat(Path(__file__).with_name("schema.xsd"))


def recognise(sniff: Sniff) -> bool:
    return sniff.root == ROOT


def parse(body: bytes) -> Record:
    """Read one mapping, or raise with every fault by line and column."""
    root = read_xml(body)
    if root.tag != ROOT:
        raise HubError("parse.invalid", [Finding("/", "root", ROOT)])
    return Record(TYPE, FORMAT.read(root, body))


def render(record: Record) -> bytes:
    """Write one mapping, valid against schema.xsd."""
    if record.type != TYPE:
        raise HubError("render.incomplete")
    return FORMAT.write(record.fields)


def partly(body: bytes) -> Record:
    """What can be read of a mapping that `parse` refuses."""
    return Record(TYPE, FORMAT.partly(body))


ADAPTER = Adapter(
    "brik-xml",
    TYPE,
    ("application/xml", "text/xml"),
    recognise,
    parse,
    render,
    locate=FORMAT.locate,
    partly=partly,
)
