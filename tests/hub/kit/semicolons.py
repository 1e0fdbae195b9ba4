"""Understands a format that is neither XML nor JSON: a list in windows-1252, one line for each field, as an
agency's own spreadsheet writes it. Made up, to see that such a format can be added and is held to everything.
"""

from __future__ import annotations

import csv
import re
from io import StringIO
from typing import Any

from adapters.base import Adapter, Findings, Sniff
from hub.errors import HubError
from hub.message import Record, walk

TYPE, ENCODING, FIRST = "bolig.svar", "cp1252", "felt;verdi"
FIELDS = {
    "ref": "melding.id",
    "sendt": "melding.sendt",
    "til": "melding.mottaker",
    "fra": "melding.avsender",
    "svar på": "melding.svar_pa",
    "fødselsnummer": "person.id",
    "navn": "person.navn",
    "status": "status",
    "avslag": "avslag_grunn",
    "venteliste": "venteliste_dato",
    "annen kommune": "foreslatt_kommune",
    "gate": "bolig.adresse",
    "flytter inn": "bolig.innflytting",
    "nøkkel": "bolig.nokkel",
    "hvem": "kontakt.navn",
    "telefon": "kontakt.telefon",
    "refusjon": "refusjon",
    "gjelder til": "gyldig_til",
}
DAYS = frozenset({"venteliste_dato", "bolig.innflytting"})
EXAMPLE = (
    "felt;verdi\r\nref;A-1\r\nsendt;2026-11-20T10:00:00+01:00\r\nsvar på;F-1\r\nfødselsnummer;15859010099\r\n"
    'navn;Åse Oppdiktet\r\nstatus;venteliste\r\nventeliste;24.12.2026\r\nhvem;"Ærlig; og grei"\r\n'
).encode(ENCODING)
_DAY, _ISO = re.compile(r"(\d\d)\.(\d\d)\.(\d{4})", re.ASCII), re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)


def recognise(sniff: Sniff) -> bool:
    return sniff.head.startswith(FIRST.encode(ENCODING))


def parse(body: bytes) -> Record:
    """The record, or parse.malformed, or parse.invalid with every fault by line."""
    found, fields = Findings(), dict[str, Any]()
    try:
        text = body.decode(ENCODING)
    except UnicodeDecodeError:
        found.add("body", "encoding", "windows-1252")
        found.finish("parse.malformed")
    if "\x00" in text:
        found.add("body", "text", "text")
        found.finish("parse.malformed")
    reader = csv.reader(StringIO(text, newline=""), delimiter=";", strict=True)
    seen = set()
    try:
        for row in reader:
            line = reader.line_num
            if line == 1 and ";".join(row) == FIRST:
                continue
            name = row[0] if row else ""
            path = FIELDS.get(name)
            if path is None or len(row) != 2 or path in seen:
                found.add("?", "line", "one of " + ", ".join(FIELDS) + ", once, and its value", line=line)
                continue
            seen.add(path)
            day = _DAY.fullmatch(row[1])
            if path in DAYS and day is None:
                found.add(name, "date", "dd.mm.yyyy", line=line)
            else:
                *groups, last = path.split(".")
                here = fields
                for group in groups:
                    here = here.setdefault(group, {})
                here[last] = f"{day[3]}-{day[2]}-{day[1]}" if day and path in DAYS else row[1]
    except csv.Error:
        found.add("body", "csv", "two columns between semicolons", line=max(reader.line_num, 1))
    if not recognise(Sniff("text/csv", head=body)):
        found.add("body", "head", FIRST, line=1)
    found.finish()
    return Record(TYPE, fields)


def render(record: Record) -> bytes:
    """The list, or render.incomplete for what it has no line or no letter for."""
    if record.type != TYPE:
        raise HubError("render.incomplete")
    said, names = dict(walk(record.fields)), {path: name for name, path in FIELDS.items()}
    out = StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow(FIRST.split(";"))
    for path, value in said.items():
        day = _ISO.fullmatch(str(value)) if path in DAYS else None
        if path not in names or (path in DAYS and day is None):
            raise HubError("render.incomplete")
        writer.writerow([names[path], f"{day[3]}.{day[2]}.{day[1]}" if day else value])
    try:
        return out.getvalue().encode(ENCODING)
    except UnicodeEncodeError:
        raise HubError("render.incomplete") from None


ADAPTER = Adapter("semikolon", TYPE, ("text/csv",), recognise, parse, render)
