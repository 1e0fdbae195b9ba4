"""Understands the dosage of a medicine: its text is carried, its codes label the section, and what the text
says too is left behind (`losses.DOSAGE`). Words beside the text are added to it: with the rest of it they may
tell of substance use (a tablet under the tongue, every day). What the text does not say is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from fhir.resources.R4B.dosage import Dosage, DosageDoseAndRate
from fhir.resources.R4B.timing import Timing
from fhir_core.fhirabstractmodel import FHIRAbstractModel

from adapters.base import Findings
from adapters.fhir import Reader
from adapters.fhir_epikrise import losses
from adapters.fhir_epikrise.narrated import Content, has_number
from adapters.fhir_places import said_at


class Dosages:
    """The dosages of one medicine. `about` are its words, `more` whether they tell more than the text."""

    def __init__(self, about: object, content: Content, findings: Findings) -> None:
        self._about, self._content, self._findings = about, content, findings
        self.more = False

    def read(self, medicine: Reader) -> str | None:
        """The texts of all of them as one."""
        told: list[tuple[int | None, str]] = []
        for dosage in medicine.children("dosage"):
            text, sequence = dosage.text("text", required=True), dosage.integer("sequence")
            more = self._keep(dosage, losses.DOSAGE_CODED, Dosage)
            more += self._timing(dosage.child("timing"), text)
            for dose in dosage.children("doseAndRate"):
                more += self._keep(dose, ("type",), DosageDoseAndRate)
                more += _says(dose, losses.DOSES, text)
            if text is not None:
                told.append((sequence, _with(text, more)))
        return _joined(medicine, told)

    def _keep(self, node: Reader, names: tuple[str, ...], model: type[FHIRAbstractModel]) -> list[str]:
        """Codes and words beside the text are those of the section, too; these are the words."""
        kept = {name: node.take(name) for name in names if node.has(name)}
        if not kept:
            return []
        self._content.add(kept, model, node.at, self._findings)
        words = [said for said, _ in self._content.lines[-1]]
        if isinstance(self._about, str):
            self._content.lines[-1].insert(0, (self._about, True))
        self.more = True
        return words

    def _timing(self, timing: Reader | None, text: str | None) -> list[str]:
        if timing is None:
            return []
        words = self._keep(timing, ("code",), Timing)
        repeat = timing.child("repeat")
        if repeat is None:
            return words
        repeat.ignore(*losses.REPEAT)
        return [*words, *_how_often(repeat, text or ""), *_says(repeat, losses.REPEAT_LIMITS, text)]


def _says(node: Reader, names: tuple[str, ...], text: str | None) -> list[str]:
    """The text has every number of these elements, in figures or in words; their units."""
    units: list[str] = []
    for name in names:
        if not node.has(name):
            continue
        value = node.take(name)
        if text is not None and not all(_told(text, number) for number in _numbers(value)):
            node.fault(name, "not-read", "a text of the dosage that says it")
        units += _units(value)
    return units


def _how_often(repeat: Reader, text: str) -> list[str]:
    """That it is every day or every week, where the text has no word of that."""
    words, said = _rhythm(repeat)
    return [] if said is None or any(word in text.casefold() for word in words) else [said]


def _rhythm(repeat: Reader) -> tuple[tuple[str, ...], str | None]:
    period, unit, days = (repeat.peek(name) for name in ("period", "periodUnit", "dayOfWeek"))
    if isinstance(days, list):
        return losses.WEEKLY, "ukentlig" if len(days) == 1 and (period, unit) in _NOT_LONGER else None
    if repeat.has("periodMax"):
        return (), None
    if (period, unit) in ((1, "wk"), (7, "d")):
        return losses.WEEKLY, _times(repeat, "ukentlig")
    if (period, unit) == (1, "d") or (period is None and _at_times(repeat)):
        return losses.DAILY, _times(repeat, "daglig")
    return (), None


_NOT_LONGER = ((None, None), (1, "d"), (7, "d"), (1, "wk"))
"""Periods beside a day of the week with which it is every week."""


def _times(repeat: Reader, word: str) -> str:
    times = [repeat.peek(name) for name in ("frequency", "frequencyMax")]
    many = "-".join(str(one) for one in times if isinstance(one, int))
    return word if many in ("", "1") else f"{many} ganger {word}"


def _at_times(repeat: Reader) -> bool:
    return repeat.has("when") or repeat.has("timeOfDay")


def _with(text: str, words: list[str]) -> str:
    """The text, and the words that it does not have."""
    more = [word for word in dict.fromkeys(words) if word.casefold() not in text.casefold()]
    return said_at(f"{text} ({', '.join(more)})", text) if more else text


def _units(value: object) -> Iterator[str]:
    """The units of the numbers in an element, in words or else by their codes."""
    if isinstance(value, Mapping):
        unit = value.get("unit") or value.get("code")
        if isinstance(unit, str) and unit.strip():
            yield unit.strip()
        for inside in value.values():
            yield from _units(inside)


def _joined(medicine: Reader, told: list[tuple[int | None, str]]) -> str | None:
    """One text. Those with one sequence are taken side by side, those with a higher one afterwards."""
    sequences = [sequence for sequence, _ in told if sequence is not None]
    if len(told) > 1 and sequences and (len(sequences) < len(told) or sequences != sorted(sequences)):
        medicine.fault("dosage", "order", "a sequence for each dosage, in its order, or for none")
    said, before = "", None
    for sequence, text in told:
        then = "deretter: " if said and sequence != before else ""
        said += f"; {then}{text}" if said else text
        before = sequence
    return said_at(said, told[0][1]) if said else None


def _numbers(value: object) -> Iterator[str]:
    """Every number in an element; a comparison or an extension is what no text is asked for."""
    if isinstance(value, Mapping):
        for name, inside in value.items():
            if name in ("comparator", "extension", "modifierExtension"):
                yield ""
            elif name == "denominator" and isinstance(inside, Mapping) and inside.get("value") == 1:
                continue
            else:
                yield from _numbers(inside)
    elif isinstance(value, int | Decimal | float) and not isinstance(value, bool):
        number = f"{Decimal(str(value)):f}"
        yield number.rstrip("0").rstrip(".") if "." in number else number


_FROM_TO = re.compile(r"(?<=\d)[-–](?=\d)")


def _told(text: str, number: str) -> bool:
    """Whether the text has this number; `1-2` has both."""
    words = losses.NUMBER_WORDS.get(number, ())
    said = {word.strip(".,;:()") for word in text.casefold().split()}
    return bool(number) and (has_number(_FROM_TO.sub(" ", text), number) or not said.isdisjoint(words))
