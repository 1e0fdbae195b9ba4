"""Understands what the files of Fiks Digisos share: leaves, references, and how the hub's own words travel.

None of these files says its own id, and two of them not whom they are about, since the transport knows.
Where the hub has to say it, it adds the key `brobygger`, which the format allows and others pass over.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from adapters.base import decode
from adapters.json_places import located
from adapters.json_profile import Group, Kind, Leaf, Part, Places, findings, on_wire, unnamed, write_text
from adapters.safe_json import read_json
from hub.errors import Finding, HubError
from hub.message import Record, to_microseconds

OURS = "brobygger"
UNNAMED: Mapping[str, str] = {
    ".*": "the format allows keys that it does not name, and nobody has said what those tell",
}
"""What the files pass over."""
NEVER = "1970-01-01T00:00:00Z"
"""`melding.sendt` of a file that says no time at all."""

TEXT, WHOLE, NUMBER = Leaf(), Leaf(Kind.WHOLE), Leaf(Kind.NUMBER)
FLAG, GRADED = Leaf(Kind.FLAG), Leaf(Kind.GRADED)
DATE, MOMENT = Leaf(Kind.DATE), Leaf(Kind.MOMENT)


def code(*words: str) -> Leaf:
    return Leaf(Kind.CODE, only=words)


def shaped(pattern: str, en: str, nb: str) -> Leaf:
    return Leaf(shape=re.compile(pattern), says=(en, nb))


VERSION = shaped(
    r"[0-9]+\.[0-9]+\.[0-9]+(-[a-zA-Z0-9]+)?(\+[a-zA-Z0-9]+)?",
    "a version such as 1.0.0",
    "en versjon som 1.0.0",
)
KONTO = shaped("[0-9]{11}", "a bank account of eleven digits", "et kontonummer på elleve sifre")
_UUID = shaped(
    "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "a UUID in small letters",
    "en UUID med små bokstaver",
)

FILE = Group(
    (Part("type", code("svarut", "dokumentlager"), required=True),),
    variants={
        "svarut": (Part("id", _UUID, required=True), Part("nr", WHOLE, required=True)),
        "dokumentlager": (Part("id", _UUID, required=True),),
    },
)
"""Where a file lies: in SvarUt with its number, or in Fiks Dokumentlager."""


def ours(*, person: tuple[Part, ...]) -> Part:
    """The key with the hub's own words; `person` is what the format itself has no place for."""
    words = ("id", "sendt", "mottaker", "avsender", "svar_pa")
    melding = Group(tuple(Part(word, TEXT, required=word in ("id", "sendt")) for word in words))
    parts = (Part("melding", melding), Part("person", Group(person), name=""))
    return Part(OURS, Group(parts), name="")


@dataclass(frozen=True)
class File:
    """One file of the format. `sent` finds in the fields when it was sent, if it says so."""

    type: str
    profile: Group
    sent: Callable[[Mapping[str, object]], str | None] = field(repr=False)

    def parse(self, body: bytes) -> Record:
        """Read one file, or raise parse.invalid with every fault by path, line and column."""
        document = read_json(body)
        found = list(findings(self.profile, document))
        if found:
            raise HubError("parse.invalid", located(found, decode(body)))
        fields: dict[str, object] = {}
        self.profile.read_into(document, fields, fields)
        if "melding" not in fields:
            own = self._document(fields)
            fields["melding"] = self._melding(own, fields, unnamed(self.profile, document))
        return Record(self.type, fields)

    def locate(self, body: bytes, found: Iterable[Finding]) -> list[Finding]:
        """Findings by the record's paths as findings by the file's, with line and column."""
        document = read_json(body)
        places: Places = {}
        there = (replace(one, at=on_wire(self.profile, document, one.at, places) or one.at) for one in found)
        return located(there, decode(body))

    def render(self, record: Record) -> bytes:
        """Write one file, valid by its profile, or raise render.incomplete."""
        if record.type != self.type:
            raise HubError("render.incomplete")
        document = self._document(record.fields)
        if record.get("melding") == self._melding(document, record.fields):
            added = document[OURS]
            assert isinstance(added, dict)  # the profile's own group
            added.pop("melding")
        if document.get(OURS) == {}:
            del document[OURS]
        wrong = list(findings(self.profile, document))
        text = write_text(document)
        if wrong or self.parse(text.encode()) != record:
            raise HubError("render.incomplete", wrong)
        return text.encode()

    def _document(self, fields: Mapping[str, object]) -> dict[str, object]:
        document = self.profile.write(fields, fields)
        assert isinstance(document, dict)  # a group of fields gives an object
        return document

    def _melding(
        self, document: Mapping[str, object], fields: Mapping[str, object], beside: object = None
    ) -> dict[str, str]:
        """What a file that does not say it is called, by what it holds: the same file, the same id. `beside`
        is what it says under keys that are not read: with other words there it is another file."""
        own = {key: value for key, value in document.items() if key != OURS}
        said = write_text(own) + ("" if beside is None else json.dumps(beside, default=str, sort_keys=True))
        digest = hashlib.sha256(said.encode()).hexdigest()
        return {"id": f"digisos-{digest[:32]}", "sendt": _time(self.sent(fields)) or NEVER}


def _time(text: str | None) -> str | None:
    """A time of the format with at most six digits of a second, if there is such a time."""
    plain = to_microseconds(text or "")
    try:
        year = datetime.fromisoformat(plain).year
    except ValueError:
        return None
    return plain if 1800 <= year < 2200 else None
