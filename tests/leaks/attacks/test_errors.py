"""What is said when something is wrong: attacks 23, 24, 26 and 28. A code and a kind of place, in the
answer, in the log at any level, on the terminal; never what was wrong.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import json
import logging
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click import Command, Group, Option
from sqlalchemy import text

import hub.message
from adapters.base import Adapter
from consent import freetext
from hub import desk, hand_over, intake, pipeline, routes, settle
from hub.cli.logs import Lines
from hub.cli.main import bro
from hub.cli.main import main as command
from hub.console.app import mount
from hub.parts import Parts
from hub.store import consents, messages
from hub.vault import Vault
from mappings.types import TypeSpec
from tests.leaks import messages as m
from tests.leaks.attacking import (
    accepted,
    agree,
    bare_brik,
    places,
    post_brik,
    post_summary,
    put,
    some_id,
    summary,
)
from tests.leaks.canaries import leaks
from tests.leaks.lab import Lab, evidence
from tests.leaks.messages import JSON
from tests.leaks.refused import BAD, calls, posts
from tests.servers import PostgreSQL

MARK = "kanarifeil"


def test_no_validator_repeats_what_it_refused(lab: Lab) -> None:
    """Attack 23: JSON, FHIR, BRIK, consents, tokens, addresses, headers, each wrong in every way we know."""
    refusals = 0
    for name, key, media_type, body in posts(lab.parts):
        call = lab.post(key, media_type, body)
        assert 400 <= call.status < 500 or "same id" in name, (name, call.status)
        refusals += call.status >= 400
    for key, method, path, headers in calls():
        assert 400 <= lab.call(key, method, path, headers=dict(headers)).status < 500
    lab.settle()
    assert refusals > 70
    unlawful = [leak for leak in leaks(evidence(lab)) if leak.slot.startswith(("bad", "brik", "epikrise"))]
    assert unlawful == []


@pytest.mark.parametrize("kind", ["code", "date", "number", "boolean", "text too long", "list"])
def test_every_field_of_a_type_refuses_without_repeating(lab: Lab, kind: str) -> None:
    """Attack 23: a wrong value of each kind in every field, all at once, so that every finding is made."""
    wrong: dict[str, Any] = {
        "code": MARK,
        "date": f"2026-13-{MARK}",
        "number": [MARK],
        "boolean": {MARK: MARK},
        "text too long": MARK * 3000,
        "list": [{MARK: [MARK]}],
    }
    for message_type, key in (("tsb.henvisning", "prison_health"), ("opphold.loslatelsesdato", "prison"), ("samtykke.gitt", "prison_health")):  # one row per case # fmt: skip
        fields: m.Fields = {"type": message_type, "melding": {"id": some_id(), "sendt": m.SENT}}
        for spec in lab.parts.types[message_type].scalars:
            if not spec.path.startswith("melding."):
                with contextlib.suppress(AttributeError, TypeError):
                    put(fields, spec.path, wrong[kind])
        call = lab.post(key, JSON, m.as_json(fields))
        assert 400 <= call.status < 500
    assert places(lab, MARK) == set()


def _commands(group: Group, *words: str) -> Iterator[tuple[tuple[str, ...], Command]]:
    for name, found in group.commands.items():
        if isinstance(found, Group):
            yield from _commands(found, *words, name)
        else:
            yield (*words, name), found


LONG_RUNNING = {("demo",), ("test",), ("up",), ("serve",), ("work",)}


def test_no_command_repeats_an_identity_number_that_was_typed_by_mistake(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack 23: what is typed ends in the history of a terminal, and what is printed in somebody's ticket.
    Every command with a number where an id, a word or a file is expected."""
    monkeypatch.setenv("BRO_STORE", f"sqlite:///{tmp_path}/none/bro.sqlite")
    number = "14839030186"
    tried = 0
    for words, found in _commands(bro):
        if words in LONG_RUNNING or words[0] in ("prove", "bench"):
            continue
        options = [p for p in found.params if isinstance(p, Option) and not p.is_flag]
        given = [[number], [number, number], *([option.opts[0], number] for option in options)]
        for arguments in given:
            tried += 1
            capsys.readouterr()
            command([*words, *arguments])
            said = "".join(capsys.readouterr())
            assert number not in said, (words, arguments)
    assert tried > 20


