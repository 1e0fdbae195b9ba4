"""Understands how a Timing, a Period or a moment of FHIR is said in bokmål: how often, when, for how long.

Its codes are fixed by FHIR and HL7; one that is not in the tables is a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from adapters.base import Findings
from adapters.fhir_epikrise.units import CODING, CONCEPT, UNITS, look_over, say_amount, written
from adapters.fhir_parts import OSLO, counted
from adapters.fhir_places import said_at

GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
ABBREVIATIONS: Mapping[str, str] = {
    "BID": "2 ganger per døgn",
    "TID": "3 ganger per døgn",
    "QID": "4 ganger per døgn",
    "AM": "om morgenen",
    "PM": "om ettermiddagen",
    "BED": "ved sengetid",
    "QD": "hvert døgn",
    "QOD": "annethvert døgn",
    "Q1H": "hver time",
    "Q2H": "hver 2. time",
    "Q3H": "hver 3. time",
    "Q4H": "hver 4. time",
    "Q6H": "hver 6. time",
    "Q8H": "hver 8. time",
    "WK": "hver uke",
    "MO": "hver måned",
}
"""By the code of HL7 for a whole schedule."""

_PARTS: Mapping[str, str] = {
    "MORN": "om morgenen", "MORN.early": "tidlig om morgenen", "MORN.late": "sent på morgenen",
    "NOON": "midt på dagen", "AFT": "om ettermiddagen", "AFT.early": "tidlig på ettermiddagen",
    "AFT.late": "sent på ettermiddagen", "EVE": "om kvelden", "EVE.early": "tidlig på kvelden",
    "EVE.late": "sent på kvelden", "NIGHT": "om natten", "PHS": "etter innsovning", "HS": "ved sengetid",
    "WAKE": "ved oppvåkning", "C": "ved måltid", "CM": "ved frokost", "CD": "ved lunsj", "CV": "ved middag",
    "AC": "før måltid", "ACM": "før frokost", "ACD": "før lunsj", "ACV": "før middag", "PC": "etter måltid",
    "PCM": "etter frokost", "PCD": "etter lunsj", "PCV": "etter middag",
}  # few lines # fmt: skip
_DAYS: Mapping[str, str] = {
    "mon": "mandag", "tue": "tirsdag", "wed": "onsdag", "thu": "torsdag", "fri": "fredag", "sat": "lørdag",
    "sun": "søndag",
}  # few lines # fmt: skip
_SPANS = ("s", "min", "h", "d", "wk", "mo", "a")
"""The units of time that FHIR has here."""

KNOWN = frozenset(
    {
        "boundsDuration", "boundsRange", "boundsPeriod", "count", "countMax", "duration", "durationMax",
        "durationUnit", "frequency", "frequencyMax", "period", "periodMax", "periodUnit", "dayOfWeek",
        "timeOfDay", "when", "offset",
    }
)  # few lines # fmt: skip


def say_timing(timing: object, at: str, findings: Findings) -> list[str]:
    """What a Timing says, part by part. Findings: codes without words here, and elements that FHIR does not
    have."""
    if not isinstance(timing, Mapping):
        return []
    look_over(timing, frozenset({"event", "repeat", "code"}), at, findings)
    events = [say_moment(one) for one in _listed(timing.get("event")) if isinstance(one, str)]
    repeat = timing.get("repeat")
    said = [
        *_code(timing.get("code"), f"{at}.code", findings),
        *([f"den {', '.join(events)}"] if events else []),
    ]
    if isinstance(repeat, Mapping):
        said += _Repeat(repeat, f"{at}.repeat", findings).said()
    return list(dict.fromkeys(one for one in said if one))


def say_period(value: object, at: str, findings: Findings) -> str:
    """Its ends, or the one that is said. Findings: extensions, which may say anything."""
    ends = value if isinstance(value, Mapping) else {}
    look_over(ends, frozenset({"start", "end"}), at, findings)
    said = ((word, ends.get(end)) for word, end in (("fra", "start"), ("til", "end")))
    return " ".join(f"{word} {say_moment(end)}" for word, end in said if isinstance(end, str))


def say_moment(value: str) -> str:
    """A day, month or year as it stands, and what no clock of Norway has (at the ends of the calendar); a
    moment by that clock, to the second, or by nobody's without a zone."""
    if "T" not in value:
        return value
    try:
        moment = datetime.fromisoformat(counted(value))
        there = moment.astimezone(OSLO) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return value
    return said_at(f"{there.date()} kl. {f'{there:%H.%M.%S}'.removesuffix('.00')}", value)


