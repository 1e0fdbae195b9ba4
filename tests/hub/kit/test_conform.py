"""Understands that every adapter of ours conforms, and that a broken promise is seen by its name."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters import registry
from adapters.base import Adapter, Sniff
from adapters.registry import ADAPTERS
from hub.cli import lint as lint_command
from hub.cli.main import main
from hub.errors import Finding, HubError
from hub.kit import checked, noise, shape, told, values
from hub.kit import conform as kit
from hub.kit import tried as trying
from hub.kit.case import Case, case_of
from hub.kit.checked import cases, checks, loaded
from hub.kit.homes import OURS
from hub.kit.purity import purity
from hub.message import Record
from mappings.types import load_types

HUB = loaded()
PLAIN = [adapter.name for adapter in HUB.registry.adapters if adapter.name.startswith("json:")]


@pytest.mark.parametrize("name", [adapter.name for adapter in ADAPTERS])
def test_every_adapter_of_ours_conforms(name: str) -> None:
    found = list(checks(name, made=4, inputs=60))

    assert {check.name: check.findings for check in found if not check.holds} == {}
    assert len(found) == 12 + (name == "brik-xml")  # it alone of ours follows from a schema


@pytest.mark.parametrize("name", PLAIN)
def test_plain_json_of_every_type_conforms(name: str) -> None:
    assert {c.name: c.findings for c in checks(name, made=5, inputs=40) if not c.holds} == {}


CASE = next(cases("brik-xml", HUB))


def wrong(adapter: Adapter, *, inputs: int = 60) -> dict[str, tuple[Finding, ...]]:
    """Which checks an adapter in the place of BRIK XML fails."""
    records = {name: adapter.parse(body) for name, body in CASE.bodies.items()}
    case = replace(CASE, adapter=adapter, records=records)
    return {c.name: c.findings for c in kit.conform(case, made=10, inputs=inputs) if not c.holds}


def without(*names: str) -> Callable[[Record], bytes]:
    return lambda record: CASE.adapter.render(
        Record(record.type, {k: v for k, v in record.fields.items() if k not in names})
    )


def _slow(body: bytes) -> Record:
    if b"KANARI" in body:
        time.sleep(trying.MOST_SECONDS + 0.1)
    return CASE.adapter.parse(body)


def _raises(body: bytes) -> Record:
    if b"KANARI" in body:
        raise KeyError(body)
    return CASE.adapter.parse(body)


def _tells(body: bytes) -> Record:
    if b"KANARI" in body:
        raise HubError("parse.invalid", [Finding(noise.MARKER, "x", "y")])
    return CASE.adapter.parse(body)


def _tells_whose(body: bytes) -> Record:
    """Tells a broken message by the number of the person in it."""
    try:
        return CASE.adapter.parse(body)
    except HubError as refused:
        number = re.search(rb"\d{11}", body)
        whose = number.group().decode() if number else "?"
        raise HubError(refused.code, [Finding("person.id", "x", f"a whole message on {whose}")]) from None


def _tells_in_capitals(body: bytes) -> Record:
    try:
        return CASE.adapter.parse(body)
    except HubError as refused:
        where = b"FURULUND FENGSEL" if b"Furulund fengsel" in body else b"?"
        raise HubError(refused.code, [Finding(where.decode(), "x", "y")]) from None


def _says_of_itself(body: bytes) -> Record:
    """A date of the example stands in a sentence of the adapter's own."""
    try:
        return CASE.adapter.parse(body)
    except HubError as refused:
        date = min(value for value in CASE.values if re.fullmatch(r"\d{4}-\d\d-\d\d", value))
        raise HubError(refused.code, [Finding("dato", "date", f"a date such as {date}")]) from None


def _says_of_itself_writing(record: Record) -> bytes:
    """A number that records are made of stands in a sentence of the adapter's own."""
    if "fritid" in record.fields:
        number = CASE.records["kartlegging.xml"].get("person.id")
        raise HubError("render.incomplete", [Finding("fritid", "x", f"a number such as {number}")])
    return CASE.adapter.render(record)


def _tells_writing(record: Record) -> bytes:
    if "fritid" in record.fields:
        raise HubError("render.incomplete", [Finding("fritid", "x", f"not for {record.get('person.id')}")])
    return CASE.adapter.render(record)


