"""Understands the KITH datatypes: what one element of each may hold, as named parts, both ways.

    CS  V DN | CV  V S DN OT | TS  V day clock at | PQ  V U | URL  V | BL  V | ST  text lines | ANY  lines

A part is what a profile carries to a field: `day` is the date of a TS, `at` its moment with a time zone,
`lines` a text with its line breaks, `text` the same as one line, `S` the code system as `urn:oid:`. An empty
value is no value. It must not know any message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from lxml import etree

from adapters.kith.codes import systems
from adapters.kith.texts import Said, say
from adapters.narrative import is_faithful, plain_text
from mappings.identifiers import is_orgnr

Parts = dict[str, object]
Fault = Said
"""A rule that a value breaks, with what was expected in both languages."""

XHTML = "http://www.w3.org/1999/xhtml"
OID = "urn:oid:"
ZONE = ZoneInfo("Europe/Oslo")
"""What a time without a zone means in these messages."""


@dataclass(frozen=True)
class Datatype:
    """One datatype. `main` is the part that a profile means when it names none."""

    name: str
    main: str
    read: Callable[[etree._Element], tuple[Parts, list[Fault]]] = field(repr=False)
    write: Callable[[etree._Element, Mapping[str, object]], None] = field(repr=False)
    attributes: frozenset[str] = frozenset()
    text: bool = False
    """Whether the element holds text, so that anything but blanks is no fault."""
    markup: frozenset[str] = frozenset()
    """The tags that may stand inside."""
    free: bool = False
    """Any attribute may stand there; none is read."""
    opaque: bool = False
    """Nobody looks inside."""


# -- texts --

_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_BREAK = re.compile("\r\n|\r|\x85")


def one_line(text: str) -> str:
    """A text as one line, without blanks around it."""
    return (text if text.isprintable() else _BREAKS.sub(" ", text)).strip()


def lines_of(text: str) -> str:
    """A text with its line breaks as `\n`, without control characters and blanks around each line."""
    if text.isprintable():
        return text.strip()
    plain = _CONTROL.sub(" ", _BREAK.sub("\n", text)).replace("\t", " ")
    return "\n".join(line.strip() for line in plain.split("\n")).strip()


def _text(raw: str) -> Parts:
    said = one_line(raw)
    if not said:
        return {}
    lines = said if raw.isprintable() else lines_of(raw)
    row = "; ".join(line for line in lines.split("\n") if line) if "\n" in lines else lines
    return {"text": said, "lines": lines, "row": row, "orgnr" if is_orgnr(said) else "nobody": said}


def _read_text(element: etree._Element) -> tuple[Parts, list[Fault]]:
    return _text(element.text or ""), []


_UUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_UUID_FORMS = re.compile(rf"(?P<plain>{_UUID})|\{{(?P<braces>{_UUID})\}}|(?i:urn:uuid:)(?P<urn>{_UUID})")


def plain_uuid(said: str) -> str | None:
    """The UUID in a text that is nothing else: as it is, in braces, or as a URN (RFC 9562); else None."""
    found = _UUID_FORMS.fullmatch(said)
    return found[str(found.lastgroup)] if found else None


def _read_message_id(element: etree._Element) -> tuple[Parts, list[Fault]]:
    parts = _text(element.text or "")
    said = str(parts.get("text", ""))
    plain = plain_uuid(said)
    return (parts, []) if plain in (None, said) else ({**parts, "text": plain}, [say("msgid-form")])


_IN_TWO = re.compile(r"([0-9]{6}) ([0-9]{5})")


def in_one(number: str) -> str:
    """A person's number as eleven digits, where it is said as six and five with one blank between."""
    return _IN_TWO.sub(r"\1\2", number) if _IN_TWO.fullmatch(number) else number


def _read_person_number(element: etree._Element) -> tuple[Parts, list[Fault]]:
    """What is wrong with it the rule `patient` says, which knows the kind of number."""
    parts = _text(element.text or "")
    return {name: in_one(str(said)) for name, said in parts.items()}, []


def _write_text(element: etree._Element, parts: Mapping[str, object]) -> None:
    """Line breaks as CR LF: the CR is written as a character reference."""
    said = next(iter(parts.values()), "")
    element.text = str(said).replace("\n", "\r\n")