def test_no_form_and_no_address_of_the_console_repeats_what_was_sent(lab: Lab) -> None:
    """Attack 23: query strings, paths, cookies and posted forms, from outside and from inside."""
    key = "a-key-of-the-console-that-is-long-enough-for-it"
    mount(lab._app, lab.parts, key)
    entered = lab.call("", "GET", f"/console/enter?key={key}")
    cookie = dict(entered.headers)["set-cookie"].partition(";")[0]
    pages = list(_console_paths(lab))
    for inside in (False, True):
        headers = {
            "Cookie": f"{cookie if inside else 'a=b'}; bro_language={MARK}; {MARK}={MARK}",
            "Referer": f"http://{MARK}/",
        }
        for path in (*pages, "/nowhere", f"/{MARK}", f"/static/{MARK}"):
            for query in (f"?lang={MARK}", f"?key={MARK}&q={MARK}&{MARK}=1"):
                lab.call("", "GET", f"/console{path}{query}", headers=headers)
                lab.call(
                    "",
                    "POST",
                    f"/console{path}{query}",
                    headers=headers,
                    data={"reason": MARK, "ground": MARK, MARK: MARK},
                )
    assert places(lab, MARK) == set()


def _console_paths(lab: Lab) -> Iterator[str]:
    """Every address of the console; whatever stands in braces is a marker."""
    for route in lab._app.router.routes:
        if getattr(route, "name", "") == "console":
            for room in route.routes:  # type: ignore[attr-defined]  # a mounted Starlette
                yield re.sub(r"\{[^}]*\}", MARK, getattr(room, "path", ""))


STEPS: tuple[tuple[str, object, str], ...] = (
    ("parse", pipeline, "parse"),
    ("check", TypeSpec, "check"),
    ("label", pipeline, "label"),
    ("scan", freetext, "scan_all"),
    ("open the file", intake, "_person"),
    ("keep", messages, "keep"),
    ("route", routes, "find"),
    ("decide", pipeline, "decide"),
    ("permit", pipeline, "permit"),
    ("translate", pipeline, "translate"),
    ("render", Adapter, "render"),
    ("seal", Vault, "seal"),
    ("open", Vault, "open"),
    ("read a consent", consents, "of_person"),
    ("record", desk, "_record"),
    ("decide again", hand_over, "decide_again"),
    ("intend", settle, "intended"),
    ("hand over", settle, "handed_over"),
)


def _shout(*arguments: Any, **named: Any) -> Any:
    """As a library does: the value in the text of the error."""
    caller = inspect.currentframe()
    values = [getattr(a, "fields", a) for a in (*arguments, *named.values())]
    raise ValueError(f"{values!r} {caller and caller.f_back and caller.f_back.f_locals!r}")


_THEIRS = tuple(f"payload/{key}" for key in ("tsb", "nav", "gp", "prison_health"))


@pytest.mark.parametrize(("name", "owner", "attribute"), STEPS, ids=[name for name, *_ in STEPS])
def test_a_step_that_breaks_with_a_value_in_its_error_shows_none(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str, owner: Any, attribute: str
) -> None:
    """Attack 24: answers, log records with all their attributes, metrics, store."""
    agree(lab, "nav", "gp", "tsb")
    if owner is Adapter:
        monkeypatch.setattr(Adapter, "render", property(lambda self: _shout), raising=False)
    else:
        monkeypatch.setattr(owner, attribute, _shout)
    fields = bare_brik()
    put(fields, "bolig.merknad", f"Bruker Suboxone, {MARK}.")
    body = m.as_json(m.referral("henvisning-2")).replace(
        b"Ber om avrusning", f"Ber om avrusning {MARK}".encode()
    )
    with contextlib.suppress(ValueError):
        post_brik(lab, fields)
    lab.post("prison_health", JSON, body)
    with contextlib.suppress(ValueError, AssertionError):
        post_summary(lab, summary(sections=[{"tittel": "Rus", "tekst": f"Rusavhengig, {MARK}."}]))
    lab.post(
        "prison_health",
        JSON,
        m.as_json({**m.to_gp(version=3, message_id=some_id()), "person": {"id": m.PERSON["id"]}}),
    )
    with contextlib.suppress(ValueError, TimeoutError):
        lab.settle()
    found = places(lab, {"words": MARK, "person": m.PERSON["id"]}, but=_THEIRS)
    assert found == set()


