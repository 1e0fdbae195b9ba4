"""Understands the directory file: which agencies the hub knows, and the door of each.

The file is YAML with one list, `agencies`; every fault in it is reported at once, by path and never
by value. It knows neither formats nor agreements: whether an agency's adapter exists is checked
where the adapters are known.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import yaml

from hub.errors import Finding, HubError
from hub.message import Agency, Category, Sector
from hub.settings import Unfit, https_url
from mappings.identifiers import is_kommune, is_orgnr

_OPAQUE = re.compile(r"[a-z0-9]{12,64}")
_HER = re.compile(r"[1-9][0-9]{0,8}")
_DOORS = ("inbox", "webhook", "amqp")
_READINGS = ("strict", "lenient")
_KEYS = {
    *("org", "name", "sector", "kommuner", "serves", "formats", "door", "reveals", "services"),
    *("reading", "her"),
    *("webhook", "amqp"),
}
_SECRET_BYTES = 24
_SERVICES = {"R": Category.SUBSTANCE_USE}
"""Service types of the address register (code system 8666) that tell of the person who has them."""

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


@dataclass(frozen=True)
class WebhookDoor:
    """Where an agency wants its messages pushed, and the key that signs them (shared with it)."""

    url: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Party:
    """One agency and its doors. `amqp` is the opaque id in the names of its exchange and queues."""

    agency: Agency
    webhook: WebhookDoor | None = None
    amqp: str | None = None


Directory = Mapping[str, Party]
"""Organisation number -> party."""


def read_secret(text: str) -> bytes:
    """A webhook secret, `whsec_` and base64 of at least 24 bytes; Unfit otherwise."""
    expected = f"whsec_ and base64 of at least {_SECRET_BYTES} bytes"
    prefix, _, encoded = text.strip().partition("_")
    try:
        secret = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Unfit(expected) from None
    if prefix != "whsec" or len(secret) < _SECRET_BYTES:
        raise Unfit(expected)
    return secret


def load_directory(path: Path) -> Directory:
    """All parties of the file, or `settings.invalid` with every finding."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except (OSError, UnicodeDecodeError):
        expected = "a readable YAML file of agencies, as the README shows"
        raise HubError("settings.invalid", [Finding("BRO_DIRECTORY", "file", expected)]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        fault = Finding("directory", "yaml", "YAML where each key stands once", line, column)
        raise HubError("settings.invalid", [fault]) from None
    except yaml.YAMLError:
        raise HubError("settings.invalid", [Finding("directory", "yaml", "well formed YAML")]) from None
    reader = _Reader(path.parent)
    parties = reader.parties(document)
    if reader.findings:
        raise HubError("settings.invalid", reader.findings)
    return {party.agency.org: party for party in parties}


class _StrictLoader(yaml.SafeLoader):
    """YAML without duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, "key", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Reader:
    """Turns the document into parties, noting every fault with its path."""

    def __init__(self, folder: Path) -> None:
        self.findings: list[Finding] = []
        self._folder = folder

    def _fault(self, at: str, rule: str, expected: str) -> None:
        self.findings.append(Finding(at=at, rule=rule, expected=expected))

    def parties(self, document: Any) -> list[Party]:
        entries = document.get("agencies") if isinstance(document, dict) else None
        if not isinstance(entries, list) or not entries or set(document) != {"agencies"}:
            self._fault("directory", "shape", "one list `agencies` with at least one agency")
            return []
        read = [self._party(entry, f"agencies[{index}]") for index, entry in enumerate(entries)]
        for where, values in (
            ("org", [party.agency.org if party else None for party in read]),
            ("name", [party.agency.name if party else None for party in read]),
            ("amqp", [party.amqp if party else None for party in read]),
        ):
            for index, value in enumerate(values):
                if value and value in values[:index]:
                    self._fault(f"agencies[{index}].{where}", "unique", "a value no other agency has")
        taken: set[str] = set()
        for index, party in enumerate(read):
            numbers = party.agency.her if party else ()
            if taken & set(numbers) or len(set(numbers)) != len(numbers):
                self._fault(f"agencies[{index}].her", "unique", "numbers that stand once in the directory")
            taken |= set(numbers)
        return [party for party in read if party]

    def _party(self, entry: Any, at: str) -> Party | None:
        if not isinstance(entry, dict):
            self._fault(at, "shape", "keys and values")
            return None
        for position, _ in enumerate(key for key in entry if key not in _KEYS):
            self._fault(
                f"{at}.(unknown {position + 1})", "unknown-key", "one of: " + ", ".join(sorted(_KEYS))
            )
        org, name = self._text(entry, at, "org"), self._text(entry, at, "name")
        if org and not is_orgnr(org):
            self._fault(
                f"{at}.org", "check-digit", "an organisation number, nine digits with a valid check digit"
            )
        sectors = self._codes([entry["sector"]] if "sector" in entry else [], f"{at}.sector", Sector)
        if Sector.OUTSIDE in sectors:
            self._fault(f"{at}.sector", "outside", "a sector whose agencies may be parties of a hub")
        if "sector" not in entry:
            self._fault(f"{at}.sector", "required", "a sector")
        door = entry.get("door", "inbox")
        if door not in _DOORS:
            self._fault(f"{at}.door", "code", "one of: " + ", ".join(_DOORS))
        webhook, amqp = self._webhook(entry, at), self._amqp(entry, at)
        for kind, given in (("webhook", webhook), ("amqp", amqp)):
            if door == kind and given is None and kind not in entry:
                self._fault(f"{at}.{kind}", "required", f"to be given, since the door is {kind}")
        agency = Agency(
            org=org,
            name=name,
            sector=sectors[0] if sectors else Sector.PERSON,
            kommuner=self._numbers(entry, at, "kommuner", 4, is_kommune),
            serves=self._numbers(entry, at, "serves", 9, is_orgnr),
            formats=self._formats(entry, at),
            door=door if isinstance(door, str) else "",
            reveals=frozenset(self._codes(entry.get("reveals", []), f"{at}.reveals", Category))
            | self._services(entry, at),
            reading=self._word(entry, at, "reading", _READINGS),
            her=self._her(entry, at),
        )
        return Party(agency, webhook, amqp)

    def _text(self, entry: Mapping[str, Any], at: str, key: str) -> str:
        value = entry.get(key)
        if not isinstance(value, str) or not value.strip() or len(value) > 120:
            self._fault(f"{at}.{key}", "text", "quoted text of 1 to 120 characters")
            return ""
        return value

    def _word(self, entry: Mapping[str, Any], at: str, key: str, words: tuple[str, ...]) -> str:
        """One of the words, or the first where nothing is said."""
        value = entry.get(key, words[0])
        if value not in words:
            self._fault(f"{at}.{key}", "code", "one of: " + ", ".join(words))
            return words[0]
        return str(value)

    def _codes(self, values: Any, at: str, codes: type[E]) -> list[E]:
        known = {str(code): code for code in codes}
        if not isinstance(values, list) or any(not isinstance(v, str) or v not in known for v in values):
            self._fault(at, "code", "one of: " + ", ".join(known))
            return []
        return [known[value] for value in values]

    def _services(self, entry: Mapping[str, Any], at: str) -> frozenset[Category]:
        """What the register's service types of the agency tell."""
        given = entry.get("services", [])
        if not isinstance(given, list) or any(
            not isinstance(code, str) or not re.fullmatch(r"[A-Z]{1,3}[0-9]{0,3}", code) for code in given
        ):
            self._fault(f"{at}.services", "code", "a list of quoted service types of code system 8666")
            return frozenset()
        return frozenset(_SERVICES[code] for code in given if code in _SERVICES)

    def _numbers(
        self, entry: Mapping[str, Any], at: str, key: str, digits: int, fits: Callable[[str], bool]
    ) -> tuple[str, ...]:
        values = entry.get(key, [])
        if not isinstance(values, list):
            self._fault(f"{at}.{key}", "list", f"a list of quoted numbers of {digits} digits")
            return ()
        for index, value in enumerate(values):
            if not isinstance(value, str) or len(value) != digits or not value.isascii() or not fits(value):
                self._fault(f"{at}.{key}[{index}]", "number", f"a valid quoted number of {digits} digits")
        return tuple(str(value) for value in values)

    def _her(self, entry: Mapping[str, Any], at: str) -> tuple[str, ...]:
        values = entry.get("her", [])
        if not isinstance(values, list) or not all(
            isinstance(value, str) and _HER.fullmatch(value) for value in values
        ):
            self._fault(f"{at}.her", "number", "a list of quoted HER-ids: digits, without a zero in front")
            return ()
        return tuple(values)

    def _formats(self, entry: Mapping[str, Any], at: str) -> Mapping[str, str]:
        value = entry.get("formats", {})
        if not isinstance(value, dict) or not all(
            isinstance(word, str) for pair in value.items() for word in pair
        ):
            self._fault(f"{at}.formats", "shape", "message type: adapter name")
            return {}
        return dict(value)

    def _amqp(self, entry: Mapping[str, Any], at: str) -> str | None:
        value = entry.get("amqp")
        if "amqp" in entry and (not isinstance(value, str) or not _OPAQUE.fullmatch(value)):
            self._fault(f"{at}.amqp", "opaque", "12 to 64 of a-z and 0-9 that tell nothing of the agency")
            return None
        return value

    def _webhook(self, entry: Mapping[str, Any], at: str) -> WebhookDoor | None:
        if "webhook" not in entry:
            return None
        value = entry["webhook"]
        if not isinstance(value, dict) or set(value) != {"url", "secret_file"}:
            self._fault(f"{at}.webhook", "shape", "url and secret_file")
            return None
        url = self._fit(f"{at}.webhook.url", https_url, str(value["url"]))
        secret = self._fit(f"{at}.webhook.secret_file", self._secret, str(value["secret_file"]))
        return WebhookDoor(url, secret) if url and secret else None

    def _fit(self, at: str, read: Callable[[str], T], text: str) -> T | None:
        try:
            return read(text)
        except Unfit as unfit:
            self._fault(at, "unfit", str(unfit))
            return None

    def _secret(self, name: str) -> bytes:
        try:
            return read_secret((self._folder / name).read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError):
            raise Unfit("a readable file, relative to the directory file") from None
