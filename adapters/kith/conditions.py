"""Understands what a row asks of an element, to be told from others of its name (`when` in `tables.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from lxml import etree

from mappings.identifiers import is_orgnr


@dataclass(frozen=True)
class _Condition:
    """One thing that a row asks of an element: what stands at the end of these steps, or its attribute, is
    there, is one of these values, `says` something, or is an organisation's number; or that an element of the
    namespace `inside` stands in it. `not_` turns it round."""

    steps: tuple[str, ...]
    attribute: str = ""
    among: frozenset[str] = frozenset()
    says: bool = False
    orgnr: bool = False
    inside: str = ""
    not_: bool = False

    def holds(self, element: etree._Element) -> bool:
        return self._holds(element) is not self.not_

    def _holds(self, element: etree._Element) -> bool:
        if self.inside:
            return any(child.tag.startswith(self.inside) for child in element)
        for name in self.steps:
            for below in element:
                if below.tag.rpartition("}")[2] == name:
                    element = below
                    break
            else:
                return False
        if self.orgnr:
            return is_orgnr((element.text or "").strip())
        if self.says:
            return any(text.strip() for text in element.itertext())
        if not self.attribute:
            return not self.among or (element.text or "").strip() in self.among
        said = (element.get(self.attribute) or "").strip()
        return said in self.among if self.among else bool(said)


@cache
def _condition(text: str) -> _Condition:
    bare, not_ = text.removeprefix("!"), text.startswith("!")
    if bare.startswith("{"):
        return _Condition((), inside=bare, not_=not_)
    steps, tilde, what = bare.partition("~")
    if tilde:
        return _Condition(tuple(steps.split("/")), says=not what, orgnr=what == "orgnr", not_=not_)
    path, _, wanted = bare.partition("=")
    steps, _, attribute = path.partition("@")
    among = frozenset(wanted.split("|")) if wanted else frozenset[str]()
    return _Condition(tuple(steps.split("/")) if steps else (), attribute, among, not_=not_)


def matches(element: etree._Element, conditions: tuple[str, ...]) -> bool:
    """Whether an element holds what a row asks for: `Medication`, `Type@V`, `Type@V=H|B`, `!Description`,
    `Text~` for one that says something, `Id~orgnr` for one with an organisation's number, and `{urn:x}` for
    an element of that namespace."""
    return all(_condition(text).holds(element) for text in conditions)
