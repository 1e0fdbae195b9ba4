"""Understands what becomes of the fields of an epikrise that a FHIR document has no element for here.

What a clinician must read is said as a section, in words and with its codes; what is about the sending, the
filing or who else had to do with it is left out. `SAID` and `LEFT_OUT` are the table; README.md of
`kith_epikrise` shows it, and a test executes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.errors import Finding, HubError
from hub.message import Record

Group = Mapping[str, Any]

WRITTEN: Mapping[str, tuple[str, ...]] = {
    "melding": ("id", "sendt", "mottaker", "avsender", "svar_pa"),
    "person": ("id", "navn"),
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
}
"""Fields, and what their elements hold beyond `WRITTEN`, that become sections with these headings."""

LEFT_OUT: Mapping[str, str] = {
    "handling": "a FHIR document stands for itself; a cancellation is not written at all",
    "dokument": "how the sender files it",
    "meldingsstatus": "about the sending",
    "status": "what is written is final; anything else is not written at all",
    "prioritet": "about the sending",
    "beskrivelse": "the title is always Epikrise",
    "mottaker": "the document says the recipient by its number",
    "dato_kl": "days are carried",
    "godkjent": "days are carried, and the day it was written is",
    "dodstidspunkt": "the sections say it",
    "utskrevet_til": "the sections say it",
    "utskrevet_til_tekst": "the sections say it",
    "omsorgsniva": "the sections say it",
    "tjeneste": "the sections say it",
    "fagfelt": "the sections say it",
    "medvirkende": "who else had to do with it; the unit and the clinician are carried",
    "helsepersonell": "who else had to do with it; the unit and the clinician are carried",
    "ansvarlige": "who else had to do with it; the unit and the clinician are carried",
    "naere": "who is near to the person is not for every reader of a document",
    "vedlegg": "files are not packed into the document yet",
    "avsender": "departments, and numbers of the address register; names, RESH-id and HPR number stay",
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


_LISTS = (*SAID, "diagnoser", "legemidler", "seksjoner")


def folded(record: Record) -> Record:
    """The record with nothing but what the document has elements for. Raises render.incomplete for one that a
    reader would take for something else: a cancellation, a preliminary or planned summary."""
    if record.get("handling") == "C" or record.get("status") in ("P", "S"):
        raise HubError("render.incomplete", [Finding("handling", "final", "a final summary, not taken back")])
    fields = dict(record.fields)
    for further in fields.get("hendelser", []):
        for name in dict.fromkeys(_LISTS):
            if isinstance(further.get(name), list):
                fields[name] = [*fields.get(name, []), *further[name]]
    kept: dict[str, Any] = {}
    for name, parts in WRITTEN.items():
        if (value := _kept(fields.get(name), parts)) not in (None, {}, []):
            kept[name] = value
    sections = [_each_once(one) for one in (*kept.get("seksjoner", []), *_said(fields))]
    return Record(record.type, {**kept, "seksjoner": sections} if sections else kept)


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
        value = fields.get(name)
        for item in value if isinstance(value, list) else [value] if isinstance(value, Mapping) else []:
            title = str(item.get("art_tekst") or heading) if name == "opplysninger" else heading
            lines, codes = found.setdefault(title, ([], []))
            done = WRITTEN.get(name, ())
            rest = {key: one for key, one in item.items() if key not in (*done, "art", "art_tekst", "status")}
            said = _words(rest)
            if said:
                about = str(item.get("tekst") or item.get("navn") or item.get("kode") or "") if done else ""
                lines.append(f"{about}: {said}" if about else said)
                codes += _codes(rest)
    for title, (lines, codes) in found.items():
        if lines:
            section: dict[str, Any] = {"tittel": title, "tekst": "\n".join(lines)}
            yield {**section, "koder": codes} if codes else section


def _words(item: Group) -> str:
    """Everything the element says, in the order of its fields; a code is said with its words."""
    said: list[str] = []
    for name, value in item.items():
        if isinstance(value, Mapping):
            said.append(_words(value))
        elif isinstance(value, list):
            said += [_words(one) for one in value if isinstance(one, Mapping)]
        elif name != "system":
            said.append(str(value))
    return " ".join(word for word in said if word)


def _codes(item: Group) -> list[Group]:
    """Every code with its system, however deep."""
    found: list[Group] = []
    if "kode" in item and "system" in item:
        words = item.get("tekst") or item.get("navn")
        found.append({"system": item["system"], "kode": item["kode"], **({"tekst": words} if words else {})})
    for value in item.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                found += _codes(one)
    return found
