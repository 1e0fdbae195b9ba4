"""The attacks bite: a protection is broken on purpose, and the attack that names it notices.

Each mutation is what a careless change could do. The attack is called as it stands in its file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.request import urlopen

import pytest
from starlette.datastructures import MutableHeaders

from adapters import registry, safe_json, safe_xml
from consent import decide as deciding
from consent import intake as taking
from consent import labels
from consent.code_lists import CodeLists
from hub import hand_over, pipeline, trail
from hub.api.client import ProblemAnswer
from hub.audit import log
from hub.cli import logs
from hub.errors import Finding, HubError
from hub.message import Agency, Category, Record, walk
from hub.parts import Parts
from hub.reading import Read
from hub.shapes import Outgoing
from hub.store import consents, disclosures, people
from hub.vault import Vault
from mappings.types import TypeSpec
from tests.leaks.attacks import (
    test_desk,
    test_egress,
    test_errors,
    test_http,
    test_identity,
    test_keys,
    test_later,
    test_parsers,
    test_policy,
    test_routing,
    test_store,
    test_structure,
    test_text,
    test_time,
    test_tree,
)
from tests.leaks.conftest import Fresh
from tests.leaks.lab import Lab

Mutate = Callable[[pytest.MonkeyPatch, Lab], None]
Attack = Callable[[Lab, Parts, Fresh, pytest.MonkeyPatch], None]


@pytest.fixture
def lab(first: Parts, fresh: Fresh) -> Any:
    with Lab(first, *fresh()) as lab:
        lab.step("attack")
        yield lab


def read_no_text(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(labels, "scan_all", lambda texts: [() for _ in texts])


def trust_name_fields(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(labels, "is_prose", lambda text: False)


def believe_what_is_declared(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(safe_xml, "_is_utf_8", lambda body: False)


def believe_the_header(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(registry, "_charset", lambda parameters: "")


def know_no_code(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(CodeLists, "categories", lambda *_, **__: frozenset({Category.SOMATIC_HEALTH}))


def take_nothing_out(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(Record, "only", lambda record, paths: record)


def quote_the_value(patch: pytest.MonkeyPatch, _: Lab) -> None:
    real = TypeSpec.check

    def check(spec: TypeSpec, fields: Any) -> tuple[Finding, ...]:
        values = dict(walk(fields))
        return tuple(replace(f, expected=f"{f.expected}, not {values.get(f.at)}") for f in real(spec, fields))

    patch.setattr(TypeSpec, "check", check)


def log_with_arguments(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(logs, "_message", lambda record: record.getMessage())


def log_the_fault(patch: pytest.MonkeyPatch, _: Lab) -> None:
    """What everybody does: the text of the exception."""
    real = trail.run

    def run(step: Any, do: Any, *args: Any, **named: Any) -> Any:
        def loud(*a: Any, **n: Any) -> Any:
            try:
                return do(*a, **n)
            except ValueError as exc:
                logging.getLogger("hub.trail").error("failed: %s", exc)
                raise

        return real(step, loud, *args, **named)

    patch.setattr(pipeline, "run", run)


def tag_the_answer(patch: pytest.MonkeyPatch, _: Lab) -> None:
    real = MutableHeaders.setdefault

    def setdefault(headers: MutableHeaders, name: str, value: str) -> str:
        headers["ETag"] = hashlib.sha256(value.encode()).hexdigest()
        return real(headers, name, value)

    patch.setattr(MutableHeaders, "setdefault", setdefault)


def say_that_it_is_gone(patch: pytest.MonkeyPatch, _: Lab) -> None:
    real = hand_over._may_fetch

    def may_fetch(item: Any, reader: Agency) -> bool:
        if item.recipient == reader.org and not real(item, reader):
            raise HubError("receive.agency-unknown")
        return real(item, reader)

    patch.setattr(hand_over, "_may_fetch", may_fetch)


def decide_only_once(patch: pytest.MonkeyPatch, _: Lab) -> None:
    remembered: dict[str, Outgoing] = {}
    real = hand_over.decide_again

    def again(tx: Any, parts: Any, case: Any) -> Outgoing:
        if case.item.id not in remembered or remembered[case.item.id].rendered is None:
            remembered[case.item.id] = real(tx, parts, case)
        return remembered[case.item.id]

    patch.setattr(hand_over, "decide_again", again)


def show_ids_to_the_broker(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(Vault, "handle", lambda vault, name: name)
    patch.setattr(Vault, "read_handle", lambda vault, name: name)


def skip_what_cannot_be_read(patch: pytest.MonkeyPatch, _: Lab) -> None:
    real = consents.of_person
    patch.setattr(consents, "of_person", lambda *args: tuple(c for c in real(*args) if c.readable))


def nothing_on_file_is_a_yes(patch: pytest.MonkeyPatch, _: Lab) -> None:
    real = consents.of_person

    def lenient(tx: Any, vault: Vault, owner: Any, read: Any) -> Any:
        try:
            return real(tx, vault, owner, read)
        except Exception:  # noqa: BLE001  # the careless change itself
            return ()

    patch.setattr(consents, "of_person", lenient)
    patch.setattr(deciding, "_PERMITS", deciding._PERMITS | {"decide.no-consent"})
    patch.setitem(FAULT, "the answer is none", (consents, "of_person", lambda *_: ()))


FAULT = test_store.FAULTS


def forget_the_grade(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(people, "stop", lambda tx, person_ids, *, address, deceased: None)


def link_by_looks(patch: pytest.MonkeyPatch, _: Lab) -> None:
    """Same day of birth, same person."""
    real = Vault.pseudonym

    def pseudonym(vault: Vault, kind: str, value: str) -> str:
        if kind == "person":
            value = f"{int(value[:2]) % 40:02d}{int(value[2:4]) % 40:02d}{value[4:6]}"
        return real(vault, kind, value)

    patch.setattr(Vault, "pseudonym", pseudonym)


def days_in_london(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(deciding, "OSLO", UTC)


def keep_the_key(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(disclosures, "NO_RENDERING", {})


def fetch_what_is_named(patch: pytest.MonkeyPatch, _: Lab) -> None:
    """A library that means well."""
    real = pipeline.parse

    def parse(parts: Parts, received: Any) -> Read:
        for word in received.body.decode("utf-8", "replace").split('"'):
            if word.startswith("http://127.0.0.1:"):
                with contextlib.suppress(OSError, ValueError):
                    urlopen(word, timeout=0.2)
        return real(parts, received)

    patch.setattr(pipeline, "parse", parse)


def last_key_wins(patch: pytest.MonkeyPatch, _: Lab) -> None:
    def loads(text: str, *, object_pairs_hook: object = None, **more: Any) -> object:
        return json.loads(text, **more)

    careless = SimpleNamespace(loads=loads, dumps=json.dumps, JSONDecodeError=json.JSONDecodeError)
    patch.setattr(safe_json, "json", careless)


def count_refusals(patch: pytest.MonkeyPatch, _: Lab) -> None:
    real = deciding.decide

    def decide(*args: Any, **named: Any) -> Any:
        found = real(*args, **named)
        for item in found.items:
            trail.STEPS.labels("decide", item.reason).inc()
        return found

    patch.setattr(pipeline, "decide", decide)


def audit_the_text(patch: pytest.MonkeyPatch, _: Lab) -> None:
    real = log.append

    def append(tx: Any, vault: Any, person: Any, kind: Any, at: Any, private: Any, **named: Any) -> None:
        real(tx, vault, person, kind, at, {**private, "said": "Ber om avrusning, kanaribbbbbbb"}, **named)

    patch.setattr(log, "append", append)
    patch.setattr(test_desk, "search", lambda: _Finds())


class _Finds:
    """Sees one word: the marker of `audit_the_text`."""

    def hits(self, data: bytes) -> set[Any]:
        class Hit:
            marker = "said"

        return {Hit()} if b"kanaribbbbbbb" in data else set()


def no_row_no_matter(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(deciding, "_NO_ROW", deciding._Answer("decide.row", "x/1"))


def names_tell_nothing(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(Agency, "labels", property(lambda self: frozenset()))


def let_the_prison_record(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(taking, "check", lambda *_: None)
    patch.setattr(taking, "CONTROL_SECTORS", frozenset(), raising=False)


def call_home(patch: pytest.MonkeyPatch, _: Lab) -> None:
    real = pipeline.parse

    def parse(parts: Parts, received: Any) -> Read:
        with socket.socket() as caller:
            caller.connect(("192.0.2.1", 443))
        return real(parts, received)

    patch.setattr(pipeline, "parse", parse)


def somebody_real(patch: pytest.MonkeyPatch, _: Lab) -> None:
    content = f"person: {test_tree._number_of_nobody()}".encode()
    patch.setattr(test_tree, "_files", lambda: iter([("a.yaml", content)] * 300))


def an_agency_that_exists(patch: pytest.MonkeyPatch, _: Lab) -> None:
    patch.setattr(
        test_tree, "_files", lambda: iter([("a.yaml", f"navn: {test_tree.REAL_NAMES[0]}".encode())])
    )


MUTATIONS: tuple[tuple[Mutate, Attack], ...] = (
    (read_no_text, lambda lab, *_: test_structure.test_a_narrative_is_written_from_what_is_left(lab)),
    (trust_name_fields, lambda lab, *_: test_text.test_what_no_list_of_words_can_see_is_for_a_person_to_read(lab, "samme problem som sist")),
    (know_no_code, lambda lab, *_: test_text.test_no_notation_and_no_unknown_system_brings_a_code_through(lab)),
    (take_nothing_out, lambda lab, *_: test_text.test_a_medicine_goes_whole_or_not_at_all(lab)),
    (take_nothing_out, lambda lab, *_: test_structure.test_what_is_taken_out_leaves_the_bytes_of_what_never_held_it(lab)),
    (quote_the_value, lambda lab, *_: test_errors.test_every_field_of_a_type_refuses_without_repeating(lab, "code")),
    (log_with_arguments, lambda lab, *_: test_errors.test_what_calls_an_operator_names_no_person_no_agency_and_no_ground(lab)),
    (log_the_fault, lambda lab, first, fresh, patch: test_errors.test_a_step_that_breaks_with_a_value_in_its_error_shows_none(lab, patch, "label", pipeline, "label")),
    (tag_the_answer, lambda lab, *_: test_http.test_no_header_of_any_answer_is_made_of_content(lab)),
    (say_that_it_is_gone, lambda lab, *_: test_http.test_what_was_taken_back_answers_like_what_never_was(lab, "listed")),
    (decide_only_once, lambda lab, *_: test_later.test_a_retry_decides_anew(lab, "withdrawn")),
    (show_ids_to_the_broker, lambda lab, *_: test_later.test_what_is_put_aside_is_a_reference_and_the_rest_is_sealed(lab)),
    (skip_what_cannot_be_read, lambda lab, *_: test_store.test_a_document_that_cannot_be_opened_stops_what_it_might_have_refused(lab, "one bit of the document", "a refusal beside it")),
    (nothing_on_file_is_a_yes, lambda lab, first, fresh, patch: test_store.test_while_consents_cannot_be_read_nothing_goes_and_afterwards_all_of_it(lab, patch, "the answer is none")),
    (forget_the_grade, lambda lab, *_: test_identity.test_about_a_person_whose_address_is_graded_nothing_goes_to_anybody(lab, "fortrolig", "before")),
    (link_by_looks, lambda lab, *_: test_identity.test_a_permission_under_another_number_permits_nothing_until_somebody_confirms_the_link(lab, "D-number")),
    (days_in_london, lambda lab, *_: test_time.test_the_hubs_own_clock_decides_whatever_others_clocks_say(lab, *test_time.MOMENTS[2], 0)),
    (keep_the_key, lambda lab, *_: test_keys.test_a_destroyed_key_is_in_no_page_of_the_file(lab, "acknowledged")),
    (fetch_what_is_named, lambda lab, first, fresh, patch: _with_host(lab, patch)),
    (last_key_wins, lambda lab, *_: test_parsers.test_a_body_with_two_meanings_has_none(lab)),
    (believe_what_is_declared, lambda lab, *_: test_parsers.test_a_body_with_two_meanings_has_none(lab)),
    (believe_the_header, lambda lab, *_: test_parsers.test_a_body_with_two_meanings_has_none(lab)),
    (count_refusals, lambda lab, *_: test_desk.test_metrics_have_no_label_but_these_and_no_exemplar(lab)),
    (audit_the_text, lambda lab, *_: test_desk.test_the_audit_holds_no_content_even_when_it_is_opened(lab)),
    (no_row_no_matter, lambda lab, first, *_: test_policy.test_a_category_that_no_row_names_is_refused_whatever_was_signed(first, Category.HOUSING)),
    (names_tell_nothing, lambda lab, first, fresh, _: test_routing.test_a_sender_whose_name_reveals_it_needs_the_consent_that_its_content_would_need(first, fresh)),
    (let_the_prison_record, lambda lab, *_: test_desk.test_a_consent_about_substance_use_counts_by_who_recorded_it(lab, "prison")),
    (call_home, lambda lab, first, fresh, patch: test_egress.test_a_whole_run_calls_loopback_and_there_only_what_is_configured(patch)),
    (somebody_real, lambda *_: test_tree.test_no_file_holds_the_identity_number_of_a_real_person()),
    (an_agency_that_exists, lambda *_: test_tree.test_no_file_names_a_real_agency()),
)  # one row per case # fmt: skip


def _with_host(lab: Lab, patch: pytest.MonkeyPatch) -> None:
    host = test_parsers.CanaryHost()
    try:
        test_parsers.test_no_document_and_no_token_makes_the_hub_call_anybody(lab, host)
    finally:
        host.close()


@pytest.mark.parametrize(
    ("mutate", "attack"), MUTATIONS, ids=[f"{n}-{mutate.__name__}" for n, (mutate, _) in enumerate(MUTATIONS)]
)
def test_the_attack_notices(
    lab: Lab, first: Parts, fresh: Fresh, monkeypatch: pytest.MonkeyPatch, mutate: Mutate, attack: Attack
) -> None:
    before = dict(first.directory)
    mutate(monkeypatch, lab)
    try:
        with pytest.raises((AssertionError, OSError, HubError, ProblemAnswer)):
            attack(lab, first, fresh, monkeypatch)
    finally:
        first.directory.clear()  # type: ignore[attr-defined]  # an attack changes it in place
        first.directory.update(before)  # type: ignore[attr-defined]  # a dict, seen as a Mapping


def test_most_files_of_attacks_have_a_mutation() -> None:
    files = {file.stem for file in (Path(__file__).parent / "attacks").glob("test_*.py")}
    assert len(MUTATIONS) >= 15
    assert len(files) - 4 <= len({name for name in files if name in globals()})
