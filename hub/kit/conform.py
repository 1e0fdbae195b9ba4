"""Understands what every adapter must hold to, and holds one to it: as its sender, and as its recipient.

`conform` gives one Check after the other. A finding says where and what was expected, never a value. The
same checks are the tests of our own adapters and the gate for those of other packages.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from adapters.base import without
from adapters.registry import Registry
from hub.counted import counted
from hub.errors import Finding, HubError
from hub.kit import noise, planted, reach
from hub.kit.asked import asked
from hub.kit.bounded import now_at
from hub.kit.case import Case, shape_faults
from hub.kit.corpus import Hub, recognised
from hub.kit.declared import FAULTS
from hub.kit.fitting import fitted
from hub.kit.timed import timed
from hub.kit.told import OTHER, is_name, said_in, says, values_of
from hub.kit.tried import MOST_SECONDS, refusal_faults, there_and_back, tried
from hub.kit.values import hypothesis_strategies, paths, records, repaired, sample, ways
from hub.message import Category, Record

MADE, NOISE = 60, 600
"""Records and spoiled inputs per adapter, when nobody asks for more."""

_MOST_TOLD = 8
_MOST_SLOW = 3
_LEAST_REASON = 10


@dataclass(frozen=True)
class Check:
    """One promise: does it hold, and if not, where. `note` says how much was looked at. What was not
    `tried` does not hold."""

    name: str
    findings: tuple[Finding, ...] = ()
    note: str = ""
    tried: bool = True

    @property
    def holds(self) -> bool:
        return self.tried and not self.findings


def conform(case: Case, *, made: int = MADE, inputs: int = NOISE, seed: str = "conform") -> Iterator[Check]:
    """Every check in turn; only the first ones of a folder that is not as it must be, or has no example
    that can be tried. Raises settings.invalid where Hypothesis is not installed."""
    hypothesis_strategies()
    reach.watch()
    for check in lint(case):
        yield check
        if not check.tried:
            return
    if not case.bodies:
        yield REST
        return
    now_at(check="records")
    through, check = _records(case, made)
    yield check
    now_at(check="fields")
    yield _fields(case, through)
    now_at(check="labels")
    yield _labels(case, through)
    now_at(check="other records")
    yield _only_its_own(case)
    now_at(check="noise")
    yield _noise(case, inputs, seed)
    now_at(check="each place")
    yield _each_place(case, inputs, seed)
    now_at(check="hostile input")
    yield _hostile(case)
    yield Check("reach", reach.found(case.home.folder), "its own files and no others")


REST = Check(
    "the rest",
    note="not tried, since it runs the code on the examples; mend what is wrong first",
    tried=False,
)


def lint(case: Case) -> Iterator[Check]:
    """The quick ones: the folder, the registry, whose examples are whose, and that they can be read."""
    now_at(check="shape")
    folder = _shape(case)
    yield folder
    for name, faults in FAULTS.items():
        if (case.home.folder / name).is_file():
            yield Check("table", tuple(faults((case.home.folder / name).read_bytes(), case.spec)))
    yield _registered(case)
    if not folder.holds:
        yield REST
        return
    now_at(check="recognised")
    yield _recognised(case)
    now_at(check="examples")
    yield _examples(case)


# ------------------------------------------------------------------------------------ what it is


def _shape(case: Case) -> Check:
    return Check("shape", shape_faults(case.home))


def _registered(case: Case) -> Check:
    expected = f'a line in adapters/registry.py: *of("{case.home.name}"),'
    where = "an entry point" if case.home.offered else "a line in adapters/registry.py"
    if not case.home.registered:
        return Check("registered", (Finding(case.adapter.name, "registered", expected),))
    return Check("registered", note=where)


_NOBODYS = {
    "nobody's XML": b'<anything xmlns="urn:nobody"/>',
    "nobody's JSON": b'{"anything": "nobody"}',
    "nobody's FHIR": b'{"resourceType": "Basic"}',
}


def _recognised(case: Case) -> Check:
    """Each of its examples is taken for its own among all formats, and nobody else's is."""
    found = []
    for name, refused in case.strays.items():
        if refused.code == "parse.format-unknown":
            found.append(Finding(f"examples/{name}", "recognised", f"what {case.home.name} reads"))
        else:
            found.extend(_at(f"examples/{name}", refused))
    if not case.bodies and not case.strays:
        found.append(Finding("examples", "missing", f"an example that {case.adapter.name} recognises"))
    rest = (known for known in case.hub.registry.adapters if known.name != case.adapter.name)
    together = Hub(Registry((*rest, case.adapter)), case.hub.types, ())
    for name, body in case.bodies.items():
        taken = asked(recognised, together, body)
        if isinstance(taken, HubError) or taken.name != case.adapter.name:
            found.append(Finding(f"examples/{name}", "recognised", f"to be {case.adapter.name} and no other"))
    alone = Hub(Registry([case.adapter]), case.hub.types, ())
    for name, body in {**_NOBODYS, **case.others}.items():
        if not isinstance(asked(recognised, alone, body), HubError):
            found.append(Finding(name, "recognised", "left to the format it belongs to"))
    return Check(
        "recognised", tuple(found), f"{counted(len(case.bodies), 'example')}, {len(case.others)} of others"
    )


