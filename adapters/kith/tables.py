"""Understands how a KITH message is declared: a tree of elements, each with where its value goes.

    group("Patient", leaf("Sex", CS, 0, to="kjonn", codes="3101"), ...)

A profile is only data: reading, validation and writing (`profile.py`) follow from it. Names in `to` are
fields of the record, seen from the nearest `into` above; a name that starts with `/` is seen from the top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property
from typing import Any

from adapters.kith.codes import meaning
from adapters.kith.datatypes import Datatype

NATIONAL = "2.16.578.1.12.4.1.1."
"""The root of the national code lists; a list is its number below it."""

MANY = 1_000_000
"""As often as one likes."""


NOTED = frozenset({"id", "type", "more"})
"""Pieces of fields that are only noted while a group is read."""


@dataclass(frozen=True)
class Numbers:
    """Numbers as Id, TypeId and AdditionalId have them: which kind goes to which field, the first to Id.

    The rows carry to `<name>#id`, `<name>#type` and the list `<name>#more` (`id`, `type`) of the group.
    """

    name: str
    kinds: Mapping[str, str]


@dataclass(frozen=True)
class Attribute:
    """An attribute of an element with elements: always `value`, a field (`to`) that is `among` these, an id
    that is new in each document (`fresh`), or what a function says of the whole record (`says`). The first
    and the third are `demanded` in any case. `type` is what may stand there, if not any text."""

    name: str
    value: str = ""
    to: str = ""
    among: tuple[str, ...] = ()
    fresh: bool = False
    says: Callable[[Mapping[str, Any]], str] | None = None
    demanded: bool = False
    type: Datatype | None = None
    why: str = ""


OF_A_CODE = ("V", "DN", "OT")
"""The parts of a coded value that say it: as a code, in its words, in other words."""


@dataclass(frozen=True, eq=False)
class El:
    """One element of a profile.

    `to` is which part of the value goes to which field; `default` what is written where the record says
    nothing, `derive` the name of a function (`rules.py`) of the record that says it instead, `absent`
    the value that a record says by saying nothing (an element without a code does not say it: a fault),
    `blank` that the schema takes the element without a value; `into` the group of the record for all
    that stands below (a list where it may repeat); `when` what an
    element must hold to be this row and not a later one of the same name (`Type@V=H|B`, `Medication`);
    `must` the rules beyond the datatype; `needs` fields without any of which an optional group is not
    written, and `alone` why the group's other fields are left behind then; `listed` that the record has a
    list though the element stands once; `numbers` what its numbers are; `fill` a function (`rules.py`) of
    what was read; `any_order` that the schema takes the rows in any; `elsewhere` that another row writes it;
    `strangers` the rule that an element breaks which the schema allows and no row has; `why` the reason where
    nothing is carried, or not always: then any part of it will do; `unless` the fields with any of which
    another row writes the group: this one is read whole, or not at all where that one said something.
    """

    name: str
    least: int = 1
    most: int = 1
    ns: str = ""
    type: Datatype | None = None
    to: Mapping[str, str] = field(default_factory=dict)
    default: Mapping[str, str] = field(default_factory=dict)
    derive: str = ""
    absent: str = ""
    blank: bool = False
    fixed: bool = False
    codes: str = ""
    must: tuple[str, ...] = ()
    into: str = ""
    when: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    needs: tuple[str, ...] = ()
    alone: str = ""
    numbers: Numbers | None = None
    fill: str = ""
    elsewhere: bool = False
    unless: tuple[str, ...] = ()
    hollow: bool = False
    any_order: bool = False
    listed: bool = False
    attributes: tuple[Attribute, ...] = ()
    strangers: str = ""
    why: str = ""

    @cached_property
    def tag(self) -> str:
        return f"{{{self.ns}}}{self.name}"

    @cached_property
    def bare(self) -> bool:
        """Whether a value has nothing to keep to but its datatype."""
        return not (self.fixed or self.absent or self.of_a_code or self.must)

    @cached_property
    def of_a_code(self) -> tuple[str, ...]:
        """The parts of a code that are carried, where one of them has to be said if any part of it is."""
        if self.absent or self.why or "code" in self.must:
            return ()
        if self.type is None or not self.type.attributes.issuperset(("V", "DN")):
            return ()
        return tuple(part for part in OF_A_CODE if part in self.to)

    @cached_property
    def plain(self) -> frozenset[str]:
        """The fields of `to` that stand in the group itself, one value each."""
        return frozenset(name for name in self.to.values() if self.most == 1 and not set("./") & set(name))

    @cached_property
    def plainly(self) -> bool:
        """Whether nothing is written of an optional leaf when the group holds none of its `sources`."""
        return bool(self.to) and not self.derive and not any("#" in name for name in self.to.values())

    @property
    def asks(self) -> str:
        """What tells this row from others of the same name."""
        return ", ".join(self.when)

    @cached_property
    def slots(self) -> Mapping[str, Slot]:
        """The children by tag, in the order of the schema."""
        found: dict[str, tuple[int, list[El]]] = {}
        for position, row in enumerate(self.rows):
            for member in row.rows if isinstance(row, OneOf) else (row,):
                found.setdefault(member.tag, (position, []))[1].append(member)
        return {tag: _slot(position, rows) for tag, (position, rows) in found.items()}

    @cached_property
    def demanded(self) -> tuple[tuple[str, Slot], ...]:
        """The children that the schema demands by themselves."""
        return tuple(
            (tag, slot) for tag, slot in self.slots.items() if slot.least and tag not in self.in_choice
        )

    @cached_property
    def demanded_variants(self) -> tuple[tuple[str, Slot, El], ...]:
        """The children that are demanded as one of the variants of their name."""
        return tuple(
            (tag, slot, variant)
            for tag, slot in self.slots.items()
            for variant in slot.variants
            if variant.when and variant.least
        )

    @cached_property
    def written(self) -> tuple[Row, ...]:
        """The rows that anything can come of when a record is written."""
        return tuple(row for row in self.rows if isinstance(row, OneOf) or row.can_be_written)

    @cached_property
    def can_be_written(self) -> bool:
        if self.elsewhere:
            return False
        if self.type is not None:
            return bool(self.least or self.to or self.default or self.derive or self.into)
        return bool(self.least) or self.sources != (frozenset(), frozenset())

    @cached_property
    def sources(self) -> tuple[frozenset[str], frozenset[str]]:
        """The fields that can make the record say something of this element: of the group that it stands in,
        and of the record."""
        names = {self.into} if self.into else set(self.to.values())
        if self.numbers is not None and not self.into:
            names |= set(self.numbers.kinds.values())
        here = _first(name for name in names if not name.startswith(("/", "#")))
        top = _first(name[1:] for name in names if name.startswith("/"))
        if self.into:
            return here, top
        for row in self.rows:
            for member in row.rows if isinstance(row, OneOf) else (row,):
                if not member.elsewhere:
                    here, top = here | member.sources[0], top | member.sources[1]
        return here, top

    @cached_property
    def named(self) -> bool:
        """Whether every element in here has its namespace. Parts that many messages share are made once, for
        a tree that is done is not copied again: it was most of the time that the hub took to start."""
        return bool(self.ns) and all(
            member.named for row in self.rows for member in (row.rows if isinstance(row, OneOf) else (row,))
        )

    @cached_property
    def kinds(self) -> Mapping[str, frozenset[str]]:
        """By the name of each group in here that sorts its numbers: the kinds that it has a field for."""
        found = {} if self.numbers is None else {self.name: frozenset(self.numbers.kinds)}
        for row in self.rows:
            for member in row.rows if isinstance(row, OneOf) else (row,):
                found = dict(member.kinds) | found
        return found

    @cached_property
    def choices(self) -> tuple[OneOf, ...]:
        return tuple(row for row in self.rows if isinstance(row, OneOf))

    @cached_property
    def in_choice(self) -> frozenset[str]:
        return frozenset(member.tag for row in self.choices for member in row.rows)


@dataclass(frozen=True, eq=False)
class OneOf:
    """A choice of the schema: exactly one of these, or with `least` 0 at most one; in any number and order
    where it `repeats`. `yields` are fields that only a later one has an element for, and that are left behind
    where the first is written, with the reason; without it, such a record is not written."""

    rows: tuple[El, ...]
    least: int = 1
    repeats: bool = False
    yields: Mapping[str, str] = field(default_factory=dict)

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.tag for row in self.rows))


Row = El | OneOf
_OF_A_ROW = tuple(one.name for one in fields(El))


def _but(row: El, **changed: Any) -> El:
    """The row with other values: `dataclasses.replace`, in a fraction of its time. Tens of thousands are
    made whenever the hub starts."""
    made, said = object.__new__(El), vars(row)  # which also holds what was worked out for the old one
    vars(made).update({name: said[name] for name in _OF_A_ROW}, **changed)
    return made


@dataclass(frozen=True)
class Slot:
    """One element name among its siblings; several rows of the same name are its variants, and the one
    that asks for nothing has the schema's cardinality for the name."""

    position: int
    variants: tuple[El, ...]
    least: int
    most: int

    @cached_property
    def alone(self) -> El | None:
        """The row of the name, where it has only one that asks for nothing."""
        return self.variants[0] if len(self.variants) == 1 and not self.variants[0].when else None


