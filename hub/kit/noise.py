"""Understands how to spoil a document: the letters of it, or its structure where it is XML or JSON.

Every input follows from the seed and its number alone, so that one can be made again by itself. Also the
documents that strangers send on purpose: entities, depth, width, numbers without end.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

from lxml import etree

MARKER = "KANARI7c1f"
"""Put in where a value could be; no refusal may say it."""

MAX_BYTES = 64 * 1024
"""Inputs of noise stay small, so that what takes long is the adapter's fault and not the size's."""

VALUES: Sequence[Any] = (
    *("", " ", MARKER, f" {MARKER} ", f"{MARKER}\n{MARKER}", "0", "-1", "9" * 30, "1e9", "2026-02-30"),
    *("0000-00-00", "2026-11-20T10:00:00", "true", "null", "NaN", "\u00a0", "\u202e" + MARKER, "\u0000"),
    *("&#0;", "<b>", "]]>", "ÆØÅ", "\ud83d", "urn:oid:", "urn:uuid:" + MARKER, "../" * 9, "x" * 5000),
    *(None, True, False, 0, -1, 2**63, 10**30, 0.1, [], {}, [[]], [None], {MARKER: MARKER}),
)
"""What stands in for a value, and then for a text where only texts can stand."""


@dataclass(frozen=True)
class Seed:
    """One example as the mutations start from it. `kind` is xml, json or bytes."""

    body: bytes
    kind: str
    tree: etree._Element | None = field(default=None, repr=False)


def seeds(bodies: Sequence[bytes]) -> tuple[Seed, ...]:
    return tuple(_seed(body) for body in bodies)


def _seed(body: bytes) -> Seed:
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        return Seed(body, "xml", etree.fromstring(body, parser))
    return Seed(body, "json" if start == b"{" else "bytes")


def spoiled(seed: str, number: int, among: Sequence[Seed]) -> bytes:
    """Input `number` of a run: one example with one to four things wrong, at most MAX_BYTES."""
    random = Random(f"{seed}:{number}")
    one = among[random.randrange(len(among))]
    times = random.choice((1, 1, 1, 2, 2, 4))
    if one.tree is not None and random.random() < 0.6:
        body = _spoil_xml(random, one.tree, times)
    elif one.kind == "json" and random.random() < 0.7:
        body = _spoil_json(random, one.body, times)
    else:
        body = one.body
        for _ in range(times):
            body = random.choice(_BYTES)(random, body, among)
    return body[:MAX_BYTES]


# ------------------------------------------------------------------------------------------ bytes


def _place(random: Random, body: bytes) -> tuple[int, int]:
    start = random.randrange(len(body) + 1)
    return start, min(len(body), start + random.choice((1, 1, 2, 8, 64, 512)))


def _flip(random: Random, body: bytes, _: Sequence[Seed]) -> bytes:
    start, end = _place(random, body)
    return body[:start] + random.randbytes(end - start) + body[end:]


def _cut(random: Random, body: bytes, _: Sequence[Seed]) -> bytes:
    start, end = _place(random, body)
    return body[:start] + body[end:]


def _end(random: Random, body: bytes, _: Sequence[Seed]) -> bytes:
    return body[: random.randrange(len(body) + 1)]


def _twice(random: Random, body: bytes, _: Sequence[Seed]) -> bytes:
    start, end = _place(random, body)
    return body[:end] + body[start:end] * random.choice((1, 1, 3, 50)) + body[end:]


def _insert(random: Random, body: bytes, _among: Sequence[Seed]) -> bytes:
    start, _ = _place(random, body)
    return body[:start] + random.choice(_PIECES) + body[start:]


def _letter(random: Random, body: bytes, _: Sequence[Seed]) -> bytes:
    """A digit becomes another, a letter another: what still looks right."""
    start, end = _place(random, body)
    old, new = random.choice((b"0123456789", b"abcdefghij")), random.choice((b"9876543210", b"ABCDEFGHIJ"))
    return body[:start] + body[start:end].translate(bytes.maketrans(old, new)) + body[end:]


def _splice(random: Random, body: bytes, among: Sequence[Seed]) -> bytes:
    other = random.choice(among).body
    return body[: random.randrange(len(body) + 1)] + other[random.randrange(len(other) + 1) :]


_BYTES: Sequence[Callable[[Random, bytes, Sequence[Seed]], bytes]] = (
    *(_flip, _cut, _end, _twice, _insert, _letter, _splice),
)
_PIECES = (
    *(b"<", b">", b"&", b'"', b"{", b"}", b"[", b"]", b",", b":", b"-", b"\\", b"\x00", b"\xff", b"\xc3\x28"),
    *(b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<!--", b"<![CDATA[", b"<?pi ?>", b"&b;", b"\xef\xbb\xbf"),
    *(b" xmlns:x='urn:x'", b"<x:y/>", b"1e999", b"\\ud800", MARKER.encode(), b'"a":1,"a":2'),
    *(b"\xed\xa0\x80", b"\\u0000"),
)  # one row per entry # fmt: skip


# -------------------------------------------------------------------------------------------- xml


def _spoil_xml(random: Random, tree: etree._Element, times: int) -> bytes:
    root = copy.deepcopy(tree)
    for _ in range(times):
        everything = list(root.iter(etree.Element))
        _spoil_element(random, everything[random.randrange(len(everything))], everything)
    return etree.tostring(root, xml_declaration=random.random() < 0.5, encoding="utf-8")


def _spoil_element(random: Random, element: etree._Element, everything: list[etree._Element]) -> None:
    parent = element.getparent()
    match random.randrange(12):
        case 0 if parent is not None:
            parent.remove(element)
        case 1 if parent is not None:
            parent.insert(random.randrange(len(parent) + 1), copy.deepcopy(element))
        case 2 if parent is not None:
            for _ in range(random.choice((2, 60))):
                parent.append(copy.deepcopy(element))
        case 3 if parent is not None and len(parent) > 1:
            parent.insert(random.randrange(len(parent)), element)
        case 4:
            element.tag = random.choice((MARKER, f"{{urn:x}}{MARKER}", everything[0].tag))
        case 5 | 6:
            element.text = _xml_text(random)
        case 7:
            element.set(
                random.choice(("a", "V", "S", "id", "value", f"{{urn:x}}{MARKER}")), _xml_text(random)
            )
        case 8 if element.attrib:
            name = random.choice(sorted(element.attrib))
            if random.random() < 0.5:
                del element.attrib[name]
            else:
                element.set(name, _xml_text(random))
        case 9:
            element.append(copy.deepcopy(random.choice(everything[-20:])))
        case 10:
            _say_as_another(random, element, everything)
        case _:
            inside = element
            for _ in range(random.choice((1, 3, 45))):
                inside = etree.SubElement(inside, random.choice((MARKER, str(element.tag))))
            inside.tail = MARKER


def _say_as_another(random: Random, element: etree._Element, everything: list[etree._Element]) -> None:
    """What another one of its name says, in the attribute or the text: a reference then leads elsewhere, or
    back to where it stands."""
    if element.attrib:
        name = random.choice(sorted(element.attrib))
        element.set(name, random.choice([one.get(name, "") for one in everything if name in one.attrib]))
    else:
        element.text = random.choice([one.text for one in everything if one.tag == element.tag])


def _xml_text(random: Random) -> str:
    text = random.choice(VALUES)
    said = text if isinstance(text, str) else json.dumps(text)
    return "".join(c for c in said if c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c < "\ufffe")


# ------------------------------------------------------------------------------------------- json


def _spoil_json(random: Random, body: bytes, times: int) -> bytes:
    document: Any = json.loads(body)
    for _ in range(times):
        holders: list[Any] = []
        _holders(document, holders)
        if holders:
            _spoil_holder(random, holders[random.randrange(len(holders))], holders)
    return json.dumps(document, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def _holders(node: Any, found: list[Any]) -> None:
    if isinstance(node, dict | list):
        if node:
            found.append(node)
        for child in node.values() if isinstance(node, dict) else node:
            _holders(child, found)


def _spoil_holder(random: Random, holder: Any, holders: list[Any]) -> None:
    key = random.choice(list(holder)) if isinstance(holder, dict) else random.randrange(len(holder))
    match random.randrange(9):
        case 0:
            del holder[key]
        case 1 | 2 | 3:
            holder[key] = copy.deepcopy(random.choice(VALUES))
        case 4 if isinstance(holder, list):
            holder.extend(copy.deepcopy([holder[key]] * random.choice((1, 60))))
        case 4:
            holder[random.choice((MARKER, "type", "id", "extension", "_" + str(key)))] = holder.pop(key)
        case 5:
            holder[key] = copy.deepcopy(random.choice(holders[-20:]))
        case 8 if isinstance(holder, dict):  # a reference then leads elsewhere, or back to where it stands
            holder[key] = copy.deepcopy(
                random.choice([one[key] for one in holders if isinstance(one, dict) and key in one])
            )
        case 6:
            holder[key] = [holder[key]] if random.random() < 0.5 else {str(key): holder[key]}
        case _:
            inside: Any = holder[key]
            for _ in range(random.choice((1, 3, 45))):
                inside = {MARKER: inside} if random.random() < 0.5 else [inside]
            holder[key] = inside


# --------------------------------------------------------------------------------------- on purpose


def hostile() -> Mapping[str, bytes]:
    """By what it is. None of these unfolds, leads anywhere or takes long in a reader that takes care."""
    return {
        "nothing": b"",
        "binary noise": bytes(range(256)) * 16,
        "an external entity": b'<!DOCTYPE k [<!ENTITY x SYSTEM "file:///etc/hostname">]><k>&x;</k>',
        "a parameter entity": b'<!DOCTYPE k [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]><k/>',
        "an external DTD": b'<!DOCTYPE k SYSTEM "http://127.0.0.1:9/x.dtd"><k/>',
        "a billion laughs": _laughs(),
        "quadratic blow-up": b'<!DOCTYPE k [<!ENTITY a "%b">]><k>%b</k>' % (b"a" * 50_000, b"&a;" * 1000),
        "deep XML": b"<a>" * 5000 + b"</a>" * 5000,
        "wide XML": b"<a>" + b"<b/>" * 60_000 + b"</a>",
        "many attributes": b"<a " + b" ".join(b'b%d=""' % n for n in range(20_000)) + b"/>",
        "many namespaces": b"<a " + b" ".join(b'xmlns:b%d="urn:%d"' % (n, n) for n in range(5000)) + b"/>",
        "XInclude": b'<a xmlns:x="http://www.w3.org/2001/XInclude"><x:include href="file:///etc/hostname"/></a>',
        "deep JSON": b'{"a":' * 5000 + b"1" + b"}" * 5000,
        "very deep JSON": b"[" * 200_000,
        "wide JSON": b'{"a":[' + b"1," * 60_000 + b"1]}",
        "a number without end": b'{"a":' + b"9" * 100_000 + b"}",
        "a huge exponent": b'{"a":1e999999998}',
        "NaN": b'{"a":NaN}',
        "a repeated key": b'{"type":"a","type":"b"}',
        "a lone surrogate": b'{"a":"\\ud800"}',
        "a null character": b'{"a":"\\u0000"}',
        "UTF-16": "<a/>".encode("utf-16"),
        "UTF-7": b'<?xml version="1.0" encoding="UTF-7"?>+ADw-a/+AD4-',
        "a zip that unfolds": b"PK\x03\x04" + b"\x00" * 26 + b"\xff" * 64,
    }  # one row per entry # fmt: skip


def _laughs() -> bytes:
    names = "abcdefghij"
    entities = "".join(f'<!ENTITY {this} "{f"&{before};" * 10}">' for before, this in pairwise(names))
    return f'<!DOCTYPE k [<!ENTITY a "ha">{entities}]><k>&j;</k>'.encode()


def around(body: bytes) -> Mapping[str, bytes]:
    """The same dangers inside a document that an adapter recognises."""
    one = _seed(body)
    if one.tree is not None:
        tag = body.find(b">", body.find(b"<" + _name(one.tree))) + 1
        head = body.find(b"?>") + 2 if body.lstrip().startswith(b"<?xml") else 0
        doctype = b'<!DOCTYPE k [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        return {
            "an entity in the example": body[:head] + doctype + body[head:tag] + b"&x;" + body[tag:],
            "depth in the example": body[:tag] + b"<a>" * 5000 + b"</a>" * 5000 + body[tag:],
            "width in the example": body[:tag] + b"<a/>" * 60_000 + body[tag:],
        }
    if one.kind != "json":
        return {}
    start = body.index(b"{") + 1
    return {
        "depth in the example": body[:start] + b'"a":' + b"[" * 5000 + b"]" * 5000 + b"," + body[start:],
        "width in the example": body[:start] + b'"a":[' + b"1," * 60_000 + b"1]," + body[start:],
        "a number without end in the example": body[:start] + b'"a":' + b"9" * 100_000 + b"," + body[start:],
    }


def enlarged(body: bytes, size: int) -> Mapping[str, bytes]:
    """A document with one value of `size` bytes, and one with elements to `size` bytes, by what it is."""
    one = _seed(body)
    if one.tree is not None:
        tag = body.find(b">", body.find(b"<" + _name(one.tree))) + 1
        return {
            "one value": body[:tag] + b"<a>" + b"x" * size + b"</a>" + body[tag:],
            "many elements": body[:tag] + b"<a>x</a>" * (size // 8) + body[tag:],
        }
    if one.kind != "json":
        return {"bytes": body + b"x" * size}
    start = body.index(b"{") + 1
    return {
        "one value": body[:start] + b'"a":"' + b"x" * size + b'",' + body[start:],
        "many elements": body[:start] + b'"a":[' + b'"x",' * (size // 4) + b'"x"],' + body[start:],
    }


def _name(root: etree._Element) -> bytes:
    name = etree.QName(root.tag).localname
    return (f"{root.prefix}:{name}" if root.prefix else name).encode()
