"""What a monitoring system reads: how much work and how old, and nothing that was decided."""

from __future__ import annotations

import httpx

from hub.demo.story import JSON, XML, body
from hub.demo.world import NAMES, World


def read(world: World) -> str:
    return httpx.get(f"{world.hub_url}/metrics").text


def test_work_that_cannot_be_done_shows_with_its_number_and_age() -> None:
    with World() as world:
        world.webhook("housing").down()
        for form in ("samtykke-nav.json", "samtykke-bolig.json"):
            world.agencies["prison_health"].post(JSON, body(form))
        world.agencies["prison"].post(XML, body("brik.xml"))
        world.settle()

        shown = read(world)

    assert 'bro_disclosures{state="queued"} 1.0' in shown
    assert 'bro_up{part="store"} 1.0' in shown
    assert "bro_queue_messages{queue=" in shown
    for told in (*NAMES.values(), "waiting", "withheld", "held", "tsb", "translate", "render"):
        assert told not in shown
