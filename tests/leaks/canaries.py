"""Understands which markers are planted, in which slot of which message, and where each may be found.

Two tables: `CANARIES` (slot -> marker) and `PERMITTED` (slot and place where a consent or the law lets it
stand, with the reason). Whatever is found anywhere else is a leak. There are no exceptions in code.

A place is `<what>/<whose>/<when>`: `payload/gp/asked`, `response/prison/errors`, `store/bro.sqlite-wal`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from hub.demo.world import PERSON
from tests.leaks.search import Search

TSB_ORG, TSB_NAME = "310000078", "Solbakken klinikk"


def token(slot: str) -> str:
    """A word of letters that is in no dictionary, one for each slot."""
    digest = hashlib.sha256(slot.encode()).digest()
    return "kanari" + "".join("bcdfghjklmnprstv"[byte % 16] for byte in digest[:7])


_AREAS = ("bolig", "utdanning", "arbeid", "okonomi", "helse", "rus", "familie", "nettverk", "fritid")
_TOKENS = (
    "brik.enhet",
    "brik.kommuner.bydel",
    *(f"brik.{area}.{slot}" for area in _AREAS for slot in ("tiltak", "merknad")),
    "brik.rus.audit.versjon",
    "brik.rus.dudit.versjon",
    "epikrise.enhet",
    "epikrise.behandler",
    "epikrise.rus.diagnose",
    "epikrise.rus.tittel",
    "epikrise.rus.tekst",
    "epikrise.rus.dosering",
    "epikrise.rus.ord",  # a section that only its words give away
    "epikrise.fil",  # a file name in a section's text
    "epikrise.diagnose",
    "epikrise.tittel",
    "epikrise.tekst",
    "epikrise.dosering",
    "henvisning.merknad",
    "henvisning.enhet",
    "henvisning-2.merknad",  # sent into an endpoint that fails
    "henvisning-3.merknad",  # its consent is withdrawn before it can be sent
    "svar.sted",
    "svar.adresse",
    "dato.enhet",
    "samtykke.tekst",
    *(f"{kind}.id" for kind in ("brik", "brik-2", "epikrise", "henvisning", "henvisning-2", "henvisning-3")),
    *(f"{kind}.id" for kind in ("nav-svar", "bolig-svar", "dato", "trukket")),
    *(f"samtykke-{who}.id" for who in ("nav", "bolig", "skole", "tsb", "gp")),
    "bad",  # in everything that a validator refuses
)

CANARIES: dict[str, str] = {
    "person.id": PERSON,
    "person.navn": f"Ask {token('navn').capitalize()}",
    **{slot: token(slot) for slot in _TOKENS},
    "brik.rus.audit.dato": "2011-07-19",
    "brik.rus.dudit.dato": "2012-08-23",
    "brik.rus.audit.svar": "4,0,3,1,4,0,2,1,4,2",
    "brik.rus.audit.svar, spaced": "4, 0, 3, 1, 4, 0, 2, 1, 4, 2",
    "brik.rus.dudit.svar": "3,1,4,0,4,1,2,0,3,4,2",
    "brik.rus.dudit.svar, spaced": "3, 1, 4, 0, 4, 1, 2, 0, 3, 4, 2",
    "brik.rus.audit.svar, XML": "".join(f"<Svar>{points}</Svar>" for points in "4031402142"),
    "brik.rus.dudit.svar, XML": "".join(f"<Svar>{points}</Svar>" for points in "31404120342"),
    "epikrise.rus.kode": "F11.22",
    "epikrise.rus.atc": "N07BC51",
    "epikrise.rus.merkenavn": "Suboxone",
    "bad.person.id": "14839030187",  # one off its check digit
    "bad.kode": "F19.27",
    "tsb.org": TSB_ORG,
    "tsb.navn": TSB_NAME,
}


@dataclass(frozen=True)
class Permission:
    """These slots may stand in these places, because."""

    slots: tuple[str, ...]
    places: tuple[str, ...]
    because: str

    def covers(self, slot: str, place: str) -> bool:
        return any(fnmatchcase(slot, pattern) for pattern in self.slots) and any(
            fnmatchcase(place, pattern) for pattern in self.places
        )


_PERSON = ("person.id", "person.navn")
PERMITTED = (
    Permission(
        _PERSON, ("payload/prison_health/*",), "identity goes to the prison's own health service (L08)"
    ),
    Permission(_PERSON, ("payload/gp/*",), "identity goes to the GP with the epikrise (L21)"),
    Permission(
        _PERSON, ("payload/prison/*",), "an answer names the person the prison asked about (L45, L47)"
    ),
    Permission(_PERSON, ("payload/nav/some*", "payload/housing/some*"), "the sharing form was signed"),
    Permission(("brik.kommuner.bydel",), ("payload/nav/some*", "payload/housing/some*"), "the sharing form"),
    Permission(
        ("epikrise.enhet", "epikrise.behandler", "epikrise.diagnose", "epikrise.t*", "epikrise.dosering"),
        ("payload/gp/*",),
        "somatic health goes to the GP under the objection model (L21)",
    ),
    Permission(("epikrise.*",), ("payload/gp/some,tsb,gp*",), "a consent names the GP and substance use"),
    Permission(
        (
            *_PERSON,
            "brik.rus.audit.*",
            "brik.rus.dudit.*",
            "brik.rus.merknad",
            "henvisning.*",
            "henvisning-2.*",
        ),
        ("payload/tsb/some,tsb*",),
        "a consent names TSB and substance use",
    ),
    Permission(
        ("person.id", "samtykke-tsb.id"),
        ("payload/tsb/some, withdrawn",),
        "who got something under a consent is told that it is withdrawn (GDPR art. 19)",
    ),
    Permission(("svar.*",), ("payload/prison/*",), "answers to what the prison asked"),
    Permission(("brik.id", "brik-2.id", "dato.id"), ("response/prison/*",), "the sender's own id comes back"),
    Permission(
        ("epikrise.id", "henvisning*.id", "samtykke-*.id", "trukket.id"),
        ("response/prison_health/*",),
        "the sender's own id comes back",
    ),
    Permission(("nav-svar.id",), ("response/nav/*",), "the sender's own id comes back"),
    Permission(("bolig-svar.id",), ("response/housing/*",), "the sender's own id comes back"),
    Permission(("tsb.*",), ("response/prison_health/*",), "who referred sees to whom"),
    Permission(("tsb.*",), ("payload/tsb/*",), "its own name"),
    Permission(("tsb.org",), ("store/*",), "routing: the row of a disclosure names its recipient"),
    Permission(("tsb.*",), ("cli",), "the operator's list says to whom each disclosure goes"),
    Permission(("tsb.*",), ("temp/directory.yaml",), "the directory, written by the operator"),
)


@dataclass(frozen=True)
class Leak:
    """A marker where it must not be."""

    slot: str
    place: str
    wrapping: str


Evidence = Iterable[tuple[str, bytes]]


@cache
def search() -> Search:
    return Search(CANARIES)


def leaks(evidence: Evidence) -> list[Leak]:
    """Every marker that stands where nothing permits it."""
    found = [Leak(hit.marker, place, hit.wrapping) for place, data in evidence for hit in search().hits(data)]
    unlawful = {leak for leak in found if not permitted(leak.slot, leak.place)}
    return sorted(unlawful, key=lambda leak: (leak.place, leak.slot, leak.wrapping))


def permitted(slot: str, place: str) -> bool:
    return any(permission.covers(slot, place) for permission in PERMITTED)


def standing(evidence: Evidence) -> set[tuple[str, str]]:
    """Slot and place of everything found: so that a test can say what did arrive."""
    return {(hit.marker, place) for place, data in evidence for hit in search().hits(data)}
