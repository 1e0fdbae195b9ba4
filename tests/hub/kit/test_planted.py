"""Understands that what an adapter drops, cuts or tells of a value is seen, whatever place it has."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import Findings
from hub.errors import Finding, HubError
from hub.kit import conform as kit
from hub.kit import noise, planted, reach
from hub.kit.asked import asked
from hub.kit.case import Case
from hub.kit.checked import cases, loaded
from hub.kit.told import all_in_body, all_said, by_start, says
from hub.message import Record

HUB = loaded()
PLAIN = next(cases("json:bolig.svar", HUB))
BRIK = next(cases("brik-xml", HUB))
Parse = Callable[[bytes], Record]


def found(case: Case, parse: Parse, words: tuple[str, ...] = planted.WORDS[:3], **more: object) -> set[str]:
    """The rules of what is found, with such a `parse` in the place of the right one."""
    adapter = replace(case.adapter, parse=parse, partly=None, locate=None, **more)  # type: ignore[arg-type]  # of Adapter
    one = next(iter(case.bodies.items()))
    case = replace(case, adapter=adapter, bodies=dict([one]))
    with pytest.MonkeyPatch.context() as patch:  # the others are for what is slow
        patch.setattr(planted, "WORDS", words)
        return {fault.rule for fault in kit._each_place(case, 10**6, "a").findings}


def without(*ends: str) -> Parse:
    """BRIK XML that passes over what the format has no name for."""

    def parse(body: bytes) -> Record:
        for end in ends:
            body = re.sub(end.encode(), b"", body)
        return BRIK.adapter.parse(body)

    return parse


def changed(how: Callable[[dict[str, object]], object]) -> Parse:
    def parse(body: bytes) -> Record:
        record = PLAIN.adapter.parse(body)
        fields = dict(record.fields)
        how(fields)
        return Record(record.type, fields)

    return parse


def _cut(fields: dict[str, object]) -> None:
    fields["refusjon"] = str(fields.get("refusjon"))[:80]


def _closed(fields: dict[str, object]) -> None:
    if fields.get("status") not in ("mottatt", "tildelt", "avslag"):
        fields["status"] = "mottatt"


SILENT = {
    "a value that is not known becomes one that is": (changed(_closed), "unread"),
    "a long text is cut": (changed(_cut), "cut"),
    "a key that nobody knows": (changed(lambda fields: fields.pop(noise.MARKER, None)), "unknown"),
}


@pytest.mark.parametrize(("parse", "rule"), SILENT.values(), ids=SILENT)
def test_what_is_dropped_in_silence_is_seen(parse: Parse, rule: str) -> None:
    assert rule in found(PLAIN, parse)


@pytest.mark.parametrize("end", [rf' {noise.MARKER}="\w+"', rf"<{noise.MARKER}\b[^>]*>\w+</{noise.MARKER}>"])
def test_so_is_an_attribute_or_an_element_that_nobody_knows(end: str) -> None:
    assert found(BRIK, without(end)) == {"unknown"}


def test_so_is_one_more_of_an_element() -> None:
    def first(body: bytes) -> Record:
        """The first of several, and no word of the others."""
        return BRIK.adapter.parse(re.sub(rb"(<Enhet>[^<]*</Enhet>)\s*<Enhet>[^<]*</Enhet>", rb"\1", body))

    assert found(BRIK, first) == {"unknown"}


def test_what_holds_other_keys_in_a_list_is_another_place() -> None:
    listed = [{"a": "x"}, {"b": {"a": "y"}}, {"a": "z"}, {"b": {"c": "y"}}]
    (seed,) = noise.seeds([json.dumps({"l": listed, "m": ["u", "v"]}).encode()])

    assert [one.at for one in planted.spoken(seed, "w")] == ["$.l[].a", "$.l[1].b.a", "$.l[3].b.c", "$.m[]"]


def test_one_more_in_a_list_is_put_first_and_last() -> None:
    """Who reads the first alone drops the one, who reads the last alone the other."""
    (seed,) = noise.seeds([b'{"m": ["u"]}'])
    more = [json.loads(one.body)["m"] for one in planted.strange(seed) if one.at.startswith("$.m[]")]

    assert more == [[noise.MARKER, "u"], ["u", noise.MARKER]]


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("$.entry[3].resource.identifier[][1]", ".resource.identifier[]"),
        ("$.entry[12].resource.identifier[][2]", "$.entry[].resource.identifier[]"),
        ("$.entry[3].title", ".entry[].title"),
        ("/Bundle/entry/title[2]", "/entry/title"),
    ],
)
def test_a_place_that_is_passed_over_is_named_without_which_of_several(at: str, end: str) -> None:
    one, record = planted.Planted(at, None, bytes), Record("x", {})

    assert list(planted.faults(one, record, (end,))) == []
    assert [fault.rule for fault in planted.faults(one, record, (".name",))] == ["unknown"]


def test_what_is_passed_over_for_a_reason_is_not_told() -> None:
    parse = changed(lambda fields: fields.pop(noise.MARKER, None))

    assert found(PLAIN, parse, passes_over={".*": "the format allows what it does not name"}) == set()


@pytest.mark.parametrize(("place", "rule"), [("", "place"), ("*", "place"), (".*", "reason")])
def test_a_place_needs_its_form_and_its_reason(place: str, rule: str) -> None:
    assert {fault.rule for fault in planted.reasons({place: "short"}, 10)} >= {rule}


def test_the_right_ones_have_nothing_of_it() -> None:
    for case in (PLAIN, BRIK):
        assert kit._each_place(case, 60, "a").findings == ()


# ------------------------------------------------------------------------------------------ told

ECHOES: dict[str, Callable[[str], str]] = {
    "whole": lambda value: value,
    "its beginning": lambda value: value[:6],
    "its end": lambda value: value[-6:],
    "backwards": lambda value: value[::-1],
    "letter by letter": " ".join,
    "in capitals": str.upper,
}


def _echoing(told: Callable[[str], str]) -> Parse:
    def parse(body: bytes) -> Record:
        record = PLAIN.adapter.parse(body)
        value = str(record.get("venteliste_dato") or "2026-11-20")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            faults = Findings()
            faults.add("venteliste_dato", "date", f"a date, not {told(value)}")
            faults.finish()
        return record

    return parse


@pytest.mark.parametrize("told", ECHOES.values(), ids=ECHOES)
def test_a_piece_of_one_value_in_a_refusal_is_seen(told: Callable[[str], str]) -> None:
    assert found(PLAIN, _echoing(told)) == {"value-told"}


def test_a_refusal_that_says_nothing_of_it_is_right() -> None:
    assert found(PLAIN, _echoing(lambda _: "another")) == set()


@pytest.mark.parametrize(
    ("line", "column", "is_there"),
    [(None, None, True), (1, 1, True), (2, 4, True), (3, 1, True), (0, 1, False), (4, 1, False),
     (1, 6, False), (15859010099, None, False), (1, 0, False), (1, 15859010099, False)],
)  # one row per entry # fmt: skip
def test_a_line_and_a_column_are_of_the_body(line: int | None, column: int | None, is_there: bool) -> None:
    assert all_in_body([Finding("a", "b", "c", line, column)], b"abc\r\nde") is is_there


def test_a_value_in_the_place_of_a_line_is_seen() -> None:
    def parse(body: bytes) -> Record:
        record = PLAIN.adapter.parse(body)
        if record.get("venteliste_dato") == noise.MARKER:
            raise HubError("parse.invalid", [Finding("a", "b", "c", line=15859010099)])
        return record

    assert "place" in found(PLAIN, parse)


# ------------------------------------------------------------------------------------------ slow


def test_an_expression_that_tries_every_way_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.kit.tried.MOST_SECONDS", 0.02)

    def parse(body: bytes) -> Record:
        record = PLAIN.adapter.parse(body)
        re.fullmatch(r"(?:\d+\.?){2}x", str(record.get("refusjon")))
        return record

    assert found(PLAIN, parse, planted.WORDS) == {"time"}


# ----------------------------------------------------------------------------------------- reach


def _reads(path: Path) -> Callable[[], None]:
    return lambda: path.open("rb").close()


def _connects() -> None:
    import socket

    socket.socket().close()


REACHING = {
    "a file of the system": (_reads(Path("/etc/hostname")), "open"),
    "its folder": (lambda: list(Path("/tmp").iterdir()) and None, "os.listdir"),
    "a socket": (_connects, "socket.__new__"),
}


@pytest.mark.parametrize(("do", "event"), REACHING.values(), ids=REACHING)
def test_what_is_reached_for_in_a_call_is_seen(do: Callable[[], None], event: str, tmp_path: Path) -> None:
    reach.watch()
    do()
    assert reach.found(tmp_path) == ()

    asked(do)

    assert event in {fault.at for fault in reach.found(tmp_path)}


def test_its_own_files_are_read_and_not_written(tmp_path: Path) -> None:
    own = tmp_path / "table.json"
    reach.watch()
    asked(own.write_text, "{}")
    assert [fault.at for fault in reach.found(tmp_path)] == ["open"]

    reach.watch()
    asked(_reads(own))

    assert reach.found(tmp_path) == ()
    assert [fault.at for fault in reach.found(tmp_path / "another")] == ["open"]


def test_an_import_at_first_use_may_look_around_and_keep_its_bytecode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.syspath_prepend(tmp_path / "empty")
    (tmp_path / "empty").mkdir()
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    reach.watch()

    asked(importlib.import_module, "colorsys")

    assert list(tmp_path.rglob("colorsys*.pyc"))
    assert reach.found(tmp_path / "own") == ()


def test_a_module_from_elsewhere_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "from_elsewhere.py").write_text("")
    reach.watch()

    asked(importlib.import_module, "from_elsewhere")

    assert [fault.at for fault in reach.found(tmp_path / "own")] == ["open"]


def test_conform_tells_of_it() -> None:
    def parse(body: bytes) -> Record:
        Path("/etc/hostname").exists()
        Path("/etc/hostname").read_bytes()
        return BRIK.adapter.parse(body)

    case = replace(BRIK, adapter=replace(BRIK.adapter, parse=parse))
    checks = {check.name: check for check in kit.conform(case, made=2, inputs=2)}

    assert [fault.rule for fault in checks["reach"].findings] == ["reach"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("/a/b\ncode\nnordlia legesenter", {"nordlia legesenter", "nordlia"}),  # two of one start
        ("nordlia", {"nordlia"}),
        ("x nordlia", {"nordlia"}),
        ("nordliaer, 2026-10-01t12", set()),  # a part of another word
        ("2026-10-01", {"2026-10-01"}),
        ("b20", set()),  # shorter than any
        ("b20 or b201", {"b201"}),
        ("", set()),
    ],
)  # one row per refusal # fmt: skip
def test_a_value_that_is_told_is_found_among_all(said: str, told: set[str]) -> None:
    values = {"nordlia legesenter", "nordlia", "2026-10-01", "b201", "kari nordmann"}
    assert set(all_said(said, by_start(values))) == told == {value for value in values if says(said, value)}
