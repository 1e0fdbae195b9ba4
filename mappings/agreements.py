"""Understands agreements: what one sector's message becomes for another sector, why, and what is left out.

An agreement is one file in `agreements/`, which a lawyer can read; `load_agreements` refuses one that
leaves a single source field unaccounted for. Knows nothing of consent or of any message's values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from hub.errors import Finding, HubError
from hub.message import Basis, Category, Purpose, Sector
from mappings.checks import faults
from mappings.fields import Text
from mappings.form import Form
from mappings.reading import said
from mappings.strict_yaml import read_yaml
from mappings.types import HERE, TypeSpec

ROUTES: Mapping[str, str] = {
    "serves-sender": "every agency of the sector that serves the sender, as the directory says",
    "addressed": "the agency that the message names by number or HER-id",
    "answered": "the agency that asked what this is an answer to",
    "earlier": "every agency of the sector to which an earlier message about the person led, whether it "
    "went, waits or was withheld; who they are, the message itself does not say",
    "hub": "the hub writes it itself, to the agencies of the sector that got something by what is withdrawn",
}
"""How the recipients of an agreement are found (`hub/routes.py`), in the words that people are shown."""
BY_KOMMUNE = "kommune:"


class Source(NamedTuple):
    """Who sends what."""

    sectors: frozenset[Sector]
    type: str


class Target(NamedTuple):
    """Who gets what."""

    sector: Sector
    type: str


@dataclass(frozen=True)
class Carry:
    """Where the value of one target field comes from: exactly one of `source`, `constant`, `header`.

    `table` translates codes, `using` names a converter, and a value outside `when` (if that says
    anything) is not carried at all.
    """

    target: str
    source: str | None = None
    constant: object = None
    header: str | None = None
    table: Mapping[str, str] | None = None
    using: str | None = None
    when: frozenset[object] = frozenset()


@dataclass(frozen=True)
class Expectation:
    """An answer that should come, and in how many days."""

    type: str
    within_days: int


@dataclass(frozen=True)
class Example:
    """What is left of a message after the decision, and what it becomes: `gives` or `fails`."""

    name: str
    given: Mapping[str, object]
    gives: Mapping[str, object] | None = None
    fails: str | None = None


@dataclass(frozen=True)
class Agreement:
    """One agreement. `dropped` has a source path, or the path of a whole group, and the reason."""

    id: str
    version: int
    title: Text
    source: Source
    target: Target
    route: str
    purpose: Purpose
    basis: Basis
    row: str
    reveals: frozenset[Category]
    expects: Expectation | None
    wait_days: int
    sender_sees: bool
    fields: Mapping[str, Carry]
    dropped: Mapping[str, str]
    examples: tuple[Example, ...]

    @cached_property
    def carries(self) -> frozenset[str]:
        """The source fields that the recipient may get, without indices."""
        return frozenset(carry.source for carry in self.fields.values() if carry.source)

    @property
    def kommune_path(self) -> str | None:
        """The source field whose kommune decides the recipient, for routes by kommune."""
        return self.route.removeprefix(BY_KOMMUNE) if self.route.startswith(BY_KOMMUNE) else None

    @property
    def found_by(self) -> str:
        """How its recipients are found, in words."""
        return ROUTES.get(self.route) or f"every agency of the sector in the kommune of `{self.kommune_path}`"

    def why_dropped(self, path: str) -> str | None:
        """The reason that a source field stays behind, or None."""
        for prefix in _prefixes(path):
            if prefix in self.dropped:
                return self.dropped[prefix]
        return None


def load_agreements(
    types: Mapping[str, TypeSpec], folder: Path = HERE / "agreements"
) -> tuple[Agreement, ...]:
    """All agreements of a folder in the order of their ids, or map.invalid with every fault."""
    findings: list[Finding] = []
    agreements: list[Agreement] = []
    for file in sorted(folder.glob("*.yaml")):
        try:
            form = Form(file.name, "", read_yaml(file), findings)
        except HubError as refused:
            findings.extend(refused.findings)
            continue
        agreement = _agreement(form, types)
        if f"{agreement.id}.yaml" != file.name:
            form.refuse("agreement", "name", "the name of the file without .yaml")
        if agreement.source.type in types and agreement.target.type in types:
            for at, rule, expected in faults(agreement, types):
                form.refuse(at, rule, expected)
        agreements.append(agreement)
    findings.extend(_twice(agreements))
    if findings:
        raise HubError("map.invalid", findings)
    return tuple(agreements)


def _agreement(form: Form, types: Mapping[str, TypeSpec]) -> Agreement:
    agreement = Agreement(
        id=form.text("agreement"),
        version=_positive(form, "version"),
        title=said(form, "title"),
        source=_source(form.form("from"), types),
        target=_target(form.form("to"), types),
        route=form.text("route"),
        purpose=Purpose(form.word("purpose", Purpose)),
        basis=Basis(form.word("basis", Basis)),
        row=form.text("row"),
        reveals=form.words("reveals", Category),
        expects=_expects(form, types),
        wait_days=form.number("wait_days") or 0,
        sender_sees=form.flag("sender_sees"),
        fields={path: _carry(inner, path) for path, inner in form.forms("fields")},
        dropped=_dropped(form),
        examples=tuple(_examples(form)),
    )
    for key in ("reveals", "wait_days", "sender_sees"):
        if not form.has(key):
            form.refuse(key, "missing", "a decision, said out loud")
    if agreement.route not in ROUTES and not agreement.route.startswith(BY_KOMMUNE):
        form.refuse("route", "word", ", ".join((*ROUTES, f"{BY_KOMMUNE}<field>")))
    form.close()
    return agreement


def _positive(form: Form, key: str) -> int:
    number = form.number(key)
    if number is None or number < 1:
        form.refuse(key, "number", "1 or more")
        return 1
    return number


def _source(form: Form, types: Mapping[str, TypeSpec]) -> Source:
    source = Source(form.words("sector", Sector), form.word("type", types))
    if not source.sectors:
        form.refuse("sector", "list", "at least one sector")
    form.close()
    return source


def _target(form: Form, types: Mapping[str, TypeSpec]) -> Target:
    target = Target(Sector(form.word("sector", Sector)), form.word("type", types))
    form.close()
    return target


def _expects(form: Form, types: Mapping[str, TypeSpec]) -> Expectation | None:
    if not form.has("expects"):
        return None
    inner = form.form("expects")
    expectation = Expectation(inner.word("type", types), _positive(inner, "within_days"))
    inner.close()
    return expectation


def _carry(form: Form, target: str) -> Carry:
    ways = [key for key in ("from", "constant", "header") if form.has(key)]
    if len(ways) != 1:
        form.refuse("", "carry", "exactly one of: from, constant, header")
    carry = Carry(
        target,
        source=form.optional_text("from"),
        constant=form.take("constant"),
        header=form.optional_text("header"),
        table=_table(form),
        using=form.optional_text("using"),
        when=frozenset(form.list("when")),
    )
    form.close()
    return carry


def _table(form: Form) -> Mapping[str, str] | None:
    if not form.has("table"):
        return None
    inner = form.form("table")
    return {code: inner.text(code) for code in inner.names()}


def _dropped(form: Form) -> Mapping[str, str]:
    inner = form.form("dropped")
    return {path: inner.text(path) for path in inner.names()}


def _examples(form: Form) -> Iterator[Example]:
    for number, given in enumerate(form.list("examples"), start=1):
        inner = Form(form.file, f"examples[{number}]", given, form.findings)
        yield Example(
            inner.text("name"),
            _values(inner, "given") or {},
            _values(inner, "gives"),
            inner.optional_text("fails"),
        )
        if inner.has("gives") == inner.has("fails"):
            inner.refuse("", "example", "exactly one of: gives, fails")
        inner.close()


def _values(form: Form, key: str) -> Mapping[str, object] | None:
    value = form.take(key)
    if value is None and not form.has(key):
        return None
    if isinstance(value, Mapping):
        return value
    form.refuse(key, "kind", "fields with values")
    return None


def _twice(agreements: list[Agreement]) -> Iterator[Finding]:
    """No two agreements may answer the same question, nor have the same id."""
    seen: dict[object, str] = {}
    for agreement in agreements:
        claims: list[object] = [agreement.id]
        claims += [(sector, agreement.source.type, agreement.target) for sector in agreement.source.sectors]
        for claim in claims:
            if claim in seen:
                expected = f"one agreement for the same sectors and types; {seen[claim]} is another"
                yield Finding(f"{agreement.id}.yaml", "map.twice", expected)
            seen[claim] = agreement.id


def _prefixes(path: str) -> Iterator[str]:
    """`a.b.c`, `a.b`, `a`."""
    while path:
        yield path
        path = path.rpartition(".")[0]
