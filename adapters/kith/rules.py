"""Understands the rules that no schema knows: identifiers, steering codes, what is said of a patient.

A rule is a pure function by name, so that a table can ask for it. It must not know any message.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from lxml import etree

from adapters.kith.codes import headings, lists, meaning
from adapters.kith.datatypes import in_one, plain_uuid
from adapters.kith.tables import El
from adapters.kith.texts import Said, say
from mappings.identifiers import (
    is_d_number,
    is_fh_number,
    is_fodselsnummer,
    is_orgnr,
    is_person_number,
    kinds_of,
)


def _uuid(parts: Mapping[str, object], _: El) -> Said | None:
    """MsgHead (HIS 80601) demands a UUID as MsgId."""
    return None if plain_uuid(str(parts.get("text", ""))) else say("msgid-uuid")


def _value(parts: Mapping[str, object], row: El) -> Said | None:
    return None if row.type is not None and row.type.main in parts else say("empty")


def _day(parts: Mapping[str, object], _: El) -> Said | None:
    return None if "day" in parts else say("day")


def _moment(parts: Mapping[str, object], _: El) -> Said | None:
    return None if "at" in parts else say("moment")


def _code(parts: Mapping[str, object], row: El) -> Said | None:
    """For codes that steer what happens to the message; a clinical code that nobody knows is carried."""
    known = lists()[row.codes]
    return None if parts.get("V") in known else say("code", *known)


def _code_in_words(parts: Mapping[str, object], row: El) -> Said | None:
    """For a code that two lists use for different things: beside it stand no words that mean another code of
    this list, or one of the other (9101). Whatever else stands there, the code says it."""
    known = lists()[row.codes]
    mine = known.get(str(parts.get("V")), "")
    others = {words.casefold() for words in (*known.values(), *lists()["9101"].values())} - {mine.casefold()}
    return say("code", *known) if str(parts.get("DN", "")).casefold() in others else None


def _no_annotation(parts: Mapping[str, object], _: El) -> Said | None:
    """The record has a place for a note on the message or an attachment, none for one on another document."""
    return say("annotation") if parts else None


LOINC = "2.16.840.1.113883.6.1"

NUMBERS = ("FNR", "DNR", "FHN")
"""Kinds of number (8116) that lead to one person anywhere. An H-number does so only where it was made."""

SEXES = ("1", "2")
"""Codes of 3101 that tell one patient from another; the others say that it is not known or not told."""


def _person_kind(fields: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, object]:
    if "id" not in fields:
        return {}
    number = str(fields["id"])
    if is_d_number(number):
        return {"V": "DNR"}
    return {"V": "FHN" if is_fh_number(number) and not is_fodselsnummer(number) else "FNR"}


def _person_id(fields: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, object]:
    return {"text": fields["id"]} if "id" in fields else {}


def message_uuid(number: str) -> str:
    """The id of a message as the UUID that MsgHead demands. The hub's own ids are 128 bits in 26 letters and
    digits, so theirs can be read back (`message_id`); any other gets one that is always the same."""
    if plain := plain_uuid(number):
        return plain
    try:
        return (
            str(UUID(bytes=base64.b32decode(number.upper() + "======")))
            if len(number) == 26
            else _named(number)
        )
    except (binascii.Error, ValueError):
        return _named(number)


def _named(number: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"urn:brobygger:melding:{number}"))


def message_id(number: str) -> str:
    """The hub's id of a message that it sent under this UUID."""
    return base64.b32encode(UUID(number).bytes).decode().lower()[:26]


def sent_as(reference: str) -> str:
    """The hub's id behind a reference to one of its messages: read back from a UUID, or as it is."""
    plain = plain_uuid(reference)
    return message_id(plain) if plain else reference


def ids_as_said(fields: Mapping[str, Any], derived: Collection[str]) -> dict[str, Any]:
    """The fields with the ids of the envelope as UUIDs, where the table derives them (`DERIVED`). An answer
    to what began no conversation begins one; a conversation that answers nothing has no place."""
    said = dict(fields)
    melding = dict(fields.get("melding", {}))
    for name, rule in (("id", "msgid"), ("svar_pa", "parent")):
        if name in melding and rule in derived:
            melding[name] = message_uuid(str(melding[name]))
    if melding:
        said["melding"] = melding
    if "conversation" in derived:
        said.pop("samtale", None)
        if "svar_pa" in melding:
            said["samtale"] = _conversation({}, fields)["text"]
    return said


def _msgid(_: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, object]:
    number = top.get("melding", {}).get("id")
    return {} if number is None else {"text": message_uuid(str(number))}


def _parent(_: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, object]:
    number = top.get("melding", {}).get("svar_pa")
    return {} if number is None else {"text": message_uuid(str(number))}


def _conversation(_: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, object]:
    """What answers the first message of a conversation may not know that there is one yet."""
    number = top.get("samtale") or top.get("melding", {}).get("svar_pa")
    return {} if number is None else {"text": message_uuid(str(number))}


