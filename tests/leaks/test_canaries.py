"""No marker stands where no consent and no law lets it stand: in the lab, and in the real world on SQLite
with the embedded queue and on PostgreSQL with RabbitMQ.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.demo.world import World
from hub.parts import Parts
from tests.leaks import real
from tests.leaks.canaries import CANARIES, Evidence, leaks, search, standing
from tests.leaks.conftest import Fresh
from tests.leaks.flow import play
from tests.leaks.lab import Lab, evidence
from tests.leaks.real import RealStage
from tests.leaks.stages import LabStage
from tests.servers import PostgreSQL, RabbitMQ

NOT_PLANTED = {"tsb.navn"} | {
    f"brik.rus.{form}.svar{spaced}" for form in ("audit", "dudit") for spaced in ("", ", spaced")
}
"""The directory's word for it, and other ways to write what is planted as XML."""

ARRIVES = {
    ("person.navn", "payload/nav/some"),
    ("person.id", "payload/prison_health/nothing"),
    ("brik.rus.audit.dato", "payload/tsb/some,tsb"),
    ("brik.rus.merknad", "payload/tsb/some,tsb"),
    ("henvisning-2.merknad", "payload/tsb/some,tsb,gp, failing"),
    ("epikrise.diagnose", "payload/gp/nothing"),
    ("epikrise.rus.kode", "payload/gp/some,tsb,gp"),
    ("svar.sted", "payload/prison/some, answered"),
    ("brik.id", "response/prison/nothing"),
}
"""Else nothing was played, or the search is blind."""


def _holds(found: Evidence) -> None:
    pieces = list(found)
    unlawful = leaks(pieces)
    assert not unlawful, "\n".join(str(leak) for leak in unlawful)
    assert standing(pieces) >= ARRIVES


def test_in_the_lab_no_marker_stands_where_it_may_not(first: Parts, fresh: Fresh) -> None:
    with Lab(first, *fresh()) as lab:
        play(LabStage(lab))
        _holds(evidence(lab))
        planted = {hit.marker for body in lab.posted for hit in search().hits(body)}
    assert CANARIES.keys() - planted == NOT_PLANTED


def test_on_sqlite_with_the_embedded_queue(tmp_path: Path) -> None:
    with real.everything_said(tmp_path) as log, real.soon(), World() as world:
        log.addFilter(real.not_of_the_agencies(world.hub_url))
        stage = RealStage(world)
        try:
            play(stage)
            real.console(stage)
            real.commands(stage, tmp_path)
            real.files(stage.found, world, tmp_path)
        finally:
            stage.close()
    _holds(stage.found.pieces)
    assert {"log", "stdout", "stderr", "store/bro.sqlite", "store/bro.sqlite-wal", "console", "cli"} <= {
        place for place, _ in stage.found.pieces
    }


def test_on_postgresql_with_rabbitmq(tmp_path: Path, postgres: PostgreSQL, rabbit: RabbitMQ) -> None:
    store, queue = postgres.fresh_database(), rabbit.fresh_vhost()
    with real.everything_said(tmp_path) as log, real.soon(), World(store=store, queue=queue) as world:
        world.wait_for("the broker", world.running.alive.__bool__)
        tap = real.Tap(queue)
        log.addFilter(real.not_of_the_agencies(world.hub_url))
        stage = RealStage(world)
        try:
            play(stage)
            real.console(stage)
            real.commands(stage, tmp_path)
            real.files(stage.found, world, tmp_path)
            real.database(stage.found, postgres, store)
            real.broker(stage.found, rabbit, queue, tap)
        finally:
            stage.close()
    _holds(stage.found.pieces)
    messages = [data for place, data in stage.found.pieces if place == "broker/messages"]
    assert len(messages) > 20


@pytest.mark.parametrize(
    "place", ["log", "store/bro.sqlite-wal", "broker/messages", "response/nobody/x", "cli"]
)
def test_the_oracle_finds_a_marker_that_was_put_into_a_place(place: str) -> None:
    marker = CANARIES["brik.rus.merknad"].encode()
    assert [leak.slot for leak in leaks([(place, b"\x00" * 100 + marker)])] == ["brik.rus.merknad"]
