"""Understands a message as it goes over Fiks: headers, and the record's own JSON, in one package.

A protocol of the hub's own, `no.brobygger.bolig.v1`, since none is published for municipal housing. It must
not know any agency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from adapters.base import Sniff, decode
from adapters.fiks.headers import FILE, NOBODY, account, faults, good_until, write_ttl
from adapters.fiks.package import MEDIA_TYPE, read_package, write_package
from adapters.json_places import located, places
from adapters.json_profile import write_text
from adapters.safe_json import read_json, write_json
from hub.errors import Finding, HubError
from hub.message import Record, to_microseconds

PROTOCOL = "no.brobygger.bolig.v1"
PAYLOAD = "innhold.json"
_SAID_BY = {
    "melding.id": "KlientMeldingId",
    "melding.sendt": "Headere.sendt",
    "melding.avsender": "Headere.avsender",
    "melding.mottaker": "Headere.mottaker",
    "melding.svar_pa": "SvarPaMelding",
    "gyldig_til": "Headere.gyldigTil",
}
"""The fields of every record that the headers say."""
Fields = dict[str, object]


def said(value: object) -> Fields:
    """A group of a record, or an empty one."""
    return dict(value) if isinstance(value, Mapping) else {}


@dataclass(frozen=True)
class FiksMessage:
    """One message type over Fiks. `into` makes of headers and payload what the record holds beside
    `melding`; `kind` names the Fiks type for a record and gives what is left for the payload."""

    type: str
    types: tuple[str, ...]
    into: Callable[[str, Fields, Fields], Fields] = field(repr=False)
    kind: Callable[[Fields], tuple[str, Fields]] = field(repr=False)
    expires: bool = False
    """Whether the type has `gyldig_til`."""
    said_by: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    """Fields that `into` takes from a header, with its name."""

    def recognise(self, sniff: Sniff) -> bool:
        return sniff.media_type == MEDIA_TYPE and sniff.at("MeldingType") in self.types

    def parse(self, body: bytes) -> Record:
        """Read one package, or raise with everything that is wrong with it, with the headers, or with the
        payload, by file and path."""
        files = read_package(body)
        if FILE not in files or not {*files} <= {FILE, PAYLOAD}:
            words = f"{FILE}, and at most {PAYLOAD} beside it"
            raise HubError("parse.invalid", [Finding("package", "files", words)])
        given = self._json(files, FILE)
        found = list(faults(given, self.types))
        if found:
            raise HubError("parse.invalid", _in_file(FILE, located(found, decode(files[FILE]))))
        payload = self._json(files, PAYLOAD) if PAYLOAD in files else {}
        taken = sorted({"melding", "type", "gyldig_til"} & set(payload))
        if taken:
            fault = [Finding(taken[0], "reserved", "nothing here: the headers say it")]
            raise HubError("parse.invalid", _in_file(PAYLOAD, located(fault, decode(files[PAYLOAD]))))
        melding = _melding(given)
        fields = {"melding": melding, **self.into(str(given["MeldingType"]), payload, melding)}
        if self.expires and "Ttl" in given:
            until = said(given["Headere"]).get("gyldigTil") or good_until(given).isoformat()
            fields["gyldig_til"] = to_microseconds(str(until))
        return Record(self.type, fields)

    def render(self, record: Record) -> bytes:
        """Write one package, or raise render.incomplete."""
        if record.type != self.type:
            raise HubError("render.incomplete")
        fields = dict(record.fields)
        melding = said(fields.pop("melding", None))
        until = fields.pop("gyldig_til", None) if self.expires else None
        kind, payload = self.kind(fields)
        given = _headers(kind, melding, until)
        files = {FILE: write_text(given).encode()}
        if payload:
            files[PAYLOAD] = write_json(payload)
        body = write_package(files)
        try:
            again = self.parse(body)
        except HubError as wrong:
            raise HubError("render.incomplete", wrong.findings) from None
        if again != record:  # something that the headers have no place for
            raise HubError("render.incomplete")
        return body

    def locate(self, body: bytes, found: Iterable[Finding]) -> list[Finding]:
        """Findings of the message type by their place in the headers, for what those say, or the payload."""
        found, files = tuple(found), read_package(body)
        payload, given = decode(files.get(PAYLOAD, b"{}")), decode(files[FILE])
        there, told = places(payload), {**_SAID_BY, **self.said_by}
        in_headers = [one.at in told and one.at not in there for one in found]
        # Each file is gone through once, however much is found.
        said = [replace(one, at=told[one.at]) for one, by in zip(found, in_headers, strict=True) if by]
        own = [one for one, by in zip(found, in_headers, strict=True) if not by]
        headers = iter(_in_file(FILE, located(said, given)))
        rest = iter(_in_file(PAYLOAD, located(own, payload)))
        return [next(headers if by else rest) for by in in_headers]

    def _json(self, files: Mapping[str, bytes], name: str) -> Fields:
        try:
            return read_json(files[name])
        except HubError as wrong:
            raise HubError(wrong.code, _in_file(name, wrong.findings)) from None


def read_headers(body: bytes) -> Mapping[str, object]:
    """What a package is recognised by. Raises as `parse` does."""
    files = read_package(body)
    return read_json(files[FILE]) if FILE in files else {}


def _in_file(name: str, found: Iterable[Finding]) -> list[Finding]:
    return [replace(one, at=f"{name}: {one.at}" if one.at else name) for one in found]


def _melding(given: Mapping[str, object]) -> Fields:
    own = said(given["Headere"])
    told: Fields = {"id": given["KlientMeldingId"], "sendt": to_microseconds(str(own["sendt"]))}
    for name in ("mottaker", "avsender"):
        if name in own:
            told[name] = str(own[name]).removeprefix("0192:")
    if "SvarPaMelding" in given:
        told["svar_pa"] = given["SvarPaMelding"]
    return told


def _headers(kind: str, melding: Fields, until: object) -> Fields:
    number, answers = melding.get("id"), melding.get("svar_pa")
    own: Fields = {"sendt": melding.get("sendt")}
    for name in ("avsender", "mottaker"):
        if name in melding:
            own[name] = f"0192:{melding[name]}"
    given: Fields = {
        "MeldingId": NOBODY,
        "KlientMeldingId": number,
        "KlientKorrelasjonsId": answers or number,
        "MeldingType": kind,
        "AvsenderKontoId": account(_text(melding.get("avsender"))),
        "MottakerKontoId": account(_text(melding.get("mottaker"))),
    }
    if answers is not None:
        given["SvarPaMelding"] = answers
    if until is not None:
        own["gyldigTil"] = until
        given["Ttl"] = _span(own["sendt"], until)
    return {**given, "Resendt": False, "Headere": own}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _span(sent: object, until: object) -> str:
    try:
        return write_ttl(datetime.fromisoformat(str(until)) - datetime.fromisoformat(str(sent)))
    except (ValueError, TypeError):
        raise HubError("render.incomplete") from None
