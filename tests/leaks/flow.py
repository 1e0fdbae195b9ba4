"""Understands one person's way through the hub with markers in every slot: nothing allowed, everything
refused that can be refused, something allowed, recipients that fail, and a withdrawal. It is the same in the
lab and in the real world.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from hub.parts import Parts
from tests.leaks import messages as m
from tests.leaks.canaries import CANARIES
from tests.leaks.messages import FHIR, JSON, XML
from tests.leaks.refused import calls, posts


class Stage(Protocol):
    """Where it is played."""

    @property
    def parts(self) -> Parts: ...

    def step(self, name: str) -> None: ...

    def post(self, key: str, media_type: str, body: bytes) -> tuple[int, Mapping[str, Any]]: ...

    def ask(self, key: str, method: str, path: str, headers: Mapping[str, str]) -> int: ...

    def settle(self) -> None: ...

    def answers(self, key: str, status: int | None) -> None: ...

    def failed_once(self, agreement: str) -> None: ...

    def gave_up(self, agreement: str) -> None: ...

    def got(self, key: str, words: bytes) -> str: ...


def play(stage: Stage) -> None:
    """All of it. What a refusal looks like is asserted here; what leaks is for the caller to look for."""
    _nothing_allowed(stage)
    _refused(stage)
    _some_allowed(stage)
    _answers(stage)
    _substance_use_allowed(stage)
    _failing_recipients(stage)
    _withdrawn(stage)
    _looked_at(stage)


def _accepted(stage: Stage, key: str, media_type: str, body: bytes) -> str:
    status, said = stage.post(key, media_type, body)
    assert status == 202, (key, status, said.get("code"), said.get("findings"))
    return str(said["id"])


def _json(stage: Stage, key: str, fields: m.Fields) -> str:
    return _accepted(stage, key, JSON, m.as_json(fields))


def _nothing_allowed(stage: Stage) -> None:
    stage.step("nothing")
    ids = [
        _accepted(stage, "prison", XML, m.as_xml(stage.parts, m.brik(stage.parts))),
        _accepted(stage, "prison", XML, m.as_xml(stage.parts, m.brik(stage.parts))),
    ]
    assert ids[0] == ids[1]
    _accepted(stage, "prison_health", FHIR, m.as_fhir(stage.parts, m.epikrise()))
    _json(stage, "prison_health", m.referral("henvisning"))
    _json(stage, "prison", m.release_date())
    stage.settle()
    stage.ask("prison", "GET", f"/v1/messages/{ids[0]}", {})
    stage.ask("prison_health", "GET", f"/v1/messages/{ids[0]}", {})


def _refused(stage: Stage) -> None:
    stage.step("errors")
    for name, key, media_type, body in posts(stage.parts):
        status, said = stage.post(key, media_type, body)
        assert 400 <= status < 500, (name, status, said.get("code"))
    for key, method, path, headers in calls():
        status = stage.ask(key, method, path, headers)
        assert 400 <= status < 500, (method, status)
    stage.settle()


def _some_allowed(stage: Stage) -> None:
    stage.step("some")
    _json(stage, "prison_health", m.to_nav(message_id=CANARIES["samtykke-nav.id"]))
    _json(stage, "prison_health", m.to_housing(message_id=CANARIES["samtykke-bolig.id"]))
    _json(stage, "prison_health", m.to_school(permits=False, message_id=CANARIES["samtykke-skole.id"]))
    stage.settle()


def _answers(stage: Stage) -> None:
    stage.step("some, answered")
    _json(stage, "nav", m.nav_answer(stage.got("nav", b'"nav.sak"')))
    _json(stage, "housing", m.housing_answer(stage.got("housing", b'"bolig.foresporsel"')))
    stage.settle()


def _substance_use_allowed(stage: Stage) -> None:
    stage.step("some,tsb")
    _json(stage, "prison_health", m.to_tsb(message_id=CANARIES["samtykke-tsb.id"]))
    stage.settle()
    stage.step("some,tsb,gp")
    _json(stage, "prison_health", m.to_gp(message_id=CANARIES["samtykke-gp.id"]))
    stage.settle()


def _failing_recipients(stage: Stage) -> None:
    """TSB echoes what it got in a 500, the prison health service in a 400, the housing office for ever."""
    stage.step("some,tsb,gp, failing")
    stage.answers("prison_health", 400)
    stage.answers("housing", 503)
    again = m.brik(stage.parts, "brik-2")
    _accepted(stage, "prison", XML, m.as_xml(stage.parts, again))
    stage.gave_up("brik-bolig-foresporsel")
    stage.answers("tsb", 500)
    _json(stage, "prison_health", m.referral("henvisning-2"))
    stage.failed_once("henvisning-tsb")
    stage.answers("tsb", 204)
    stage.settle()


def _withdrawn(stage: Stage) -> None:
    stage.step("some,tsb,gp, down")
    stage.answers("tsb", None)
    _json(stage, "prison_health", m.referral("henvisning-3"))
    stage.failed_once("henvisning-tsb")
    stage.step("some, withdrawn")
    series = CANARIES["samtykke-tsb.id"]
    _json(stage, "prison_health", m.withdrawn(series, CANARIES["trukket.id"]))
    for key in ("tsb", "prison_health", "housing"):
        stage.answers(key, 204)
    stage.settle()


def _looked_at(stage: Stage) -> None:
    """Everything that anybody can ask for, afterwards."""
    stage.step("some, looked at")
    for path in ("/metrics", "/health/live", "/health/ready", "/openapi.json", "/nowhere"):
        stage.ask("", "GET", path, {})
    for key in ("prison", "nav", "school", "gp", "tsb"):
        stage.ask(key, "GET", "/v1/inbox", {})