# -------------------------------------------------------------------------------- there and back


def _examples(case: Case) -> Check:
    found: list[Finding] = []
    for name, body in case.bodies.items():
        now_at(place=f"examples/{name}")
        record = asked(case.adapter.parse, body)
        if isinstance(record, HubError):
            found.extend(_at(f"examples/{name}", record))
            continue
        fits = case.spec.check(record.fields)
        misfits = [Finding(f"examples/{name} {fault.at}", fault.rule, fault.expected) for fault in fits]
        # What does not fit its type does not come back either, with the same words.
        found.extend(misfits or there_and_back(case, record, f"examples/{name}"))
        if not found and case.adapter.render(record) != case.adapter.render(record):
            found.append(Finding(f"examples/{name}", "same-bytes", "the same bytes for the same record"))
    return Check("examples", tuple(found), f"{len(case.bodies)} read, written, read again")


def _records(case: Case, made: int) -> tuple[list[Record], Check]:
    """Records made from the type: each comes back as it went, or is refused as one it cannot say. Of that
    one so much comes back as the format can say beside an example."""
    through: list[Record] = []
    bases = [without(record, case.adapter.loses) for record in case.records.values()]
    whole, in_part, refused = 0, 0, 0
    found: dict[Finding, None] = {}
    for number, record in enumerate(_made(case, made)):
        now_at(place=f"record {number}")
        said = without(record, case.adapter.loses)
        found.update(dict.fromkeys(_told_writing(case, said)))
        if _sayable(case, said):
            whole += 1
        elif bases and (part := fitted(bases[number % len(bases)], said, partial(_fits, case))) not in bases:
            record = said = part
            in_part += 1
        else:
            refused += 1
            continue
        faults = list(there_and_back(case, said, "made"))
        if not faults and record != said:
            faults = list(_left(case, record, said))
        found.update(dict.fromkeys(faults))
        if not faults:
            through.append(said)
    note = f"{whole} made ones came back as they went, {in_part} in part, {refused} were refused"
    return through, Check("records", tuple(found)[:_MOST_TOLD], note)


def _told_writing(case: Case, record: Record) -> Iterator[Finding]:
    refused = asked(case.adapter.render, record)
    if isinstance(refused, HubError):
        said = said_in(refused)
        told = [value for value in values_of(case.spec, [record]) if says(said, value)]
        told = [value for value in told if not is_name(value, case.bodies.values())]
        if any(_is_written_echo(case, record, value) for value in told):
            yield Finding("render", "value-told", "no word of the record in a finding")


def _sayable(case: Case, record: Record) -> bool:
    body = asked(case.adapter.render, record)
    return not (isinstance(body, HubError) and body.code == "render.incomplete")


def _fits(case: Case, record: Record) -> bool:
    return not case.spec.check(record.fields) and _sayable(case, record)


def _left(case: Case, record: Record, said: Record) -> Iterator[Finding]:
    """With what it leaves behind still in: the same without it, or a refusal."""
    body = asked(case.adapter.render, record)
    if isinstance(body, HubError):
        if body.code != "render.incomplete":
            yield from _at("made", body)
    elif asked(case.adapter.parse, body) != without(case.adapter.as_said(record), case.adapter.loses):
        yield Finding("loses", "read-back", "the record without what is left behind, or a refusal")


