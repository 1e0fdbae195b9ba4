"""What the decision reads: attacks 40 to 43. Nothing is remembered from before, and what cannot be read is
no yes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from hub import hand_over, pipeline
from hub.errors import HubError
from hub.parts import Parts
from hub.settings import Settings
from hub.store import consents, people
from hub.store.engine import Store
from hub.store.schema import consent, person
from tests.leaks import messages as m
from tests.leaks.attacking import accepted, agree, bare_brik, got, post_brik, some_id, withdraw
from tests.leaks.conftest import Fresh
from tests.leaks.lab import Lab
from tests.leaks.messages import JSON

ROOT = Path(__file__).parents[3]


def test_a_second_process_sees_a_withdrawal_at_once(lab: Lab) -> None:
    """Attack 40: it has decided on the same person just before, so whatever it could remember it does."""
    other = replace(lab.parts, store=Store(lab.parts.store.url))
    try:
        agree(lab, "nav")
        for _ in range(3):
            accepted(post_brik(lab, bare_brik()))
            lab.broker.work_once(lambda work: hand_over.attempt(other, work))
        accepted(post_brik(lab, bare_brik()))
        withdraw(lab, m.to_nav())
        lab.broker.work_off(lambda work: hand_over.attempt(other, work))
        lab.collect()
    finally:
        other.store.close()
    assert got(lab, "nav") == []


def test_nothing_on_the_way_of_a_decision_remembers(lab: Lab) -> None:
    """Attack 40: no cache decorator and no module-level store of answers where consents are read, decided
    on or sent; and one database, not a copy of it, is all a hub can be given."""
    for file in ("hub/hand_over.py", "hub/pipeline.py", "hub/case.py", "hub/store/consents.py", "hub/store/people.py", "consent/said.py", "consent/decide.py"):  # one row per case # fmt: skip
        tree = ast.parse((ROOT / file).read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                named = {ast.unparse(decorator).partition("(")[0] for decorator in node.decorator_list}
                assert not named & {
                    "cache",
                    "lru_cache",
                    "functools.cache",
                    "functools.lru_cache",
                    "cached_property",
                }
    stores = [name for name in Settings.__dataclass_fields__ if "store" in name or "replica" in name]
    assert stores == ["store"]


def _raises(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


_AWAY = OperationalError("SELECT", {}, Exception("server closed the connection"))
_CHANGED = ProgrammingError("SELECT", {}, Exception("column does not exist"))

FAULTS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "the database goes away": (consents, "of_person", _raises(_AWAY)),
    "the schema changed": (consents, "of_person", _raises(_CHANGED)),
    "it times out": (consents, "of_person", _raises(TimeoutError())),
    "it is refused": (consents, "of_person", _raises(HubError("receive.busy"))),
    "the answer has another shape": (consents, "of_person", lambda *_: (None,)),
    "the person cannot be read": (people, "load", _raises(_AWAY)),
    "the decision fails": (pipeline, "decide", _raises(ZeroDivisionError())),
    "the fence cannot be asked": (people, "fence", _raises(_AWAY)),
    "no memory": (pipeline, "decide", _raises(MemoryError())),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_while_consents_cannot_be_read_nothing_goes_and_afterwards_all_of_it(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Attack 42."""
    agree(lab, "nav", "tsb")
    accepted(post_brik(lab, bare_brik()))
    accepted(lab.post("prison_health", JSON, m.as_json(m.referral("henvisning-2"))))
    owner, name, broken = FAULTS[fault]
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, broken)
        lab.work_once()
        for entry in lab.call("nav", "GET", "/v1/inbox").said["entries"]:
            assert lab.call("nav", "GET", f"/v1/inbox/{entry['id']}").status >= 400
        assert lab.recipients.sent == []
    lab.broker.soon()
    lab.parts.queue.publish(
        [work for _, what, works in lab.broker.saw if what == "published" for work in works]
    )
    lab.settle()
    assert len(got(lab, "nav")) == 1
    assert len(got(lab, "tsb")) >= 1


def _flip(blob: bytes) -> bytes:
    return blob[:-1] + bytes([blob[-1] ^ 1])


