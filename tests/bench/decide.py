"""Understands what the decision costs: figures to be printed, never a test that a slow machine fails.

decisions  1,000 rows and 200 consents of the person; one decision is one leaf's category set for
           one sender, recipient and purpose
labelling  one record of 2 kB with free text
register   from the identity number to the verdict, while other persons' consents grow
"""

from __future__ import annotations

import gc
import itertools
import secrets
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, insert, text

from consent.code_lists import load_codes
from consent.decide import Ask, decide
from consent.intake import read as read_consent
from consent.labels import label
from consent.rows import Effect, Pack, Requires, Row
from hub.message import (
    ANY,
    Agency,
    Basis,
    Category,
    Consent,
    Item,
    Leaf,
    Purpose,
    Record,
    Sector,
)
from hub.store import consents, people
from hub.store.engine import Store
from hub.store.schema import consent, person
from hub.vault import Vault

ROWS, CONSENTS, LEAVES, OWN = 1_000, 200, 40, 5
NOON = datetime(2026, 11, 1, 11, 0, tzinfo=UTC)
SENDER = Agency("900000001", "sender", Sector.PRISON)
RECIPIENT = Agency("900000002", "recipient", Sector.NAV_MUNICIPAL)
_NUMBER = "14839030186"
_CHUNK = 10_000
_KINDS = tuple(sorted(set(Category) - {Category.UNKNOWN, Category.PROTECTED_ADDRESS}))