def _slot(position: int, rows: list[El]) -> Slot:
    least = max((row.least for row in rows if not row.when), default=0)
    return Slot(position, tuple(rows), least, max(row.most for row in rows))


def _first(names: Iterable[str]) -> frozenset[str]:
    """The groups of the record that these fields begin with."""
    return frozenset(name.partition(".")[0].partition("#")[0] for name in names) - {""}


def leaf(
    name: str,
    type: Datatype,
    least: int = 1,
    most: int = 1,
    *,
    to: str | Mapping[str, str] = "",
    value: str = "",
    default: str | Mapping[str, str] = "",
    derive: str = "",
    absent: str = "",
    blank: bool = False,
    codes: str = "",
    into: str = "",
    must: tuple[str, ...] = (),
    when: tuple[str, ...] = (),
    ns: str = "",
    why: str = "",
) -> El:
    """An element with a value. `to="x"` carries the main part; `value` is written, and demanded on reading;
    `default` is written where the record holds nothing; without any of them it is dropped, and says `why`."""
    carried = {type.main: to} if isinstance(to, str) and to else to
    default = default or absent
    given = {type.main: default} if isinstance(default, str) and default else default
    return El(
        name,
        least,
        most,
        ns,
        type,
        to=carried if isinstance(carried, Mapping) else {},
        default={type.main: value} if value else given if isinstance(given, Mapping) else {},
        derive=derive,
        absent=absent,
        blank=blank,
        fixed=bool(value),
        codes=codes,
        into=into,
        must=must,
        when=when,
        why=why,
    )