def _heading_of(fields: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, object]:
    """The national heading: as the record says it, or of the section's LOINC code."""
    by_loinc = {loinc: heading for heading, loinc in headings().items()}
    heading = fields.get("overskrift") or by_loinc.get(str(fields.get("kode", "")))
    said = {"V": heading, "DN": fields.get("tittel")}
    return {part: value for part, value in said.items() if value is not None}


def _loinc_of(fields: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, object]:
    """The section's LOINC code as a coded comment, unless the heading says it."""
    code = fields.get("kode")
    said_above = code in headings().values() and "overskrift" not in fields
    return {} if code is None or said_above else {"V": code, "S": LOINC}


DERIVED: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, object]]] = {
    "person-id": _person_id,
    "person-kind": _person_kind,
    "msgid": _msgid,
    "parent": _parent,
    "conversation": _conversation,
    "heading": _heading_of,
    "loinc": _loinc_of,
}
"""What is written of the fields around it and of the whole record."""


def _patient_number(fields: dict[str, Any]) -> None:
    """Of an older Patient: the first number of a kind that leads to one person."""
    noted = [{"id": fields.pop("#id", None), "type": fields.pop("#type", "FNR")}, *fields.pop("#more", [])]
    for one in noted:
        if one.get("id") is not None and one.get("type") in NUMBERS:
            fields.setdefault("id", in_one(str(one["id"])))
    _described(fields)


def _described(fields: dict[str, Any]) -> None:
    """Of any Patient: birth date and sex are kept where no number says them and both of them are said."""
    if "id" in fields or "fodt" not in fields or fields.get("kjonn") not in SEXES:
        fields.pop("fodt", None)
        fields.pop("kjonn", None)


def _heading(fields: dict[str, Any]) -> None:
    """A section without words over it gets those of its code; the words are what a reader sees."""
    fields.setdefault("tittel", meaning("8311", str(fields.get("overskrift", ""))) or "Kommentar")
    if code := headings().get(str(fields.get("overskrift", ""))):
        fields.setdefault("kode", code)
        if fields["kode"] == code:
            del fields["overskrift"]


FILLED: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "patient": _described,
    "patient-number": _patient_number,
    "heading": _heading,
}
"""What a group becomes after it was read."""


CHECKS: Mapping[str, Callable[[Mapping[str, object], El], Said | None]] = {
    "uuid": _uuid,
    "value": _value,
    "day": _day,
    "moment": _moment,
    "code": _code,
    "code-in-words": _code_in_words,
    "no-annotation": _no_annotation,
}
"""Rules of one value, asked with its parts."""


GroupCheck = Callable[[etree._Element, El], Iterator[tuple[etree._Element, Said]]]


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return next((below for below in element if etree.QName(below).localname == name), None)


def _names(element: etree._Element, *names: str) -> bool:
    """Whether any element of these names, however deep, holds text."""
    return any(
        etree.QName(below).localname in names and (below.text or "").strip() for below in element.iter()
    )


def _patient(element: etree._Element, row: El) -> Iterator[tuple[etree._Element, Said]]:
    """A patient has a name, and a number that leads to one person or a birth date and a sex (HIS 80415). Both
    MsgHead's form and the older one."""
    numbers = [(at, kind, said) for at, kind, said in _numbers(element) if said]
    usable = [(at, said) for at, kind, said in numbers if kind in NUMBERS]
    others = [(at, said) for at, kind, said in numbers if _is_of_another_kind(kind, in_one(said))]
    if not usable and not others and _is_described(element, row):
        pass
    elif not numbers:
        yield element, say("person-number-missing")
    elif not usable:
        yield (others or numbers)[0][0], say("person-number-local")
    else:
        at, number = usable[0]
        if in_one(number) != number:
            yield at, say("person-number-blank")
        if not is_person_number(in_one(number)):
            yield at, say("person-number")
    first: dict[str, str] = {}
    for at, kind, said in numbers:
        if kind in NUMBERS and first.setdefault(kind, in_one(said)) != in_one(said):
            yield at, say("person-number-two")
    if not any(_is_name(child) for child in element):
        yield element, say("person-name-missing")


def _is_of_another_kind(kind: str, number: str) -> bool:
    """Whether a number that leads to one person anywhere is called by another name than its own. An H-number
    may have the digits of one that is made up."""
    found = kinds_of(number)
    return not found.isdisjoint(NUMBERS) and not (kind == "HNR" and "HNR" in found)


_DESCRIBING = {"DateOfBirth": "day", "Sex": "V"}
"""Elements of a Patient that describe one, each with the part of its value that does."""


def _is_described(element: etree._Element, row: El) -> bool:
    """Whether a whole birth date and a sex are said, each as the table reads it."""
    said: dict[str, object] = {}
    for child in element:
        slot = row.slots.get(str(child.tag))
        part = _DESCRIBING.get("" if slot is None or slot.alone is None else slot.alone.name)
        if part and slot is not None and slot.alone is not None and slot.alone.type is not None:
            said[slot.alone.name] = slot.alone.type.read(child)[0].get(part)
    return said.get("DateOfBirth") is not None and said.get("Sex") in SEXES


