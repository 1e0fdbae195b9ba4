"""Understands how to make a record up from the declaration of its type: the whole of it, or any of it.

`sample` is the same each time. `records` is a Hypothesis strategy. Where only examples know what is
sensible (codes of open lists, words of a pattern), values of examples are taken as well. The persons are
synthetic: the month of their numbers is raised by 80.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from hub.errors import HubError
from hub.message import Record
from mappings.fields import FieldSpec, Kind
from mappings.identifiers import is_orgnr, is_person_number
from mappings.rules import Check, value_at
from mappings.types import TypeSpec

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Pool = Mapping[str, list[Any]]
"""Values that examples have, by the path of the field."""

_NUMBERS = ("15859010099", "14879010110", "54879010023", "01859510066", "41859510130")
_ID_LENGTH = 100
"""The most of an id: any letters of its pattern will do."""

_TRIES = (
    "A1",
    "1",
    "abc",
    "no",
    "99887766",
    "2026/17",
    "prison",
    "310000019",
    "2026-11-20",
    "X" * 12,
    "10:00",
    "2026-11-20T10:00:00",
    "urn:oid:2.16.578.1.12.4.1.1.9999",
    "1.0.0",
    "2026-11-20T10:00:00.000Z",
    "+4799887766",
    "99887766554",
    "9901",
    "5f3c1e7a-4a0b-4a55-9c0e-0b1a7d2f6c01",
)


def pool_of(spec: TypeSpec, records: Iterable[Record]) -> Pool:
    """Every value that fits its field, by the path of the field."""
    found: dict[str, list[Any]] = {}
    for record in records:
        for leaf in spec.leaves(record):
            field = spec.by_path.get(leaf.field)
            if field and field.fault(leaf.value) is None and leaf.value not in found.get(leaf.field, ()):
                found.setdefault(leaf.field, []).append(leaf.value)
    return found


# --------------------------------------------------------------------------- the whole of it, once


def sample(spec: TypeSpec, pool: Pool | None = None) -> Record:
    """One record with every field that can be made up beside the others, and every check of the type kept."""
    fields = _sample_group(spec.fields, pool or {})
    return Record(spec.name, repaired(spec, fields))


def _sample_group(specs: Iterable[FieldSpec], pool: Pool) -> dict[str, Any]:
    made = {spec.name: _sample_field(spec, pool) for spec in specs if not spec.not_beside}
    return {name: value for name, value in made.items() if value is not None}


def _sample_field(spec: FieldSpec, pool: Pool) -> Any:
    value = _sample_group(spec.fields, pool) if spec.fields else _sample_value(spec, pool)
    if value in (None, {}):
        return None
    return [value] * (spec.exactly or 1) if spec.many else value


def _sample_value(spec: FieldSpec, pool: Pool) -> Any:
    """The first of what comes to mind that fits; None if nothing does."""
    words = f"Eksempel {spec.name.replace('_', ' ')}"
    among = spec.pattern.pattern.split("|")[:1] if spec.pattern else []  # where it is one of some words
    guesses: list[Any] = [*_known(spec, pool), *list(spec.codes)[:1], *_plain(spec), *among, words, *_TRIES]
    return next((guess for guess in guesses if spec.fault(guess) is None), None)


def _plain(spec: FieldSpec) -> list[Any]:
    match spec.kind:
        case Kind.FODSELSNUMMER:
            return [number for number in _NUMBERS if is_person_number(number)]
        case Kind.ORGNR:
            return [number for n in range(100) if is_orgnr(number := f"3100000{n:02d}")]
        case Kind.KOMMUNENUMMER:
            return ["9901"]
        case Kind.DATE:
            return ["2026-11-20"]
        case Kind.DATETIME:
            return ["2026-11-20T10:00:00+01:00"]
        case Kind.BOOLEAN:
            return [True]
        case Kind.INTEGER:
            return [spec.least if spec.least is not None else 1]
        case Kind.DECIMAL:
            return ["1.5"]
        case _:
            return []


# --------------------------------------------------------------------------------- any of it


def records(spec: TypeSpec, pool: Pool | None = None) -> SearchStrategy[Record]:
    """Records that fit the type, from the least to the whole; half of them with no words but those that
    examples have there, as a format may be narrower than the type. Raises settings.invalid without
    Hypothesis."""
    st, known = hypothesis_strategies(), pool or {}
    wide: dict[str, Any] = {}
    narrow: dict[str, Any] = {}

    @st.composite  # type: ignore[untyped-decorator]  # Hypothesis is not always there to be typed
    def made(draw: Any) -> Record:
        share = draw(st.sampled_from((0, 1, 3, 5, 8, 10)))  # of ten optional fields, so many are there
        values = _Values(st, known, *draw(st.sampled_from(((wide, False), (narrow, True)))))
        return Record(spec.name, repaired(spec, _drawn(draw, st, spec.fields, values, share)))

    return made().filter(partial(_fits, spec))  # type: ignore[no-any-return]  # of a composite


@dataclass(frozen=True)
class _Values:
    """Where values come from: the strategy of each leaf is `kept`."""

    st: Any
    pool: Pool
    kept: dict[str, Any]
    narrow: bool

    def of(self, spec: FieldSpec) -> Any:
        if spec.path not in self.kept:
            self.kept[spec.path] = _value(self.st, spec, self.pool, narrow=self.narrow)
        return self.kept[spec.path]


def _drawn(draw: Any, st: Any, specs: Sequence[FieldSpec], values: _Values, share: int) -> dict[str, Any]:
    """The fields of one group."""
    made: dict[str, Any] = {}
    instead = {
        name for spec in specs if spec.instead and not draw(st.integers(0, 7)) for name in spec.instead
    }
    for spec in specs:
        if (spec.instead and instead) or spec.not_beside in made:
            continue
        if not (spec.required or spec.name in instead) and draw(st.integers(0, 9)) >= share:
            continue
        least, most = (spec.exactly, spec.exactly) if spec.exactly else (1, 3)
        found = []
        for _ in range(draw(st.integers(least, most)) if spec.many else 1):
            if spec.fields:
                value: Any = _drawn(draw, st, spec.fields, values, share)
            else:
                value = draw(values.of(spec))
            found.append(value)
        found = [value for value in found if value != {}]  # an empty group says nothing
        if found:
            made[spec.name] = found if spec.many else found[0]
    return made


def _fits(spec: TypeSpec, record: Record) -> bool:
    return not spec.check(record.fields)


def hypothesis_strategies() -> Any:
    """Raises settings.invalid where only what the hub itself needs is installed."""
    try:
        from hypothesis import strategies
    except ModuleNotFoundError:
        from hub.errors import Finding

        expected = "hypothesis, which `./bro adapter conform` installs from requirements-dev.lock"
        raise HubError("settings.invalid", [Finding("hypothesis", "installed", expected)]) from None
    return strategies


def _value(st: Any, spec: FieldSpec, pool: Pool, *, narrow: bool) -> Any:
    values = _known(spec, pool)
    known = [st.sampled_from(values)] if values else []
    match spec.kind:
        case Kind.CODE:
            return st.sampled_from(sorted(spec.codes))
        case Kind.BOOLEAN:
            return st.booleans()
        case Kind.INTEGER:
            low = spec.least if spec.least is not None else -1_000_000
            high = spec.most if spec.most is not None else max(low, 1_000_000)
            return st.integers(low, high)
        case Kind.DATE:
            return st.dates(date(2020, 1, 1), date(2035, 12, 31)).map(date.isoformat)
        case Kind.DATETIME:
            return _moments(st)
        case Kind.KOMMUNENUMMER:
            return st.integers(0, 9999).map("{:04d}".format)
        case Kind.FODSELSNUMMER | Kind.ORGNR:
            return st.sampled_from([*_plain(spec), *pool.get(spec.path, ())])
        case Kind.DECIMAL:
            return st.decimals(-10_000, 10_000, places=2).map(str).filter(_fitting(spec))
        case Kind.TEXT if known and spec.pattern and spec.most != _ID_LENGTH:
            return known[0]  # words, of which only examples know which there are
        case Kind.TEXT if known and narrow:
            return known[0]
        case Kind.TEXT | Kind.FREE_TEXT:
            return st.one_of(*known, _text(st, spec))
        case _ if known:
            return known[0]  # an open code, or a kind that only its examples know
        case _:
            fitting = [guess for guess in (*_TRIES, 1, True, "QQ==") if spec.fault(guess) is None]
            return st.sampled_from(fitting)


def _known(spec: FieldSpec, pool: Pool) -> list[Any]:
    """What examples have there, or in a field of the same name elsewhere: the nearest of kin first."""
    if spec.path in pool:
        return pool[spec.path]
    kin = [(path, _shared(path, spec.path)) for path in pool]
    named = sorted((one for one in kin if one[1]), key=lambda one: -one[1])
    values = [value for path, _ in named for value in pool[path] if spec.fault(value) is None]
    return [value for index, value in enumerate(values) if value not in values[:index]]


def _shared(one: str, other: str) -> int:
    """How many names two paths end in alike."""
    pairs = zip(reversed(one.split(".")), reversed(other.split(".")), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _moments(st: Any) -> Any:
    whole = st.integers(1_577_836_800, 2_051_222_400)  # seconds of 2020 to 2034
    return whole.map(lambda second: datetime.fromtimestamp(second, _CET).isoformat())


def _text(st: Any, spec: FieldSpec) -> Any:
    if spec.pattern:
        return st.from_regex(spec.pattern, fullmatch=True).filter(_fitting(spec))
    letters = st.characters(
        exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\ufffe\uffff\x85"
    )
    line = st.text(letters, min_size=1, max_size=30).map(lambda text: text.strip() or "x")
    lines = st.lists(line, min_size=1, max_size=3).map("\n".join) if spec.free_text else line
    return lines.map(lambda text: text[: spec.most].strip() or "x").filter(_fitting(spec))


def _fitting(spec: FieldSpec) -> Any:
    return lambda value: spec.fault(value) is None


# ------------------------------------------------------------------------------ what must hold


def repaired(spec: TypeSpec, fields: dict[str, Any]) -> dict[str, Any]:
    """The same with the type's checks kept: sums summed, dates in order, conditions met."""
    for check in sorted(spec.checks, key=lambda check: check.rule == "sum"):  # what is summed comes first
        _repair(check, fields)
    return fields