def _unfolds(body: bytes) -> Record:
    return CASE.adapter.parse(CASE.bodies["kartlegging.xml"] if b"<!DOCTYPE" in body else body)


def _undeclared(body: bytes) -> Record:
    record = CASE.adapter.parse(body)
    return Record(record.type, {**record.fields, "more": "x"})


BROKEN: dict[str, tuple[Callable[[Adapter], Adapter], str]] = {
    "a field is lost": (lambda a: replace(a, render=without("bolig")), "records"),
    "a field is never written": (lambda a: replace(a, render=without("nettverk", "fritid")), "fields"),
    "the examples are lost": (lambda a: replace(a, render=without("person")), "examples"),
    "something is never declared": (lambda a: replace(a, parse=_undeclared), "labels"),
    "it raises something else": (lambda a: replace(a, parse=_raises), "noise"),
    "it tells a value": (lambda a: replace(a, parse=_tells), "noise"),
    "it tells whose message it is": (lambda a: replace(a, parse=_tells_whose), "noise"),
    "it tells a name in other letters": (lambda a: replace(a, parse=_tells_in_capitals), "noise"),
    "it tells whom it cannot write of": (lambda a: replace(a, render=_tells_writing), "records"),
    "it reads what it must refuse": (lambda a: replace(a, parse=_unfolds), "hostile input"),
    "it takes everything": (lambda a: replace(a, recognise=lambda _: True), "recognised"),
    "it takes nothing": (lambda a: replace(a, recognise=lambda _: False), "recognised"),
    "it writes what is not its own": (lambda a: replace(a, render=lambda _: b"<a/>"), "other records"),
    "it leaves behind what is no field": (
        lambda a: replace(a, loses={"x": "no such field"}),
        "fields",
    ),
    "it leaves behind without a reason": (lambda a: replace(a, loses={"bolig": ""}), "fields"),
    "it is nobody's": (lambda a: a, "registered"),
}