def _sealed_types() -> Iterator[type]:
    for _, found in inspect.getmembers(hub.message, inspect.isclass):
        if dataclasses.is_dataclass(found) and {"fields", "body", "value", "ciphertext", "record"} & {
            f.name for f in dataclasses.fields(found)
        }:
            yield found


@pytest.mark.parametrize("kind", [*_sealed_types()], ids=lambda kind: kind.__name__)
def test_a_shape_that_holds_content_never_shows_it(kind: type) -> None:
    """Attack 24: repr, str, format and a traceback with everything in it."""
    record = hub.message.Record("t", {"a": MARK})
    given: dict[str, Any] = {
        "fields": {"a": [{"b": MARK}]},
        "body": MARK.encode(),
        "value": MARK,
        "ciphertext": MARK.encode(),
        "wrapped_key": MARK.encode(),
        "record": record,
    }
    names = [f.name for f in dataclasses.fields(kind)]
    made = kind(**{name: given.get(name, "x") for name in names})
    shown = [repr(made), str(made), f"{made}", f"{made!r:>3}", f"{[made]} {({'a': made},)}"]
    try:
        raise RuntimeError(made)
    except RuntimeError as error:
        shown += traceback.format_exception(error)
    assert MARK not in "".join(shown)


def test_a_database_that_logs_every_statement_sees_no_value(
    first: Parts, tmp_path: Path, postgres: PostgreSQL
) -> None:
    """Attack 26: the server's own log with all statements and parameters, and our libraries at their loudest."""
    url = postgres.fresh_database()
    heard = io.StringIO()
    loud = logging.StreamHandler(heard)
    loud.setFormatter(logging.Formatter("%(message)s %(args)s"))
    with Lab(first, tmp_path, url) as lab:
        with lab.parts.store.engine.begin() as tx:
            for setting in (
                "log_statement='all'",
                "log_min_duration_statement=0",
                "log_parameter_max_length=-1",
            ):
                tx.execute(text(f"ALTER DATABASE {url.rpartition('/')[2]} SET {setting}"))
        lab.parts.store.engine.dispose()
        names = ("", "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "psycopg", "psycopg.pq")
        before = {name: logging.getLogger(name).level for name in names}
        logging.getLogger().addHandler(loud)
        for name in names:
            logging.getLogger(name).setLevel(logging.DEBUG)
        try:
            lab.step("attack")
            agree(lab, "nav", "tsb")
            fields = bare_brik()
            put(fields, "rus.merknad", f"Ber om avrusning {MARK}.")
            accepted(post_brik(lab, fields))
            lab.settle()
        finally:
            logging.getLogger().removeHandler(loud)
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)
    said = postgres._log.read_text(errors="replace")
    assert "INSERT INTO disclosure" in said
    assert "INSERT INTO disclosure" in heard.getvalue() or "sqlalchemy" not in heard.getvalue()
    for value in (MARK, m.PERSON["id"], m.PERSON["navn"]):
        assert value not in said
        assert value not in heard.getvalue()


def test_what_calls_an_operator_names_no_person_no_agency_and_no_ground(lab: Lab) -> None:
    """Attack 28: every line from WARNING up, which is what alerts are made of, through the formatter in use."""
    agree(lab, "nav", "housing", "tsb")
    lab.recipients.answers |= {"tsb": None, "housing": 400}
    fields = bare_brik()
    put(fields, "bolig.merknad", f"Bruker Suboxone, {MARK}.")
    accepted(post_brik(lab, fields))
    with contextlib.suppress(TimeoutError):
        lab.settle()
    lab.post("prison", JSON, BAD.encode())
    logging.getLogger("hub.pipeline").error("made up: %s", MARK, extra={"code": MARK * 20, "person": MARK})
    lines = [Lines().format(record) for record in lab.lines.records]
    assert lines
    for line in lines:
        assert set(json.loads(line)) <= {
            "time",
            "level",
            "logger",
            "message",
            "action",
            "code",
            "step",
            "fault",
        }
        assert not re.search(rf"{MARK}|{m.PERSON['id']}|substance|tsb|rus\b|withheld|refused|310000", line)