_TAGS = frozenset(
    re.findall(
        r"\w+",
        # The standard wants others stripped, their text not lost. Of this one the text is all it says; of a
        # font it is not (Symbol, white), nor of a link.
        "u "
        "abbr acronym address blockquote br cite code dfn div em h1 h2 h3 h4 h5 h6 kbd p pre q samp span "
        "strong var dl dt dd ol ul li b big hr i small sub sup tt caption table tbody thead tfoot col "
        "colgroup td th tr",
    )
)
_XHTML_TAGS = frozenset(f"{{{XHTML}}}{name}" for name in _TAGS)


def _read_any(element: etree._Element) -> tuple[Parts, list[Fault]]:
    """A text, or XHTML. Tags that the standard does not list are a fault, and so is what plain text cannot
    say (`is_faithful`)."""
    if len(element) == 0:
        return _text(element.text or ""), []
    listed = all(item.tag in _XHTML_TAGS for item in element.iterdescendants())
    faults = [] if listed and is_faithful(element) else [say("xhtml")]
    return ({} if faults else _text(plain_text(element))), faults


def _write_any(element: etree._Element, parts: Mapping[str, object]) -> None:
    """One line as it is, several as one `div` with a paragraph each."""
    text = str(parts.get("lines", parts.get("text", "")))
    if "\n" not in text:
        element.text = text
        return
    div = etree.SubElement(element, f"{{{XHTML}}}div", nsmap={None: XHTML})  # type: ignore[dict-item]  # None is the default namespace
    for line in text.split("\n"):
        etree.SubElement(div, f"{{{XHTML}}}p").text = line


# -- attributes --


def _present(element: etree._Element, *names: str) -> Parts:
    found: Parts = {}
    for name, value in element.items():
        if name in names and (said := one_line(str(value))):
            found[str(name)] = said
    return found


def _set(*names: str) -> Callable[[etree._Element, Mapping[str, object]], None]:
    def write(element: etree._Element, parts: Mapping[str, object]) -> None:
        for name in names:
            if name in parts:
                said = str(parts[name])
                element.set(name, systems().get(said, said.removeprefix(OID)) if name == "S" else said)

    return write


def _read_cs(element: etree._Element) -> tuple[Parts, list[Fault]]:
    return _present(element, "V", "DN"), []


_OID = re.compile(r"(\d+\.)*\d+")


def _read_cv(element: etree._Element) -> tuple[Parts, list[Fault]]:
    parts = _present(element, "V", "S", "DN", "OT")
    system = parts.get("S")
    if system is None:
        return parts, []
    if not _OID.fullmatch(str(system)):
        del parts["S"]
        return parts, [say("oid")]
    parts["S"] = OID + str(system)
    return parts, []


_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|-?INF|NaN")


def _read_pq(element: etree._Element) -> tuple[Parts, list[Fault]]:
    parts = _present(element, "V", "U")
    if "V" in parts and not _NUMBER.fullmatch(str(parts["V"])):
        del parts["V"]
        return parts, [say("number")]
    return parts, []


def _read_url(element: etree._Element) -> tuple[Parts, list[Fault]]:
    return _present(element, "V"), []


_TRUTHS = {"true": True, "false": False, "1": True, "0": False}


def _read_bl(element: etree._Element) -> tuple[Parts, list[Fault]]:
    said = element.get("V")
    if said is None:
        return {}, []
    if said.strip() not in ("true", "false"):
        return {}, [say("boolean")]
    return {"V": _TRUTHS[said.strip()]}, []


def _write_bl(element: etree._Element, parts: Mapping[str, object]) -> None:
    if "V" in parts:
        element.set("V", "true" if parts["V"] else "false")


# -- times --

_ZONED = r"(?P<zone>Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_CLOCK = r"(?P<clock>(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?|24:00:00(?:\.0+)?)"
_DAY = r"(?P<day>[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))"
_DATETIME = re.compile(rf"{_DAY}T{_CLOCK}{_ZONED}")
_DATE = re.compile(rf"{_DAY}{_ZONED}")
_PART_OF_DATE = re.compile(rf"[0-9]{{4}}(?:-(?:0[1-9]|1[0-2]))?{_ZONED}")
_TIME = re.compile(rf"{_CLOCK}{_ZONED}")
_NO_SECONDS = re.compile(r"(T(?:[01][0-9]|2[0-3]):[0-5][0-9])(?=Z|[+-]|$)")
_FEW_DIGITS = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?=T|$)")


