"""Understands one hub process that is there to be killed: workers, sweeper, and an agency that posts.

    python -m tests.faults.process <folder> <store> <queue> <first> <last> <persons>

It prints a line for every message the hub has answered for. What is not printed was not answered, and
is posted again by the next process. Knows nothing of who kills it, or when.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from hub.app import Hub, Running, build
from hub.errors import HubError
from hub.parts import Parts
from hub.settings import Settings
from tests.hub.bench import FHIR, JSON, fhir, org, referral

LADDER = (0.2, 0.4, 0.8, 1.6, 2.4, 3.2)
GRACE = timedelta(seconds=1.5)
PAUSE = 0.02


def hub_parts(folder: Path, store: str, queue: str) -> Parts:
    settings = Settings(
        store=store,
        queue=queue,
        keys=folder / "keys",
        directory=folder / "directory.yaml",
        webhook_timeout_seconds=5,
    )
    return build(settings, ladder=LADDER, grace=GRACE)


def main(folder: Path, store: str, queue: str, first: int, last: int, persons: int) -> None:
    parts = hub_parts(folder, store, queue)
    settings = Settings(store=store, queue=queue, keys=folder / "keys", directory=folder / "directory.yaml")
    running = Running(parts, settings)
    running.start()
    hub = Hub(parts)
    for who in range(persons):
        post(hub, FHIR, fhir("samtykke-tsb.fhir.json", series=f"tsb-{who}", who=who))
    for number in range(first, last):
        who = number % persons
        message_id = f"H-{number}"
        accepted = post(hub, JSON, json.dumps(referral(message_id, who=who)).encode())
        say(id=accepted, who=who, number=number)
        time.sleep(PAUSE)
    say(end=True)
    while running.alive:
        time.sleep(0.2)
    say(died=True)


def post(hub: Hub, media_type: str, body: bytes) -> str:
    """As an agency does: again, with the same id, until it is answered."""
    sender = hub.parts.directory[org("prison_health")].agency
    while True:
        try:
            return hub.receive(sender, media_type, body).id
        except HubError as refused:
            if not refused.problem.waiting_helps:
                raise
            say(waited=refused.code)
            time.sleep(0.1)


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    threading.current_thread().name = "poster"
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], *(int(word) for word in sys.argv[4:7]))