def _code(concept: object, at: str, findings: Findings) -> list[str]:
    """A whole schedule by a code: its words, and those of the sender."""
    if not isinstance(concept, Mapping):
        return []
    look_over(concept, CONCEPT, at, findings)
    said: dict[str, str] = {}
    for index, coding in enumerate(_listed(concept.get("coding"))):
        code = ""  # of any other type than a text it is no code, either
        if isinstance(coding, Mapping):
            look_over(coding, CODING, f"{at}.coding[{index}]", findings)
            code = str(coding.get("code")) if coding.get("system") == GTS else ""
        if code in ABBREVIATIONS:
            said[code] = ABBREVIATIONS[code]
        else:
            findings.add(f"{at}.coding[{index}].code", "code", "one of " + ", ".join(ABBREVIATIONS))
    text = str(concept.get("text") or "").strip()
    return [*said.values(), *([] if text in said else [text])]


class _Repeat:
    """The part of a Timing that says a rhythm."""

    def __init__(self, repeat: Mapping[str, object], at: str, findings: Findings) -> None:
        self._repeat, self._at, self._findings = repeat, at, findings
        look_over(repeat, KNOWN, at, findings)

    def said(self) -> list[str]:
        return [self._often(), self._days(), self._hours(), self._when(), self._each(), *self._long()]

    def _number(self, name: str) -> str:
        """A number, up to the highest of it where that is said."""
        number, highest = (written(self._repeat.get(one)) for one in (name, f"{name}Max"))
        if number and highest:
            return f"{number} til {highest}"
        return number or (f"høyst {highest}" if highest else "")

    def _alone(self, name: str, needed: str) -> None:
        """Refuse what says nothing without another element, where that is not there."""
        if name in self._repeat and needed not in self._repeat:
            self._findings.add(f"{self._at}.{needed}", "missing", "a value")

    def _span(self, name: str) -> str:
        """A length of time; a single one of its unit without the number."""
        number, unit = self._number(name), self._repeat.get(f"{name}Unit")
        if not number:
            self._alone(f"{name}Unit", name)
            return ""
        if unit not in _SPANS:
            self._findings.add(f"{self._at}.{name}Unit", "code", "one of " + ", ".join(_SPANS))
            return ""
        single, several = UNITS[str(unit)]
        return f"{number} {single if number == '1' else several}"

    def _often(self) -> str:
        times, span = self._number("frequency"), self._span("period")
        if not times and not span:
            return ""
        times = times or "1"
        said = f"{times} {'gang' if times == '1' else 'ganger'}"
        return f"{said} per {span.removeprefix('1 ')}" if span else said

    def _days(self) -> str:
        return ", ".join(self._words("dayOfWeek", _DAYS))

    def _hours(self) -> str:
        hours = [
            str(one).removesuffix(":00") for one in _listed(self._repeat.get("timeOfDay")) if one is not None
        ]
        return f"klokka {', '.join(hours)}" if hours else ""

    def _when(self) -> str:
        said, offset = ", ".join(self._words("when", _PARTS)), written(self._repeat.get("offset"))
        if not said:
            self._alone("offset", "when")
        return f"{said} ({offset} minutter)" if said and offset not in (None, "0") else said

    def _each(self) -> str:
        span = self._span("duration")
        return f"hver gang i {span}" if span else ""

    def _long(self) -> list[str]:
        repeat, count = self._repeat, self._number("count")
        spans = [
            say_amount(repeat.get(name), f"{self._at}.{name}", self._findings)
            for name in ("boundsDuration", "boundsRange")
        ]
        return [
            f"{count} {'gang' if count == '1' else 'ganger'} i alt" if count else "",
            *(f"i {span}" for span in spans if span),
            say_period(repeat.get("boundsPeriod"), f"{self._at}.boundsPeriod", self._findings),
        ]

    def _words(self, name: str, table: Mapping[str, str]) -> list[str]:
        said = []
        for index, code in enumerate(_listed(self._repeat.get(name))):
            if str(code) in table:
                said.append(table[str(code)])
            else:
                self._findings.add(f"{self._at}.{name}[{index}]", "code", "one of " + ", ".join(table))
        return said


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