def group(
    name: str,
    *rows: Row,
    least: int = 1,
    most: int = 1,
    into: str = "",
    when: tuple[str, ...] = (),
    must: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    alone: str = "",
    numbers: Numbers | None = None,
    fill: str = "",
    elsewhere: bool = False,
    unless: tuple[str, ...] = (),
    hollow: bool = False,
    any_order: bool = False,
    listed: bool = False,
    attributes: tuple[Attribute, ...] = (),
    strangers: str = "",
    ns: str = "",
    why: str = "",
) -> El:
    """An element with elements. `hollow`: the schema lets it be empty although its rows are demanded."""
    return El(
        name,
        least,
        most,
        ns,
        into=into,
        when=when,
        rows=rows,
        must=must,
        needs=needs,
        alone=alone,
        numbers=numbers,
        fill=fill,
        elsewhere=elsewhere,
        unless=unless,
        hollow=hollow,
        any_order=any_order,
        listed=listed,
        attributes=attributes,
        strangers=strangers,
        why=why,
    )


def one_of(
    *rows: El, least: int = 1, repeats: bool = False, yields: Mapping[str, str] | None = None
) -> OneOf:
    """A choice of the schema. On writing, the first row is what a choice without data becomes."""
    return OneOf(rows, least, repeats, yields or {})