def _numbers(element: etree._Element) -> Iterator[tuple[etree._Element, str, str]]:
    """Every number of a patient with its kind (8116). OffId without one claims to be a fødselsnummer; any
    other number is of no kind then."""
    for child in element:
        match etree.QName(child).localname:
            case "OffId":
                yield child, _kind_of(element, "TypeOffId", "FNR"), (child.text or "").strip()
            case "Ident" | "AdditionalId":
                number = _child(child, "Id")
                kind = _kind_of(child, "TypeId" if _child(child, "TypeId") is not None else "Type")
                if number is not None:
                    yield number, kind, (number.text or "").strip()
            case _:
                pass


def _kind_of(element: etree._Element, name: str, unsaid: str = "") -> str:
    kind = _child(element, name)
    return unsaid if kind is None else (kind.get("V") or "").strip() or unsaid


def _is_name(element: etree._Element) -> bool:
    return etree.QName(element).localname in ("Name", "FamilyName") and bool((element.text or "").strip())


def _party(rule: str) -> GroupCheck:
    """Somebody is named, or has a number that the record keeps: what the table drops identifies nobody."""

    def check(element: etree._Element, row: El) -> Iterator[tuple[etree._Element, Said]]:
        numbers = (below for below in element.iter() if etree.QName(below).localname == "Id")
        if not _names(element, "Name", "OrganisationName") and not any(
            _is_kept(number, row.kinds) for number in numbers
        ):
            yield element, say(rule)

    return check


def _is_kept(number: etree._Element, kinds: Mapping[str, Collection[str]]) -> bool:
    """Whether a number is of a kind that the group around it has a field for. In a group that sorts no
    numbers (`kinds` of a row), any is."""
    around = number.getparent()
    said = (number.text or "").strip()
    kind = _child(around, "TypeId") if around is not None else None
    if around is not None and etree.QName(around).localname == "AdditionalId":
        kind, around = _child(around, "Type"), around.getparent()
    kept = None if around is None else kinds.get(etree.QName(around).localname)
    if kept is None or not said:
        return bool(said)
    code = "" if kind is None else (kind.get("V") or "").strip()
    return code in kept and (code != "ENH" or is_orgnr(said))


def _one_professional(element: etree._Element, _: El) -> Iterator[tuple[etree._Element, Said]]:
    """A party of MsgHead has one professional: of two, in an organisation and in the one inside it, the outer
    one says nothing that the inner one does not. What is below the two levels is not read."""
    persons = sorted(element.iter("{*}HealthcareProfessional"), key=_levels, reverse=True)
    read = next((_said_of(person) for person in persons if _levels(person) <= _READ), frozenset())
    for person in persons:
        if not _said_of(person) <= read:
            yield person, say("other-professional")


_READ = 2
"""Levels of organisations that the address register has."""


def _levels(person: etree._Element) -> int:
    return sum(1 for _ in person.iterancestors("{*}Organisation"))


def _said_of(person: etree._Element) -> frozenset[tuple[str, ...]]:
    """What is said of who it is: names, numbers, occupation, role; not where the person can be reached."""
    return frozenset(
        (etree.QName(part).localname, *said)
        for part in person
        if etree.QName(part).localname not in ("Address", "TeleCom")
        and any(said := tuple((leaf.get("V") or leaf.text or "").strip() for leaf in part.iter()))
    )


_OF_NOBODY = ("DIALOG_AVVIK", "DIALOG_INNBYGGER_TEST", "DIALOG_INNBYGGER_DIGITALBRUKER")
"""Uses of a dialog that may be about a message, a system or several persons rather than one patient."""


def _patient_there(element: etree._Element, _: El) -> Iterator[tuple[etree._Element, Said]]:
    """MsgInfo of a message about one patient."""
    if _child(element, "Patient") is None:
        yield element, say("person-number-missing")


def _patient_of_dialog(element: etree._Element, row: El) -> Iterator[tuple[etree._Element, Said]]:
    """MsgInfo of a dialog: all but a few uses are about one patient."""
    use = _child(element, "Type")
    if use is None or (use.get("V") or "").strip() not in _OF_NOBODY:
        yield from _patient_there(element, row)


def _one_file(element: etree._Element, _: El) -> Iterator[tuple[etree._Element, Said]]:
    """A document has one content here; the schema would take any number of any kind."""
    for further in list(element)[1:]:
        yield further, say("one-file")


GROUP_CHECKS: Mapping[str, GroupCheck] = {
    "patient": _patient,
    "sender": _party("sender-missing"),
    "receiver": _party("receiver-missing"),
    "patient-there": _patient_there,
    "patient-of-dialog": _patient_of_dialog,
    "one-file": _one_file,
    "one-professional": _one_professional,
}
"""Rules of a group, asked with the element and its row; each fault with the element it stands at."""