def _moment(day: str, clock: str, zone: str) -> str:
    """The moment in the form that the record has: with seconds, and a zone that is always said."""
    whole, _, fraction = clock.partition(".")
    plain = datetime.fromisoformat(f"{day}T{'00' + whole[2:] if whole.startswith('24') else whole}")
    if whole.startswith("24"):
        plain += timedelta(days=1)
    said = zone or plain.replace(tzinfo=ZONE).isoformat()[-6:]
    fraction = fraction[:6].rstrip("0")
    return plain.isoformat() + (f".{fraction}" if fraction else "") + said


def _time(raw: str) -> tuple[Parts, list[Fault]]:
    """The parts of one TS value, and what is wrong with it; what can be put right is read all the same."""
    if parts := _time_parts(raw):
        return parts, []
    faults: list[Fault] = []
    if (mended := _NO_SECONDS.sub(r"\1:00", raw)) != raw:
        faults.append(say("seconds"))
    if (digits := _FEW_DIGITS.match(mended)) and len(digits[0]) < 10:
        year, month, day = digits.groups()
        mended = f"{year}-{month:0>2}-{day:0>2}{mended[digits.end() :]}"
        faults.append(say("date-digits"))
    parts = _time_parts(mended)
    return (parts, faults) if parts else ({}, [say("time")])


def _time_parts(said: str) -> Parts:
    """The parts of a value that is right as it stands; none otherwise, nor for the midnight after the last
    day that can be said."""
    try:
        return _right_time_parts(said)
    except OverflowError:
        return {}


def _right_time_parts(said: str) -> Parts:
    if (found := _DATETIME.fullmatch(said)) and _exists(found["day"]):
        day, clock, zone = found["day"], found["clock"], found["zone"] or ""
        return {"V": said, "day": day, "clock": clock + zone, "at": _moment(day, clock, zone)}
    if (found := _DATE.fullmatch(said)) and _exists(found["day"]):
        return {"V": said, "day": found["day"], "at": _moment(found["day"], "00:00:00", "")}
    if _PART_OF_DATE.fullmatch(said):
        return {"V": said, "partial": said}
    return {"V": said, "clock": said} if _TIME.fullmatch(said) else {}


def _exists(day: str) -> bool:
    try:
        datetime.fromisoformat(day)
    except ValueError:
        return False
    return True


def _read_ts(element: etree._Element) -> tuple[Parts, list[Fault]]:
    said = (element.get("V") or "").strip()
    return _time(said) if said else ({}, [])


def _said_time(parts: Mapping[str, object]) -> str:
    for name in ("at", "V"):
        if name in parts:
            return with_seconds(str(parts[name]))
    if "day" in parts and "clock" in parts:
        return f"{parts['day']}T{parts['clock']}"
    return str(parts.get("day", parts.get("partial", parts.get("clock", ""))))


def with_seconds(moment: str) -> str:
    """A time that says no seconds with them."""
    return _NO_SECONDS.sub(r"\1:00", moment)


def _write_ts(element: etree._Element, parts: Mapping[str, object]) -> None:
    element.set("V", _said_time(parts))


# -- XML Schema's own types --


def _checked(
    name: str, valid: Callable[[str], bool], rule: str
) -> Callable[[etree._Element], tuple[Parts, list[Fault]]]:
    def read(element: etree._Element) -> tuple[Parts, list[Fault]]:
        said = (element.text or "").strip()
        return ({name: said}, []) if valid(said) else ({}, [say(rule)])

    return read


def _read_xs_time(wanted: str, rule: str) -> Callable[[etree._Element], tuple[Parts, list[Fault]]]:
    def read(element: etree._Element) -> tuple[Parts, list[Fault]]:
        parts, faults = _time((element.text or "").strip())
        plain_day = "day" in parts and "clock" not in parts
        fits = plain_day if wanted == "day" else "clock" in parts and "day" in parts
        return (parts, faults) if fits else ({}, [say(rule)])

    return read