def within(namespace: str, row: El) -> El:
    """The same tree with every element that has no namespace yet in this one."""
    if row.named:
        return row
    rows: list[Row] = []
    for below in row.rows:
        if isinstance(below, OneOf):
            rows.append(replace(below, rows=tuple(within(namespace, member) for member in below.rows)))
        else:
            rows.append(within(namespace, below))
    return _but(row, ns=row.ns or namespace, rows=tuple(rows))


def typed(namespace: str, row: El) -> El:
    """An element whose type comes from another schema: what stands below is in that namespace, itself not."""
    inside = within(namespace, row)
    return _but(inside, ns=row.ns)


def without(row: El, why: str) -> El:
    """The same tree, read and validated by the schema, but carried nowhere, for this reason."""
    rows: list[Row] = []
    for below in row.rows:
        if isinstance(below, OneOf):
            members = tuple(without(member, why) for member in below.rows)
            rows.append(replace(below, rows=members, yields={}))
        elif not (below.when and any(_plain(other, below.tag) for other in row.rows)):
            rows.append(without(below, why))
    return _but(
        row,
        to={},
        default={},
        derive="",
        absent="",
        fixed=False,
        must=(),
        into="",
        fill="",
        numbers=None,
        unless=(),
        why=why,
        rows=tuple(rows),
    )


def _plain(row: Row, tag: str) -> bool:
    return isinstance(row, El) and row.tag == tag and not row.when


@dataclass(frozen=True)
class Carried:
    """What becomes of one part of one element: the field it goes to, or why it goes nowhere."""

    path: str
    part: str
    field: str
    why: str


def everything(root: El) -> tuple[Carried, ...]:
    """Every value that a document may hold, in the order of the profile."""
    found: list[Carried] = []
    _everything(found, root, f"/{root.name}", "", "")
    return tuple(found)


@cache
def carried(root: El) -> frozenset[str]:
    """Every field of the record that a document may hold something of."""
    return frozenset(one.field for one in everything(root)) - {""}


def _everything(found: list[Carried], row: El, at: str, into: str, why: str) -> None:
    why = row.why or why
    if row.type is not None:
        inner = resolved(into, row.into) if row.into else into
        for part, target in row.to.items():
            name, _, piece = target.partition("#")
            if piece not in NOTED:
                found.append(Carried(at, part, resolved(inner, name), ""))
            elif not name:  # a patient's number (`rules.py`)
                found.append(Carried(at, part, resolved(inner, "id"), ""))
        if not row.to:
            made = "always the same" if row.default else "follows from the rest" if row.derive else ""
            found.append(Carried(at, row.type.main, "", why or made))
        return
    if row.into.endswith("#more"):
        return
    inner = resolved(into, row.into) if row.into else into
    if row.numbers is not None:
        for kind, target in row.numbers.kinds.items():
            found.append(Carried(f"{at}/Id", kind, resolved(inner, target), ""))
    for attribute in row.attributes:
        target = resolved(inner, attribute.to) if attribute.to else ""
        made = "always the same" if attribute.value else "follows from the rest" if attribute.says else ""
        dropped = made or attribute.why or why
        found.append(Carried(f"{at}/@{attribute.name}", attribute.name, target, "" if target else dropped))
    for below in row.rows:
        for member in below.rows if isinstance(below, OneOf) else (below,):
            _everything(found, member, f"{at}/{member.name}", inner, why)


def resolved(into: str, target: str) -> str:
    """The path of a field from the top of the record."""
    if target.startswith("/"):
        return target[1:]
    return f"{into}.{target}" if into else target


def with_meaning(row: El, parts: Mapping[str, object]) -> Mapping[str, object]:
    """A code with its words from the list, and a CV with its system, where the record does not carry them."""
    if not row.codes or "V" not in parts or row.type is None:
        return parts
    added: dict[str, object] = {}
    if "DN" in row.type.attributes and "DN" not in parts:
        words = meaning(row.codes, str(parts["V"]))
        added = {"DN": words} if words else {}
    if "S" in row.type.attributes and "S" not in parts:
        added["S"] = NATIONAL + row.codes
    return {**parts, **added}