def _is_written_echo(case: Case, record: Record, value: str) -> bool:
    """Whether a word that is told was taken from the record: with another in its place, it is told no more.
    A made-up text can be a word of the sentence by chance."""
    again = asked(case.adapter.render, Record(record.type, _with_another(record.fields, value)))
    return not isinstance(again, HubError) or not says(said_in(again), value)


def _with_another(said: Any, value: str) -> Any:
    if isinstance(said, Mapping):
        return {name: _with_another(inside, value) for name, inside in said.items()}
    if isinstance(said, list):
        return [_with_another(inside, value) for inside in said]
    return said.lower().translate(OTHER) if isinstance(said, str) and said.lower() == value else said


def _made(case: Case, count: int) -> list[Record]:
    """The example records that fit their type, those of other formats, the whole sample, and `count` more
    from Hypothesis, the same each time."""
    from hypothesis import HealthCheck, Phase, given, settings

    fitting = [record for record in case.records.values() if not case.spec.check(record.fields)]
    made = [*fitting, *case.kin[:count], sample(case.spec, case.pool)]

    @settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(records(case.spec, case.pool))
    def collect(record: Record) -> None:
        made.append(record)

    collect()
    return made


# ---------------------------------------------------------------------------------- every field


def _fields(case: Case, through: list[Record]) -> Check:
    """Every field of the type came back at least once, or is left behind with a reason."""
    carried = {path for record in through for path in paths(record)}
    left = case.adapter.loses
    found = [
        Finding(f"loses {path}", "path", f"a field of {case.spec.name}")
        for path in left
        if path not in case.spec.by_path
    ]
    found += [
        Finding(
            f"loses {path}", "reason", f"a reason of {_LEAST_REASON} characters or more; this is too short"
        )
        for path, reason in left.items()
        if len(reason.strip()) < _LEAST_REASON
    ]
    missing = [
        spec.path for spec in case.spec.scalars if spec.path not in carried and not _is_left(spec.path, left)
    ]
    for path in missing:
        if not _grafted(case, path, through):
            found.append(
                Finding(
                    path, "coverage", "to come back (an example that has it shows so), or a reason in loses"
                )
            )
    total = len(case.spec.scalars)
    told = sum(_is_left(spec.path, left) for spec in case.spec.scalars)
    return Check("fields", tuple(found), f"{total - told} of {total} carried, {told} left behind on purpose")


def _is_left(path: str, left: Mapping[str, str]) -> bool:
    parts = path.split(".")
    return any(".".join(parts[: end + 1]) in left for end in range(len(parts)))


def _grafted(case: Case, path: str, through: list[Record]) -> bool:
    """Whether the field comes back when it is put into a record that does, beside what is there: one of the
    values that fit it, as a format may be narrower than the type."""
    pool, bases = case.pool, [*case.records.values(), *through[:1]][:2]
    for added in ways(case.spec, path, pool):
        for base in bases:
            merged = (_merged(base.fields, added, keep=keep) for keep in (True, False))
            for fields in (*merged, {**base.fields, **added}):
                record = Record(base.type, repaired(case.spec, copy.deepcopy(fields)))
                there = path in set(paths(record))
                if there and not list(there_and_back(case, record, "")):
                    return True
    return False


def _merged(base: Any, added: Any, *, keep: bool) -> Any:
    """Groups within groups; a list gets what is added to its first element. Without `keep` the innermost
    group is what is added and nothing else."""
    if isinstance(base, list) and isinstance(added, list) and base and isinstance(base[0], Mapping):
        return [_merged(base[0], added[0], keep=keep), *base[1:]]
    if not isinstance(base, Mapping) or not isinstance(added, Mapping):
        return added
    if not keep and not any(isinstance(value, Mapping | list) for value in added.values()):
        return added
    both = {name: _merged(base[name], added[name], keep=keep) for name in base.keys() & added.keys()}
    return {**base, **added, **both}


def _labels(case: Case, through: list[Record]) -> Check:
    """Nothing an adapter reads is without labels: what the type does not declare would never leave."""
    found: dict[Finding, None] = {}
    for record in [*case.records.values(), *through]:
        for leaf in case.spec.leaves(record):
            if not leaf.labels or Category.UNKNOWN in leaf.labels:
                found[Finding(leaf.field, "labels", "a field that the type declares, with its labels")] = None
    return Check("labels", tuple(found)[:_MOST_TOLD], counted(len(case.spec.scalars), "field"))