@pytest.mark.parametrize(("broken", "seen"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_promise_is_seen(broken: Callable[[Adapter], Adapter], seen: str) -> None:
    if seen == "registered":
        home = replace(CASE.home, adapters=(replace(CASE.adapter),))
        assert not kit._registered(replace(CASE, home=home)).holds
        return
    assert seen in wrong(broken(CASE.adapter))


@pytest.mark.parametrize("parse", [_tells_whose, _tells_in_capitals])
def test_an_echo_of_the_example_is_told_as_that(parse: Callable[[bytes], Record]) -> None:
    rules = {fault.rule for fault in wrong(replace(CASE.adapter, parse=parse), inputs=120)["noise"]}

    assert rules == {"value-told"}


def test_what_an_adapter_says_of_itself_is_no_echo() -> None:
    assert "noise" not in wrong(replace(CASE.adapter, parse=_says_of_itself))
    assert "records" not in wrong(replace(CASE.adapter, render=_says_of_itself_writing))


@pytest.mark.parametrize(
    ("said", "is_told"), [("stottefrahusbankenfeilet", False), ("a: husbanken", True), ("husbanken", True)]
)
def test_a_part_of_a_word_is_no_value(said: str, is_told: bool) -> None:
    assert told.says(said, "husbanken") is is_told


def test_what_an_element_is_called_is_no_value() -> None:
    assert told.is_name("furulund", [b"<Furulund>x</Furulund>"])
    assert told.is_name("furulund", [b'{"Furulund" : 1}'])
    assert not told.is_name("furulund", [b"<a>Furulund</a>", b'{"a": "Furulund"}'])


def test_an_adapter_that_takes_long_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.kit.tried.MOST_SECONDS", 0.05)
    body = CASE.bodies["kartlegging.xml"].replace(b"Furulund", b"KANARI7c1f", 1)
    assert body != CASE.bodies["kartlegging.xml"]

    faults, seconds = trying.tried(replace(CASE, adapter=replace(CASE.adapter, parse=_slow)), body)

    assert [fault.rule for fault in faults] == ["time"]
    assert seconds > 0.05


def test_an_adapter_that_takes_long_to_find_a_fault_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.kit.tried.MOST_SECONDS", 0.05)
    body = CASE.bodies["kartlegging.xml"].replace(b"2026-", b"1650-")

    def locate(body: bytes, found: Iterable[Finding]) -> list[Finding]:
        time.sleep(0.1)
        return list(found)

    faults, seconds = trying.tried(replace(CASE, adapter=replace(CASE.adapter, locate=locate)), body)

    assert [fault.rule for fault in faults] == ["time"]
    assert seconds > 0.05


def _breaks(*_: object) -> Any:
    raise KeyError


BREAKING: dict[str, tuple[dict[str, Any], str]] = {
    "what can be read of it": ({"partly": _breaks}, "KeyError"),
    "where it stands": ({"locate": _breaks}, "KeyError"),
    "a value for a place": (
        {
            "locate": lambda body, found: [
                Finding("Furulund fengsel" if b"Furulund f" in body else "", "r", "e")
            ]
        },
        "value-told",
    ),
}


@pytest.mark.parametrize("refused_by_the_format", [True, False])
@pytest.mark.parametrize(("part", "rule"), BREAKING.values(), ids=BREAKING)
def test_so_is_what_an_adapter_says_of_a_message_that_is_refused(
    part: dict[str, Any], rule: str, *, refused_by_the_format: bool
) -> None:
    body = CASE.bodies["kartlegging.xml"].replace(b"03899141236", b"03899141237", 1)
    if refused_by_the_format:
        body = body.replace(b"<Enhet>", b"<X/><Enhet>", 1)
    asked = refused_by_the_format or "partly" not in part

    faults, _ = trying.tried(replace(CASE, adapter=replace(CASE.adapter, **part)), body)

    assert [fault.rule for fault in faults] == ([rule] if asked else [])


def test_a_fault_is_told_once_with_the_first_input_and_how_many_more() -> None:
    found = wrong(replace(CASE.adapter, parse=_tells), inputs=200)["noise"]

    [told] = [fault.expected for fault in found]
    assert re.fullmatch(r"no word of the message in a finding \(input \d+ and \d+ more\)", told)


def test_what_takes_long_is_not_tried_with_every_input(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[bytes] = []

    def slow(_: Case, body: bytes) -> tuple[list[Finding], float]:
        tried.append(body)
        return [Finding("parse", "time", "at most 2 s")], 3.0

    monkeypatch.setattr(kit, "tried", slow)

    assert not kit._noise(CASE, 600, "a").holds
    assert len(tried) == 3


def test_what_is_left_behind_on_purpose_need_not_come_back() -> None:
    left = replace(CASE.adapter, render=without("bolig"), loses={"bolig": "the format has no place for it"})

    found = wrong(left)

    assert set(found) <= {"examples", "noise"}  # an example with a dwelling is no example of this format


def test_a_refusal_of_what_is_left_behind_is_as_good() -> None:
    def render(record: Record) -> bytes:
        if "fritid" in record.fields:
            raise HubError("render.incomplete")
        return CASE.adapter.render(record)

    left = replace(CASE.adapter, render=render, loses={"fritid": "the format has no place for it"})

    assert "records" not in wrong(left)
    assert "fields" not in wrong(left)


# ------------------------------------------------------------------------------- the folder


def test_our_own_code_needs_no_exception() -> None:
    folders = [path.parent for path in OURS.glob("*/adapter.py")]

    assert {f.name: purity(f, f"adapters.{f.name}") for f in folders} == {f.name: () for f in folders}


def test_an_empty_folder_says_all_that_is_missing(tmp_path: Path) -> None:
    assert {f.at for f in shape.faults(tmp_path, "x", ("x",))} == {
        "__init__.py",
        "adapter.py",
        "README.md",
        "examples",
    }


def test_what_cannot_be_read_here_has_no_place_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "fast.so").write_bytes(b"\x7fELF")

    assert ("fast.so", "file-type") in {(f.at, f.rule) for f in shape.faults(tmp_path, "x", ())}


# ------------------------------------------------------------------------- what it is tried with


@pytest.mark.parametrize("name", sorted(load_types()))
def test_the_sample_of_every_type_is_whole_and_fits(name: str) -> None:
    spec = load_types()[name]

    record = values.sample(spec)

    assert spec.check(record.fields) == ()
    together = {field.path for field in spec.scalars if not field.not_beside}
    assert set(values.paths(record)) == together


def test_an_input_of_noise_can_be_made_again_by_its_number() -> None:
    among = noise.seeds([*CASE.bodies.values(), (OURS / "fhir_tsb/examples/henvisning.json").read_bytes()])

    some = [noise.spoiled("a", number, among) for number in range(300)]

    assert [noise.spoiled("a", number, among) for number in range(300)] == some
    assert len(set(some)) > 290
    assert [noise.spoiled("b", number, among) for number in range(300)] != some
    assert max(len(body) for body in some) <= noise.MAX_BYTES


def test_much_of_the_noise_goes_beyond_the_first_check() -> None:
    among = noise.seeds(list(CASE.bodies.values()))
    codes = [code_of(noise.spoiled("a", number, among)) for number in range(300)]

    assert codes.count("parse.invalid") > 80
    assert codes.count("parse.malformed") > 30
    assert codes.count("read") > 5


def code_of(body: bytes) -> str:
    try:
        CASE.adapter.parse(body)
    except HubError as refused:
        return refused.code
    return "read"


# --------------------------------------------------------------------------------- the commands


def test_a_folder_stands_for_its_own_adapters_and_not_for_those_it_imports() -> None:
    assert [case.adapter.name for case in cases("nav_apprec", HUB)] == ["nav-apprec-1.0", "nav-apprec-1.1"]


def test_bro_lint_runs_the_quick_checks_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = lint_command._ours()
    assert one == ()
    monkeypatch.setattr(kit, "_examples", lambda case: kit.Check("examples", (Finding("a.b", "x", "y"),)))
    lint_command._ours.cache_clear()
    monkeypatch.setattr(registry, "ADAPTERS", (*registry.ADAPTERS, replace(CASE.adapter, name="another")))
    monkeypatch.setattr(checked, "ADAPTERS", registry.ADAPTERS)
    try:
        assert main(["lint", "--json"]) == 1
    finally:
        lint_command._ours.cache_clear()

    faults = [f for f in json.loads(capsys.readouterr().out)["faults"] if f["part"] == "adapters"]
    assert ("brik-xml a.b", "x") in {(fault["at"], fault["rule"]) for fault in faults}
    assert ("another registered", "folder") in {(fault["at"], fault["rule"]) for fault in faults}


def test_a_folder_that_is_not_there_is_told_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adapter", "corpus", "not/here-01017012345"]) == 2

    said = capsys.readouterr().err
    assert "'not/here-…' does not exist" in said


def test_conform_ends_with_1_and_names_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kit, "_labels", lambda *_: kit.Check("labels", (Finding("a.b", "labels", "some"),)))

    code = main(["adapter", "conform", "brik-xml", "--made", "2", "--inputs", "2"])

    out = capsys.readouterr().out
    assert code == 1
    assert "labels         WRONG  1 fault" in out
    assert "a.b: expected some [labels]" in out
    assert "IT DOES NOT CONFORM." in out


def test_lint_and_show_take_a_folder_or_an_adapter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adapter", "lint", "fhir_tsb"]) == 0
    assert main(["adapter", "lint", "json:epikrise"]) == 0
    capsys.readouterr()
    assert main(["adapter", "show", "fhir-tsb", "--json"]) == 0
    [shown] = json.loads(capsys.readouterr().out)
    assert shown["written_for"] == ["brik-tsb-henvisning", "henvisning-tsb"]


@pytest.mark.parametrize("name", ["nothing", "../hub", "json:", ""])
def test_an_adapter_that_is_not_there_is_told_as_that(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adapter", "show", name]) == 2
    assert "adapter.unknown" in capsys.readouterr().err


def test_the_case_of_a_type_that_nobody_declares_is_told() -> None:
    with pytest.raises(HubError) as refused:
        case_of(HUB, CASE.home, replace(CASE.adapter, type="nothing"), {})

    assert refused.value.code == "adapter.unknown"


def test_an_adapter_without_an_example_has_those_of_its_folder_as_it_writes_them() -> None:
    twin = replace(CASE.adapter, name="brik-twin", recognise=lambda _: False)
    home = replace(CASE.home, adapters=(CASE.adapter, twin))

    with pytest.MonkeyPatch.context() as patch:  # the README of the folder does not name the twin
        patch.setattr("hub.kit.case.shape_faults", lambda home: ())
        case = case_of(HUB, home, twin, {})

    assert list(case.bodies) == [f"{name} as brik-twin" for name in CASE.bodies]
    assert list(case.records.values()) == list(CASE.records.values())


def test_a_case_knows_the_values_of_its_examples() -> None:
    assert isinstance(CASE, Case)
    assert "Furulund fengsel" in CASE.pool["enhet"]
    assert Sniff("application/xml", root="x").root == "x"
