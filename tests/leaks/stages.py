"""Understands the lab as a stage for the flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.parts import Parts
from hub.store.disclosures import Disclosure, State, where
from hub.store.schema import disclosure
from tests.leaks.lab import ORGS, Lab

_MOST_TURNS = 20


class LabStage:
    """Plays in the lab."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    @property
    def parts(self) -> Parts:
        return self.lab.parts

    def step(self, name: str) -> None:
        self.lab.step(name)

    def post(self, key: str, media_type: str, body: bytes) -> tuple[int, Mapping[str, Any]]:
        call = self.lab.post(key, media_type, body)
        return call.status, call.said

    def ask(self, key: str, method: str, path: str, headers: Mapping[str, str]) -> int:
        return self.lab.call(key, method, path, headers=dict(headers)).status

    def settle(self) -> None:
        self.lab.settle()

    def answers(self, key: str, status: int | None) -> None:
        self.lab.recipients.answers[key] = status

    def failed_once(self, agreement: str) -> None:
        self.lab.work_once()
        assert any(item.attempts for item in under(self.parts, agreement) if item.state is State.QUEUED)

    def gave_up(self, agreement: str) -> None:
        for _ in range(_MOST_TURNS):
            if parked(self.parts, agreement):
                return
            self.lab.work_once()
            self.lab.broker.soon()
        raise TimeoutError(agreement)

    def got(self, key: str, words: bytes) -> str:
        """The id of the first thing an agency got that holds these words."""
        for sent in self.lab.recipients.sent:
            if sent.key == key and words in sent.body:
                return sent.disclosure
        for call in self.lab.calls:
            if call.key == key and call.what.startswith("GET /v1/inbox/") and words in call.body:
                return call.what.rpartition("/")[2]
        raise LookupError(key)


def under(parts: Parts, agreement: str) -> list[Disclosure]:
    with parts.store.reading() as view:
        return where(view, disclosure.c.agreement == agreement)


def parked(parts: Parts, agreement: str) -> bool:
    return any(item.state is State.PARKED for item in under(parts, agreement))


__all__ = ["ORGS", "LabStage", "parked", "under"]