def _repair(check: Check, fields: dict[str, Any]) -> None:
    """Put right what can be. What cannot be is filtered out afterwards."""
    first = check.fields[0]
    match check.rule:
        case "sum":
            items = value_at(fields, first)
            if isinstance(items, list):
                _set(fields, check.other, sum(items))
        case "items":
            items = value_at(fields, first)
            if isinstance(items, list):
                allowed = sorted(check.values, key=str)
                for index in range(check.start - 1, len(items)):
                    items[index] = allowed[items[index] % len(allowed)]
        case "not-before":
            late, early = value_at(fields, first), value_at(fields, check.other)
            if isinstance(late, str) and isinstance(early, str) and late < early:
                _set(fields, first, early)
                _set(fields, check.other, late)
        case "only-when":
            if value_at(fields, check.other) not in check.values:
                _set(fields, check.other, sorted(check.values, key=str)[0])
        case "same":
            for path in check.fields[1:]:
                _set(fields, path, value_at(fields, first))
        case _:
            return  # at-least-one, required-when: most records have what they need


def _set(fields: dict[str, Any], path: str, value: Any) -> None:
    *groups, last = path.split(".")
    for name in groups:
        inner = fields.get(name)
        if not isinstance(inner, dict):
            return
        fields = inner
    if value is not None:
        fields[last] = value