DAMAGE: dict[str, dict[str, Any]] = {
    "one bit of the document": {"ciphertext": _flip},
    "one bit of its key": {"wrapped_key": _flip},
    "no document": {"ciphertext": None},
    "no key": {"wrapped_key": None},
    "an empty document": {"ciphertext": lambda _: b""},
    "another document's id": {"id": lambda _: "x" * 26},
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("which", ["the permission", "a refusal beside it"])
def test_a_document_that_cannot_be_opened_stops_what_it_might_have_refused(
    lab: Lab, damage: str, which: str
) -> None:
    """Attacks 42 and 43: and the older permission beside it does not step in."""
    agree(lab, "nav")
    if which != "the permission":
        said = m.consent("nektelse", "nav_municipal", (), permits=False, message_id=some_id())
        for name in ("avsendere", "formal", "kategorier"):
            said.pop(name)
        accepted(lab.post("prison_health", JSON, m.as_json(said)))
    accepted(post_brik(lab, bare_brik()))
    with lab.parts.store.writing() as tx:
        row = tx.execute(consent.select()).all()[-1]
        changed = {
            name: how(getattr(row, name)) if callable(how) else how for name, how in DAMAGE[damage].items()
        }
        tx.execute(consent.update().where(consent.c.id == row.id).values(**changed))
        tx.execute(person.update().values(epoch=person.c.epoch + 1))
    lab.settle()
    assert got(lab, "nav") == []


UNREADABLE: dict[str, Callable[[m.Fields], Any]] = {
    "a decision that is none": lambda f: f["samtykke"].update(beslutning="kanskje"),
    "a category that is not ours": lambda f: f.update(kategorier=["identity", "hemmelig"]),
    "a purpose that is not ours": lambda f: f.update(formal=["annet"]),
    "an exception deeper than we read": lambda f: f.update(unntak=[{"unntak": [{"unntak": []}]}]),
    "a part that we do not know": lambda f: f.update(vilkar={"hvis": "barnet flytter"}),
    "no such day": lambda f: f["samtykke"].update(gyldig_til="2026-02-30"),
    "ends before it begins": lambda f: f["samtykke"].update(gyldig_til="2026-10-01"),
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_a_consent_that_cannot_be_evaluated_is_refused_at_the_door_and_says_so(lab: Lab, how: str) -> None:
    """Attack 43: it is not taken in and skipped; whoever brought it hears that it does not count."""
    said = m.to_nav(permits=False, message_id=some_id())
    UNREADABLE[how](said)
    call = lab.post("prison_health", JSON, m.as_json(said))
    assert 400 <= call.status < 500
    assert call.said["code"] in ("parse.invalid", "consent.not-evaluable", "parse.forbidden-construct")
    with lab.parts.store.reading() as view:
        assert view.execute(consent.select()).all() == []


def test_a_document_of_a_later_release_is_unreadable_and_not_empty(first: Parts, fresh: Fresh) -> None:
    """Attack 43: after a downgrade the store holds what this code does not know."""
    with Lab(first, *fresh()) as lab:
        lab.step("attack")
        agree(lab, "nav")
        accepted(post_brik(lab, bare_brik()))
        with lab.parts.store.writing() as tx:
            [row] = tx.execute(consent.select()).all()
            owner = people.load(tx, row.person_id)
            sealed = lab.parts.vault.seal(
                owner.key, b'{"format": 99, "nektet": true}', bound_to="consent later"
            )
            tx.execute(
                consent.insert().values(
                    id="later",
                    person_id=row.person_id,
                    series="9" * 64,
                    version=1,
                    recorded_by=row.recorded_by,
                    recorded_at=row.recorded_at,
                    ciphertext=sealed.ciphertext,
                    wrapped_key=sealed.wrapped_key,
                )
            )
            people.raise_epochs(tx, {row.person_id})
        lab.settle()
        assert got(lab, "nav") == []


def test_a_table_that_is_gone_is_no_silence(lab: Lab) -> None:
    """Attack 42: in earnest, in the database itself."""
    agree(lab, "nav")
    accepted(post_brik(lab, bare_brik()))
    with lab.parts.store.engine.begin() as tx:
        tx.execute(text("ALTER TABLE consent RENAME TO elsewhere"))
    with suppress(TimeoutError):
        lab.settle()
    assert got(lab, "nav") == []
    assert lab.recipients.sent == []
