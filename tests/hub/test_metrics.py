"""What a monitoring system reads: how much work and how old, and nothing that was decided."""

from __future__ import annotations

import httpx

from hub.demo.story import FHIR, JSON, XML, body
from hub.demo.world import NAMES, World


def read(world: World) -> str:
    return httpx.get(f"{world.hub_url}/metrics").text


def test_what_waits_for_a_worker_shows_and_what_was_decided_does_not() -> None:
    with World() as world:
        world.running.stop()
        for form in ("samtykke-nav.json", "samtykke-bolig.json"):
            world.agencies["prison_health"].post(JSON, body(form))
        world.agencies["prison"].post(XML, body("brik.xml"))

        shown = read(world)

    assert "bro_untried 5.0" in shown
    assert 'bro_up{part="store"} 1.0' in shown
    decided = ("waiting", "withheld", "held", "tsb", "translate", "render", "hand-over", "parked", "bro.work")
    for told in (*NAMES.values(), *decided):
        assert told not in shown


def test_a_recipient_that_is_down_does_not_show_whether_anything_may_go_to_it() -> None:
    with World() as permitted, World() as refused:
        for world in (permitted, refused):
            world.webhook("tsb").down()
        permitted.agencies["prison_health"].post(FHIR, body("samtykke-tsb.fhir.json"))
        refused.agencies["prison_health"].post(JSON, body("samtykke-nav.json"))
        for world in (permitted, refused):
            world.agencies["prison"].post(XML, body("brik.xml"))
            world.settle()

        shown = [gauges(read(world)) for world in (permitted, refused)]

    assert shown[0] == shown[1]


def gauges(text: str) -> list[str]:
    """Counters of steps grow with every retry and with the other world's; gauges are of one hub."""
    return [line for line in text.splitlines() if line.startswith(("bro_untried", "bro_up"))]