def candidates(spec: FieldSpec, pool: Pool) -> list[Any]:
    """Values that fit a field and differ in kind: one of them may be what a narrower format means."""
    guesses = [
        *_known(spec, pool),
        *spec.codes,
        *_plain(spec),
        *_TRIES,
        f"Eksempel {spec.name}",
        "12",
        12,
        True,
    ]
    fitting = [guess for guess in guesses if spec.fault(guess) is None]
    return [value for index, value in enumerate(fitting) if value not in fitting[:index]][:8]


def only(
    spec: TypeSpec, chosen: Mapping[str, Any], pool: Pool, *, beside: str | None = None
) -> dict[str, Any]:
    """The outermost group of the fields chosen, with them and whatever their groups require; and with every
    leaf of the group `beside`, as some formats have no place for one without the other."""
    return _only(spec.fields, chosen, pool, beside, above="")


def _only(
    specs: Sequence[FieldSpec], chosen: Mapping[str, Any], pool: Pool, beside: str | None, *, above: str
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    apart = {spec.not_beside for spec in specs if spec.path in chosen} - {""}
    instead = {name for spec in specs if spec.name in apart for name in spec.instead}
    for spec in specs:
        inside = any(path == spec.path or path.startswith(spec.path + ".") for path in chosen)
        free = spec.required or (above == beside and not spec.fields and not spec.not_beside)
        along = bool(above) and (spec.name in instead or free)
        if spec.name in apart or not (inside or along):
            continue
        if spec.fields:
            one: Any = _only(spec.fields, chosen, pool, beside, above=spec.path)
        else:
            one = chosen[spec.path] if spec.path in chosen else _sample_value(spec, pool)
        if one not in (None, {}):
            made[spec.name] = [one] * (spec.exactly or 1) if spec.many else one
    return made


def ways(spec: TypeSpec, path: str, pool: Pool) -> Iterator[dict[str, Any]]:
    """How a field could stand in a record: alone, beside its siblings, or beside each code of a sibling that
    may say what the others have to be."""
    group = path.rpartition(".")[0]
    guesses = candidates(spec.by_path[path], pool)
    for guess in guesses:
        yield only(spec, {path: guess}, pool)
        yield only(spec, {path: guess}, pool, beside=group)
    above = group.rpartition(".")[0]
    for sibling in spec.scalars:
        if sibling.codes and sibling.path != path and sibling.path.rpartition(".")[0] in {group, above}:
            for code in list(sibling.codes)[:20]:
                for guess in guesses[:3]:
                    yield only(spec, {path: guess, sibling.path: code}, pool)


def paths(record: Record) -> Iterator[str]:
    """The path of every scalar of a record, without indices, once."""
    yield from dict.fromkeys(_INDEX.sub("", path) for path in _walk(record))


def _walk(record: Record) -> Iterator[str]:
    from hub.message import walk

    return (path for path, _ in walk(record.fields))


_INDEX = re.compile(r"\[\d+\]")
_CET = datetime.fromisoformat("2026-01-01T00:00:00+01:00").tzinfo
