"""Understands where in a KITH document a fault stands: the path of names, and line and column."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
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
        """Where something in the element that stands here is, with all that it stands in down to `?`: a name
        that no table has there is the sender's own, and could tell something."""
        if below is element:
            return self
        chain = [below, *takewhile(lambda above: above is not element, below.iterancestors())]
        first = chain.pop()
        slot = slots.get(str(first.tag))
        if slot is None:
            return At(self, "?")
        number = 1 + len(list(first.itersiblings(first.tag, preceding=True))) if slot.most > 1 else 0
        here = At(self, etree.QName(first).localname, number)
        for one in reversed(chain):
            rows = [row for row in slot.variants if str(one.tag) in row.slots]
            if not rows:
                return At(here, "?")
            slot = rows[0].slots[str(one.tag)]
            here = At(here, etree.QName(one).localname)
        return here


def fault_at(
    where: Mapping[etree._Element, tuple[int, int]], element: etree._Element, at: str, said: Said
) -> Finding:
    """One fault with the line and column of its element."""
    line, column = where.get(element, (None, None))
    return Finding(at, said.rule, said.en, line, column, said.nb)
