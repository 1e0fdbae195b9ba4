"""Understands how to be alone with persons and with everybody they are linked to.

A hand-over holds the gate of its own record. Whatever changes what somebody allows holds the gates of
all records that the change reaches, so that nothing about any of them is being handed over meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hub.store import links
from hub.store.engine import Store


@contextmanager
def behind(store: Store, *person_ids: str) -> Iterator[frozenset[str]]:
    """Alone with these and everybody linked to them; gives all of them."""
    while True:
        with store.reading() as view:
            everyone = links.everyone(view, person_ids)
        with store.gate(*everyone):
            with store.reading() as view:
                now = links.everyone(view, person_ids)
            # Whoever links somebody new to these needs a gate that we hold, so it stays as it is now.
            if now <= everyone:
                yield now
                return
