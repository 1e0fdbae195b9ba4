"""Understands where in a KITH document a fault stands: the path of names, and line and column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lxml import etree

from adapters.kith.tables import Slot
from adapters.kith.texts import Said
from hub.errors import Finding


class At(NamedTuple):
    """A place in the document, put into words only when there is a fault. `number` counts elements that may
    repeat; 0 for the others."""

    above: At | None
    name: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.above or ''}/{self.name}" + (f"[{self.number}]" if self.number else "")

    def inside(self, element: etree._Element, below: etree._Element, slots: Mapping[str, Slot]) -> At:
        """Where something in the element that stands here is; `?` where its name is the sender's own."""
        if below is element:
            return self
        own = below.getparent() is element and str(below.tag) not in slots
        return At(self, "?" if own else etree.QName(below).localname)


def fault_at(
    where: Mapping[etree._Element, tuple[int, int]], element: etree._Element, at: str, said: Said
) -> Finding:
    """One fault with the line and column of its element."""
    line, column = where.get(element, (None, None))
    return Finding(at, said.rule, said.en, line, column, said.nb)