def _write_xs_time(wanted: str) -> Callable[[etree._Element, Mapping[str, object]], None]:
    """A day alone is written as its midnight where the schema demands a moment, and a moment as its day."""

    def write(element: etree._Element, parts: Mapping[str, object]) -> None:
        said = _said_time(parts)
        if wanted == "day":
            element.text = said.partition("T")[0]
        else:
            element.text = said if "T" in said else f"{said}T00:00:00"

    return write


def _read_boolean(element: etree._Element) -> tuple[Parts, list[Fault]]:
    said = (element.text or "").strip()
    return ({"is": _TRUTHS[said]}, []) if said in _TRUTHS else ({}, [say("boolean")])


def _write_boolean(element: etree._Element, parts: Mapping[str, object]) -> None:
    element.text = "true" if parts.get("is") else "false"


def _write_part(name: str) -> Callable[[etree._Element, Mapping[str, object]], None]:
    def write(element: etree._Element, parts: Mapping[str, object]) -> None:
        element.text = str(parts.get(name, ""))

    return write


_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?")
"""As the schema has it (XML Schema part 2, 3.2.16): the bits that stand for nothing are 0."""


def _read_base64(element: etree._Element) -> tuple[Parts, list[Fault]]:
    said = "".join((element.text or "").split())
    if not _BASE64.fullmatch(said):
        return {}, [say("base64")]
    return ({"base64": said} if said else {}), []


def is_decimal(text: str) -> bool:
    """Whether a number is one that a record's decimal can hold."""
    return bool(_NUMBER.fullmatch(text)) and Decimal(text).is_finite()


_V_DN, _CV = frozenset({"V", "DN"}), frozenset({"V", "S", "DN", "OT"})
CS = Datatype("CS", "V", _read_cs, _set("V", "DN"), _V_DN)
CV = Datatype("CV", "V", _read_cv, _set("V", "S", "DN", "OT"), _CV)
TS = Datatype("TS", "day", _read_ts, _write_ts, frozenset({"V"}))
PQ = Datatype("PQ", "V", _read_pq, _set("V", "U"), frozenset({"V", "U"}))
URL = Datatype("URL", "V", _read_url, _set("V"), frozenset({"V"}))
BL = Datatype("BL", "V", _read_bl, _write_bl, frozenset({"V"}))
ST = Datatype("ST", "text", _read_text, _write_text, text=True)
MESSAGE_ID = replace(ST, read=_read_message_id)
"""An ST that is a UUID; other forms of one are told and read as the plain one."""
PERSON_NUMBER = replace(ST, read=_read_person_number)
"""An ST that is the number of the patient."""
ANY = Datatype("anyType", "lines", _read_any, _write_any, text=True, markup=_XHTML_TAGS, free=True)
ANY_OR_STRING = replace(ANY, write=_write_text)
"""`anyType` in one edition of a schema and `string` in another: both are read, and text is written."""
DATE = Datatype("date", "day", _read_xs_time("day", "date"), _write_xs_time("day"), text=True)
DATETIME = Datatype("dateTime", "at", _read_xs_time("at", "datetime"), _write_xs_time("at"), text=True)
BOOLEAN = Datatype("boolean", "is", _read_boolean, _write_boolean, text=True)
YEAR = Datatype(
    "gYear",
    "year",
    _checked("year", lambda said: bool(re.fullmatch(rf"[0-9]{{4}}{_ZONED}", said)), "year"),
    _write_part("year"),
    text=True,
)
INTEGER = Datatype(
    "integer",
    "number",
    _checked("number", lambda said: bool(re.fullmatch(r"[+-]?[0-9]{1,18}", said)), "integer"),
    _write_part("number"),
    text=True,
)
DOUBLE = Datatype(
    "double",
    "number",
    _checked("number", lambda said: bool(_NUMBER.fullmatch(said)), "number"),
    _write_part("number"),
    text=True,
)
BASE64 = Datatype("base64Binary", "base64", _read_base64, _write_part("base64"), text=True)
OPAQUE = Datatype("opaque", "", lambda _: ({}, []), lambda _element, _parts: None, opaque=True)
