"""Understands how to make records of the Digisos files: what a document says, under any header."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from adapters.digisos_soker.adapter import FILE as SOKER
from adapters.digisos_soknad.adapter import FILE as SOKNAD
from adapters.digisos_vedlegg.adapter import FILE as VEDLEGG
from hub.message import Record
from tests.adapters import records
from tests.adapters.json_documents import documents

FILES = {"digisos-soknad": SOKNAD, "digisos-soker": SOKER, "digisos-vedlegg": VEDLEGG}
DOCUMENTS = {name: documents(file.profile) for name, file in FILES.items()}

_header = records.some(
    {"id": records.ids, "sendt": records.moments}, mottaker=st.just("310000108"), svar_pa=records.ids
)
_people = records.some({}, navn=records.lines)


def _records(name: str) -> st.SearchStrategy[Record]:
    return st.builds(_record, st.just(name), DOCUMENTS[name], st.none() | _header, _people, records.numbers)


def _record(
    name: str, document: dict[str, Any], header: dict[str, Any] | None, person: dict[str, Any], number: str
) -> Record:
    """As read, or with another header and with what the format has no place for."""
    if name == "digisos-soknad":
        document["data"]["personalia"]["personIdentifikator"]["verdi"] = number
    read = FILES[name].parse(json.dumps(document).encode())
    if header is None:
        return read
    known = read.get("person") or {"id": number}
    return Record(read.type, {**read.fields, "melding": header, "person": {**known, **person}})


any_record = st.one_of(*(_records(name) for name in FILES))
