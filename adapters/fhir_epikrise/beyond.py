"""Understands what becomes of the fields of an epikrise that a FHIR document has no element for here.

What a clinician must read is said as a section, in words and with its codes; what is about the sending, the
filing or who else had to do with it is left out. `SAID` and `LEFT_OUT` are the table; README.md of
`kith_epikrise` shows it, and a test executes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.fhir_epikrise.identity import NAMES
from adapters.fhir_epikrise.reading import HPR, RESH
from adapters.fhir_epikrise.wording import codes, words
from adapters.fhir_parts import day, is_register_number
from adapters.kith.codes import meaning
from hub.errors import Finding, HubError
from hub.message import Record

Group = Mapping[str, Any]

WRITTEN: Mapping[str, tuple[str, ...]] = {
    "melding": ("id", "sendt", "mottaker", "avsender", "svar_pa"),
    "handling": (),
    "dokument": (),
    "beskrivelse": (),
    "person": ("id", "navn", "fodt", "kjonn"),
    "avsender": ("enhet", "resh", "behandler", "behandler_hpr"),
    "dato": (),
    "periode": ("fra", "til"),
    "diagnoser": ("system", "kode", "tekst"),
    "legemidler": ("system", "kode", "navn", "dosering"),
    "seksjoner": ("kode", "tittel", "tekst", "koder"),
}
"""Fields with elements of their own."""

SAID: Mapping[str, str] = {
    "opplysninger": "Andre opplysninger",
    "resultater": "Resultater",
    "andre_legemidler": "Legemidler uten kode",
    "kodede_avsnitt": "Kodede opplysninger",
    "kodede_kommentarer": "Kodede opplysninger",
    "hensyn": "Hensyn",
    "planlagt": "Planlagt",
    "henvisninger": "Henvisning",
    "diagnoser": "Nærmere om diagnosene",
    "legemidler": "Nærmere om legemidlene",
    "dodstidspunkt": "Om oppholdet",
    "utskrevet_til": "Om oppholdet",
    "utskrevet_til_tekst": "Om oppholdet",
    "omsorgsniva": "Om oppholdet",
    "tjeneste": "Om oppholdet",
    "fagfelt": "Om oppholdet",
}
"""Fields, and what their elements hold beyond `WRITTEN`, that become sections with these headings."""

LEFT_OUT: Mapping[str, str] = {
    "meldingsstatus": "about the sending",
    "status": "what is written is final; anything else is not written at all",
    "prioritet": "about the sending",
    "mottaker": "the document says the recipient by its number",
    "dato_kl": "days are carried",
    "godkjent": "days are carried, and the day it was written is",
    "medvirkende": "who else had to do with it; the unit and the clinician are carried",
    "helsepersonell": "who else had to do with it; the unit and the clinician are carried",
    "ansvarlige": "who else had to do with it; the unit and the clinician are carried",
    "naere": "who is near to the person is not for every reader of a document",
    "vedlegg": "files are not packed into the document yet",
    "avsender": "departments, numbers of the address register, and what can be no RESH-id or HPR number",
    "periode": "days are carried",
    "seksjoner": "the national heading; the LOINC code and the words are carried",
    "hendelser": "which stay a diagnosis, medicine or section belongs to; all of them are carried",
}
"""Fields that go nowhere, or of whose elements nothing beyond `WRITTEN` does."""

_FURTHER: Mapping[str, tuple[str, ...]] = {
    "avsender": (
        *("her", "avdeling", "avdeling_her", "avdeling_resh"),
        *("behandler_her", "behandler_type"),
    ),
    "periode": ("fra_kl", "til_kl", "fra_omtrent", "til_omtrent"),
    "diagnoser": ("art", "annet", "tillegg", "beskrivelse", "merknad", "fra", "til"),
    "legemidler": (
        *("annet", "styrke", "styrke_enhet", "status", "art", "doseringskode", "form", "administrering"),
        *("varighet", "varighet_enhet", "utlevert", "utlevert_enhet", "merknad", "fra", "til"),
    ),
    "seksjoner": ("overskrift",),
}
"""What groups with elements of their own hold beyond `WRITTEN`."""


def loses() -> Mapping[str, str]:
    """Every field or group of the type that does not come back as the same field, with the reason."""
    reasons = {name: f"said as a section: {heading}" for name, heading in SAID.items()} | dict(LEFT_OUT)
    whole = {name: reason for name, reason in reasons.items() if name not in WRITTEN}
    parts = {f"{name}.{part}": reasons[name] for name, all_ in _FURTHER.items() for part in all_}
    return whole | parts


REGISTERS: Mapping[str, str] = {"resh": RESH, "behandler_hpr": HPR}
"""The numbers of the sender that the document has, and the register that each is of."""

FINAL: Mapping[str, tuple[str | None, ...]] = {"handling": (None, "M"), "status": (None, "F")}
"""What a record says that is written: a new or changed summary, and a final one. Any other code, also one
that no list has, would be read as final."""

_LISTS = (*SAID, "seksjoner")

TAKEN = frozenset({None, "1", "2", "5", "6"})
"""The statuses (7307) of a medicine that the person takes; none is 6. Any other, such as 4 (advised to stop)
and 10 (allergic to), would be read as its opposite among those that are taken."""

NOT_TAKEN = "Legemidler som ikke skal regnes som i bruk"
"""The heading of the section that says the medicines which are not in use, or whose time was over."""

_SCALARS: Mapping[str, tuple[str, str]] = {
    "dodstidspunkt": ("Død", ""),
    "utskrevet_til": ("Utskrevet til", "7300"),
    "utskrevet_til_tekst": ("Utskrevet til", ""),
    "omsorgsniva": ("Omsorgsnivå", "8240"),
    "tjeneste": ("Tjeneste", ""),
    "fagfelt": ("Fagfelt", ""),
}
"""What is in front of a value that stands alone, and the list that has the words of its code."""


def folded(record: Record) -> Record:
    """The record with nothing but what the document has elements for. Raises render.incomplete for one that a
    reader would take for something else: all but a final summary that is not taken back (`FINAL`)."""
    other = [name for name, codes in FINAL.items() if record.get(name) not in codes]
    if other:
        expected = "a final summary, not taken back"
        raise HubError("render.incomplete", [Finding(name, "final", expected) for name in other])
    fields = _merged(record.fields)
    _of_documents(fields)
    _in_norway(fields)
    _of_registers(fields)
    medicines = [one for one in fields.get("legemidler", []) if isinstance(one, Mapping)]
    over = [one for one in medicines if not _in_use(one, fields.get("dato"))]
    if over:
        fields["legemidler"] = [one for one in medicines if one not in over]
    kept: dict[str, Any] = {}
    for name, parts in WRITTEN.items():
        if (value := _kept(fields.get(name), parts)) not in (None, {}, []):
            kept[name] = value
    sections = [_each_once(one) for one in (*kept.get("seksjoner", []), *_not_taken(over), *_said(fields))]
    return Record(record.type, {**kept, "seksjoner": sections} if sections else kept)


def _of_documents(fields: dict[str, Any]) -> None:
    """Without what says nothing there: a name that any summary has."""
    if str(fields.get("beskrivelse", "")).casefold() in NAMES:
        fields.pop("beskrivelse", None)


def _in_norway(fields: dict[str, Any]) -> None:
    """The days of what a clock with a zone says more exactly: those of Norway."""
    fields["dato"] = _day(fields.get("dato"), fields.get("dato_kl"))
    if isinstance(period := fields.get("periode"), Mapping):
        days = {
            name: _day(period[name], period.get(f"{name}_kl")) for name in ("fra", "til") if name in period
        }
        fields["periode"] = {**period, **days}


def _of_registers(fields: dict[str, Any]) -> None:
    """Without a number that its register never gave: no reader would take it for one."""
    if isinstance(sender := fields.get("avsender"), Mapping):
        fields["avsender"] = {
            name: value
            for name, value in sender.items()
            if name not in REGISTERS or is_register_number(REGISTERS[name], value)
        }


def _day(written: Any, clock: object) -> Any:
    if not isinstance(written, str) or not isinstance(clock, str):
        return written
    return day(f"{written}T{clock}")


def _merged(given: Group) -> dict[str, Any]:
    """The fields with what further stays say among those of the first."""
    fields = dict(given)
    for further in given.get("hendelser", []):
        for name in _LISTS:
            more = further.get(name)
            if more not in (None, [], {}):
                there = fields.get(name, [])
                fields[name] = [*_listed(there), *_listed(more)]
    return fields


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _in_use(medicine: Group, written: object) -> bool:
    """Whether the person takes it on the day the summary was written."""
    end = medicine.get("til")
    ended = isinstance(end, str) and isinstance(written, str) and end[:10] < written[: len(end[:10])]
    return medicine.get("status") in TAKEN and not ended


def _not_taken(medicines: list[Group]) -> Iterator[Group]:
    if medicines:
        rest = [{key: one for key, one in item.items() if key != "art"} for item in medicines]
        said = "\n".join(words(item) for item in rest)
        yield {"tittel": NOT_TAKEN, "tekst": said, "koder": [code for item in rest for code in codes(item)]}


def _each_once(section: Group) -> Group:
    """A section with each of its codes once."""
    codes = section.get("koder")
    if not codes:
        return section
    return {**section, "koder": [code for at, code in enumerate(codes) if code not in codes[:at]]}


def _kept(value: Any, parts: tuple[str, ...]) -> Any:
    if isinstance(value, Mapping):
        return {name: value[name] for name in parts if name in value}
    if isinstance(value, list):
        return [_kept(item, parts) for item in value]
    return value


def _said(fields: Group) -> Iterator[Group]:
    """The sections that say the rest: one for each kind of it."""
    found: dict[str, tuple[list[str], list[Group]]] = {}
    for name, heading in SAID.items():
        for item in _listed(fields.get(name, [])):
            title = heading
            if isinstance(item, Mapping) and name == "opplysninger":
                title = str(item.get("art_tekst") or heading)
            lines, listed = found.setdefault(title, ([], []))
            if not isinstance(item, Mapping):
                lines.append(_alone(name, str(item)))
                continue
            done = WRITTEN.get(name, ())
            hidden = ("art", "art_tekst", *(("status",) if item.get("status") in ("6", None) else ()))
            rest = {key: one for key, one in item.items() if key not in (*done, *hidden)}
            if said := words(rest):
                about = str(item.get("tekst") or item.get("navn") or item.get("kode") or "") if done else ""
                lines.append(f"{about}: {said}" if about else said)
                listed += codes(item)  # those of what it is about, too: they label the section
    for title, (lines, listed) in found.items():
        if lines:
            section: dict[str, Any] = {"tittel": title, "tekst": "\n".join(dict.fromkeys(lines))}
            yield {**section, "koder": listed} if listed else section


def _alone(name: str, value: str) -> str:
    front, listed = _SCALARS[name]
    return f"{front}: {(meaning(listed, value) if listed else None) or value}"