@dataclass(frozen=True)
class Times:
    """Seconds of single calls."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)]


@dataclass(frozen=True)
class Decisions:
    """`each` for calls with one leaf, `message` for calls with a whole message."""

    each: Times
    message: Times
    leaves: int

    @property
    def per_second(self) -> float:
        return self.leaves * len(self.message.seconds) / sum(self.message.seconds)


def timed(do: Callable[[], object], times: int, clock: Callable[[], float] = time.thread_time) -> Times:
    """`do` is warmed up first; the collector runs as it does in the hub. CPU time of this thread, what
    one core has to do whatever else the machine does, unless another clock is given."""
    for _ in range(max(3, times // 20)):
        do()
    gc.collect()
    seconds = []
    for _ in range(times):
        began = clock()
        do()
        seconds.append(clock() - began)
    return Times(tuple(seconds))


def pack() -> Pack:
    """A thousand rows: between each two sectors some, and for the pair that asks one per category."""
    ways = itertools.cycle(itertools.product(Sector, Sector, Purpose, _KINDS))
    mine = [_row(i, SENDER.sector, RECIPIENT.sector, Purpose.BENEFITS, c) for i, c in enumerate(_KINDS)]
    others = (
        _row(i, *way) for i, way in enumerate(ways, len(mine)) if way[:2] != (SENDER.sector, RECIPIENT.sector)
    )
    return Pack("bench", (*mine, *itertools.islice(others, ROWS - len(mine))), "")


def _row(i: int, sender: Sector, recipient: Sector, purpose: Purpose, category: Category) -> Row:
    return Row(
        id=f"R{i}",
        version=1,
        valid_from=date(2024, 1, 1),
        valid_to=None,
        known_from=date(2024, 1, 1),
        effect=Effect.CONSENT,
        senders=frozenset({sender}),
        recipients=frozenset({recipient}),
        purposes=frozenset({purpose}),
        categories=frozenset({category}),
        requires=Requires(signed=True),
    )


def documents() -> tuple[Consent, ...]:
    """Two hundred documents of one person: most about others, some old, some with an exception, some
    refusals; a few cover the question."""
    return tuple(_document(i) for i in range(CONSENTS))


def _document(i: int) -> Consent:
    mine = i % 10 == 0
    kind = _KINDS[i % len(_KINDS)].value
    said = Consent(
        id=f"C{i}",
        version=1,
        permits=i % 7 != 3 or mine,
        recorded_at=NOON - timedelta(days=200 - i),
        valid_from=date(2026, 1, 1),
        valid_to=date(2027, 1, 1),
        senders=frozenset({ANY if i % 2 else "prison"}),
        recipients=frozenset({"nav_municipal" if mine else f"9{i:08d}"}),
        purposes=frozenset({"benefits"}),
        categories=frozenset({kind, "work", "economy"}),
        signed=True,
        explained=True,
        recorder=Sector.PERSON,
        withdrawn_at=NOON - timedelta(days=1) if i % 13 == 5 else None,
    )
    if i % 20 == 0:
        but = replace(
            said, id="", version=0, permits=False, categories=frozenset({"family"}), withdrawn_at=None
        )
        said = replace(said, exceptions=(but,))
    return said


def decisions(times: int = 2_000) -> Decisions:
    rows = pack().between(SENDER.sector, RECIPIENT.sector, Purpose.BENEFITS)
    given = documents()
    one = _ask(1)
    whole = _ask(LEAVES)
    return Decisions(
        timed(lambda: decide(one, rows, given, at=NOON, known_at=NOON), times),
        timed(lambda: decide(whole, rows, given, at=NOON, known_at=NOON), times),
        LEAVES,
    )


def _ask(leaves: int) -> Ask:
    items = tuple(
        Item(f"felt[{i}].verdi", kinds, kinds)
        for i in range(leaves)
        for kinds in [frozenset({_KINDS[i % len(_KINDS)], Category.WORK})]
    )
    return Ask(SENDER, RECIPIENT, Purpose.BENEFITS, Basis.CONSENT, "bench", items, False, date(2026, 10, 1))


_PROSE = (
    "Hun ønsker å flytte nærmere familien og leter etter arbeid i butikk. Boligen bør ligge på bakkeplan. "
    "Avtalt samtale med veileder på torsdag klokka ti, oppmøte i andre etasje. Trenger hjelp til skjema. "
)


def labelling(times: int = 500) -> Times:
    """One record of 2 kB: codes, short values and free text."""
    codes = load_codes()
    leaves = (
        *(Leaf(f"notat[{i}].tekst", _PROSE, frozenset({Category.HOUSING}), free_text=True) for i in range(8)),
        *(Leaf(f"felt{i}", f"verdi {i}", frozenset({Category.WORK})) for i in range(20)),
        *(
            Leaf(f"kode{i}", "J18.9", frozenset({Category.SOMATIC_HEALTH}), code_system="icd-10")
            for i in range(4)
        ),
    )
    assert sum(len(str(leaf.value).encode()) for leaf in leaves) >= 1_800
    record = Record("bench", {})
    return timed(lambda: label(record, leaves, codes), times)


def register(
    store: Store, vault: Vault, sizes: Sequence[int], times: int = 200
) -> Iterator[tuple[int, Times]]:
    """From the identity number to the verdict with this many consents of others in the register."""
    store.migrate()
    with store.writing() as tx:
        owner = people.find_or_create(tx, vault, _NUMBER, NOON, lambda: "bench-person")
        for i in range(OWN):
            consents.record(
                tx, vault, owner, consent_id=f"own{i}", key=f"own{i}", version=1, document=_said(i),
                recorded_by="900000003", at=NOON - timedelta(days=9),
            )  # one row per case # fmt: skip
    rows, question = pack().between(SENDER.sector, RECIPIENT.sector, Purpose.BENEFITS), _ask(LEAVES)

    def once() -> None:
        with store.reading() as view:
            found = people.find(view, vault, _NUMBER)
            assert found is not None
            given = consents.of_person(view, vault, found, read_consent)
        assert len(given) == OWN
        decide(question, rows, given, at=NOON, known_at=NOON)

    there = 0
    for size in sizes:
        for first in range(there, size, _CHUNK):
            with store.writing() as tx:
                _others(tx, range(first, min(size, first + _CHUNK)))
        there = size
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
            tx.execute(text("ANALYZE"))
        yield size, timed(once, times, time.perf_counter)


def _others(tx: Connection, numbers: range) -> None:
    """Ten consents each, sealed under keys that nobody has: the hub never opens them."""
    blank = {"epoch": 0, "wrapped_key": None, "protected_address": False, "created_at": NOON}
    owners = sorted({i // 10 for i in numbers if i % 10 == 0})
    if owners:
        tx.execute(insert(person), [{"id": f"other{i}", **blank} for i in owners])
    sealed = {"recorded_by": "900000003", "recorded_at": NOON, "ciphertext": secrets.token_bytes(900)}
    tx.execute(
        insert(consent),
        [
            {
                **sealed, "id": f"theirs{i}", "person_id": f"other{i // 10}", "series": f"s{i}", "version": 1,
                "wrapped_key": secrets.token_bytes(40),
            }
            for i in numbers
        ],
    )  # one row per case # fmt: skip


def _said(i: int) -> dict[str, object]:
    return {
        "samtykke": {
            "serie": f"own{i}", "versjon": 1, "beslutning": "tillat", "gyldig_fra": "2026-01-01",
            "gyldig_til": "2027-01-01", "signert": True, "forklart": True, "tekstversjon": "deling-2026-1",
            "form": "skriftlig", "gitt_av": "pasient", "slag": "deling",
        },
        "innhentet_av": "person",
        "avsendere": ["prison"],
        "mottakere": ["nav_municipal"],
        "formal": ["benefits"],
        "kategorier": ["work", _KINDS[i].value],
    }  # one row per case # fmt: skip