def _only_its_own(case: Case) -> Check:
    """Records of another type, or of no type at all, are refused as such."""
    found: list[Finding] = []
    other = next(name for name in sorted(case.hub.types) if name != case.spec.name)
    for name, record in {
        "another type": sample(case.hub.types[other]),
        "another type's fields": Record(case.spec.name, sample(case.hub.types[other]).fields),
        "no fields": Record(case.spec.name, {}),
        "nothing in its groups": Record(case.spec.name, {spec.name: {} for spec in case.spec.fields}),
    }.items():
        body = asked(case.adapter.render, record)
        if isinstance(body, HubError):
            if not body.code.startswith(("render.", "consent.")):
                found.extend(_at(f"render of {name}", body))
        elif name == "another type":
            found.append(Finding(f"render of {name}", "type", "render.incomplete"))
    return Check("other records", tuple(found))


# ---------------------------------------------------------------------------------------- spoiled


def _noise(case: Case, inputs: int, seed: str) -> Check:
    among = noise.seeds(list(case.bodies.values()))
    found: dict[Finding, list[int]] = {}
    slowest = 0.0
    for number in range(inputs):
        body = noise.spoiled(seed, number, among)
        now_at(place=f"input {number}")
        faults, seconds = tried(case, body)
        slowest = max(slowest, seconds)
        for fault in faults:
            found.setdefault(fault, []).append(number)
        slow = max((len(numbers) for fault, numbers in found.items() if fault.rule == "time"), default=0)
        if len(found) >= _MOST_TOLD or slow >= _MOST_SLOW:
            break
    told = tuple(_numbered(fault, numbers) for fault, numbers in found.items())
    tried_ = f"{counted(inputs, 'spoiled input')}, slowest {slowest * 1000:.0f} ms"
    return Check("noise", told, tried_)


def _numbered(fault: Finding, numbers: list[int]) -> Finding:
    more = f" and {len(numbers) - 1} more" if len(numbers) > 1 else ""
    return replace(fault, expected=f"{fault.expected} (input {numbers[0]}{more})")


def _each_place(case: Case, inputs: int, seed: str) -> Check:
    """A word in the place of each value, and one where nobody looks for it: read, or refused in silence."""
    found = dict.fromkeys(planted.reasons(case.adapter.passes_over, _LEAST_REASON))
    # What the national formats of ours pass over follows from their profiles, which say so of each element.
    known = case.adapter.national and case.home.offered is None
    sown = planted.every(noise.seeds(list(case.bodies.values())), inputs, seed)
    for one in sown:
        now_at(place=one.at)
        faults, _ = tried(case, one.body)
        found.update(dict.fromkeys(replace(fault, at=f"{one.at} {fault.at}") for fault in faults))
        if not known and isinstance(record := asked(case.adapter.parse, one.body), Record):
            found.update(dict.fromkeys(planted.faults(one, record, case.adapter.passes_over)))
        if len(found) >= _MOST_TOLD:
            break
    return Check("each place", tuple(found)[:_MOST_TOLD], counted(len(sown), "word") + " planted")


def _hostile(case: Case) -> Check:
    found: list[Finding] = []
    inputs = dict(noise.hostile())
    for name, body in list(case.bodies.items())[:1]:
        inputs |= {f"{what} ({name})": spoiled for what, spoiled in noise.around(body).items()}
    for name, body in inputs.items():
        now_at(place=name)
        seconds, result = timed(partial(asked, case.adapter.parse, body), MOST_SECONDS)
        if not isinstance(result, HubError):
            found.append(Finding(name, "refused", "a parse code"))
        else:
            found.extend(
                Finding(name, fault.rule, fault.expected) for fault in refusal_faults(case, body, result)
            )
        if seconds > MOST_SECONDS:
            found.append(Finding(name, "time", f"at most {MOST_SECONDS:.0f} s"))
    return Check("hostile input", tuple(found), counted(len(inputs), "input"))


def _at(where: str, refused: HubError) -> Iterable[Finding]:
    whole = [Finding("", refused.code, "no refusal")]
    return [
        Finding(f"{where} {f.at}".strip(), f.rule, f.expected, f.line, f.column)
        for f in refused.findings or whole
    ]
