"""Understands the shapes a message takes on its way through the hub.

    Received -> Record -> Labelled -> Permitted -> Rendered -> Sealed -> (SendPermit) -> handed over

Each step of `hub/pipeline.py` takes the shape that the step before returned, so a step cannot be
left out, or put in the wrong order, without the type checker noticing. This module imports nothing
of ours; everything else may import it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

Fields = Mapping[str, Any]
"""The values of one message: nested mappings, lists and scalars, as declared by its type."""


class Step(StrEnum):
    """The steps of a message's way: the vocabulary of codes, audit, metrics, console and docs."""

    RECEIVE = "receive"
    PARSE = "parse"
    LABEL = "label"
    ROUTE = "route"
    DECIDE = "decide"
    TRANSLATE = "translate"
    RENDER = "render"
    SEAL = "seal"
    ENQUEUE = "enqueue"
    HAND_OVER = "hand-over"
    RECEIPT = "receipt"


class Category(StrEnum):
    """What a leaf tells about the person. A leaf carries a set; UNKNOWN is the most protected."""

    IDENTITY = "identity"
    COORDINATION = "coordination"
    CUSTODY = "custody"
    OFFENCE = "offence"
    CONTROL = "control"
    SUBSTANCE_USE = "substance_use"
    MENTAL_HEALTH = "mental_health"
    SOMATIC_HEALTH = "somatic_health"
    HOUSING = "housing"
    ECONOMY = "economy"
    WORK = "work"
    EDUCATION = "education"
    FAMILY = "family"
    NETWORK = "network"
    PLAN = "plan"
    RISK = "risk"
    PROGRAMME = "programme"
    PROTECTED_ADDRESS = "protected_address"
    UNKNOWN = "unknown"  # no policy row and no consent can name it, so it never leaves by itself


class Sector(StrEnum):
    """The class of a sender or recipient. An agency has exactly one."""

    PRISON = "prison"
    PROBATION = "probation"
    PRISON_HEALTH = "prison_health"
    GP = "gp"
    TSB = "tsb"
    MENTAL_HEALTH_SERVICE = "mental_health_service"
    NAV_STATE = "nav_state"
    NAV_MUNICIPAL = "nav_municipal"
    MUNICIPALITY_HOUSING = "municipality_housing"
    MUNICIPALITY_COORDINATOR = "municipality_coordinator"
    MUNICIPALITY_SUBSTANCE = "municipality_substance"
    MUNICIPALITY_HEALTH = "municipality_health"
    EDUCATION = "education"
    COURT = "court"
    PROSECUTION = "prosecution"
    TREATMENT_INSTITUTION = "treatment_institution"
    VOLUNTARY = "voluntary"
    NEXT_OF_KIN = "next_of_kin"
    COUNTY_GOVERNOR = "county_governor"
    STATISTICS = "statistics"
    PERSON = "person"
    OUTSIDE = "outside"  # employer, insurer, private landlord, media: no party of the hub, ever


CONTROL_SECTORS = frozenset({Sector.PRISON, Sector.PROBATION, Sector.COURT, Sector.PROSECUTION})
"""Those who can punish. They never see a refusal or a withdrawal, and cannot collect a consent to
share substance-use information."""

HEALTH_SECTORS = frozenset(
    {
        Sector.PRISON_HEALTH,
        Sector.GP,
        Sector.TSB,
        Sector.MENTAL_HEALTH_SERVICE,
        Sector.MUNICIPALITY_HEALTH,
        Sector.TREATMENT_INSTITUTION,
    }
)
"""Bound by health secrecy. Towards everybody else free text travels only after a person read it."""

SUBSTANCE_SECTORS = frozenset({Sector.TSB, Sector.MUNICIPALITY_SUBSTANCE, Sector.TREATMENT_INSTITUTION})
"""Their mere name on a message tells that substance use is the matter."""


class Purpose(StrEnum):
    """Why the recipient gets it. A consent names purposes; none is inferred."""

    RETURN_TO_SOCIETY = "return_to_society"
    TREATMENT = "treatment"
    HOUSING = "housing"
    BENEFITS = "benefits"
    WORK_AND_EDUCATION = "work_and_education"
    CARE_COORDINATION = "care_coordination"
    SENTENCE_EXECUTION = "sentence_execution"
    COURT_CONTROL = "court_control"
    AFTERCARE = "aftercare"
    OVERDOSE_PREVENTION = "overdose_prevention"
    VOLUNTARY_SUPPORT = "voluntary_support"
    COMPLAINT = "complaint"
    STATISTICS = "statistics"


class Basis(StrEnum):
    """The kind of ground a message rests on. Consent to a sanction is none of these."""

    CONSENT = "consent"
    OBJECTION_MODEL = "objection_model"
    DUTY = "duty"
    DUTY_ON_REQUEST = "duty_on_request"
    MANDATE = "mandate"
    OWN_APPLICATION = "own_application"


class Outcome(StrEnum):
    """How a disclosure ended, or stands. To a recipient all but the first look like nothing."""

    DELIVERED = "delivered"
    REDUCED = "reduced"
    HELD = "held"
    WITHHELD = "withheld"
    WAITING = "waiting"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Verdict(StrEnum):
    """What the decision says of one item."""

    PERMIT = "permit"
    DENY = "deny"
    HOLD = "hold"


@dataclass(frozen=True)
class Agency:
    """One party of the directory. `name` is neutral: it may stand on any message."""

    org: str
    name: str
    sector: Sector
    kommuner: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    door: str = "inbox"
    reveals: frozenset[Category] = frozenset()
    reading: str = "strict"
    """`lenient`: known deviations of this sender that change nothing are let through, and noted."""
    her: tuple[str, ...] = ()
    """Its numbers in the national address register, the one that is written on what it gets first."""

    @property
    def labels(self) -> frozenset[Category]:
        """What the name of this agency on a message tells about the person."""
        by_sector: set[Category] = set()
        if self.sector in SUBSTANCE_SECTORS:
            by_sector.add(Category.SUBSTANCE_USE)
        if self.sector in CONTROL_SECTORS or self.sector is Sector.PRISON_HEALTH:
            by_sector.add(Category.CUSTODY)
        return frozenset(by_sector) | self.reveals


@dataclass(frozen=True)
class Received:
    """Bytes at a door, from an agency whose identity the door has proved."""

    id: str
    sender: Agency
    media_type: str
    body: bytes = field(repr=False)
    at: datetime


@dataclass(frozen=True)
class Record:
    """The values of one message type. Its repr is sealed: a value must not reach a log."""

    type: str
    fields: Fields = field(repr=False)

    def get(self, path: str) -> Any:
        """The value at a dotted path without indices, or None."""
        here: Any = self.fields
        for name in path.split("."):
            if not isinstance(here, Mapping) or name not in here:
                return None
            here = here[name]
        return here

    def only(self, paths: frozenset[str]) -> Record:
        """A copy that holds nothing but the leaves named. Emptied groups and list elements vanish
        and lists close up, so that no gap, count or index tells that something was there."""
        return Record(self.type, _only(self.fields, "", paths) or {})


def _only(node: Any, path: str, paths: frozenset[str]) -> Any:
    if isinstance(node, Mapping):
        kept = {
            name: value
            for name, child in node.items()
            if (value := _only(child, f"{path}.{name}" if path else name, paths)) is not None
        }
        return kept or None
    if isinstance(node, list):
        items = [
            value
            for index, child in enumerate(node)
            if (value := _only(child, f"{path}[{index}]", paths)) is not None
        ]
        return items or None
    return node if path in paths else None


_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class Leaf:
    """One value of a record with what its type declares about it.

    `path` has indices (`diagnoser[1].kode`) and identifies the item; `field` has none
    (`diagnoser.kode`) and names the declaration; `element` is the nearest enclosing list element
    (`diagnoser[1]`) or an empty string: content that raises a label raises the whole element.
    """

    path: str
    value: Any = field(repr=False)
    labels: frozenset[Category]
    free_text: bool = False
    code_system: str | None = None
    file: tuple[str, str] | None = None
    """Of a file, whose value is base64: the media type and the name it was sent with."""

    @property
    def field(self) -> str:
        return _INDEX.sub("", self.path)

    @property
    def element(self) -> str:
        return self.path[: self.path.rindex("]") + 1] if "]" in self.path else ""


@dataclass(frozen=True)
class Item:
    """What the decision sees of a leaf: never the value."""

    path: str
    declared: frozenset[Category]
    categories: frozenset[Category]
    free_text: bool = False
    persons: frozenset[str] = frozenset()
    """Who else than the subject of the message this tells about; each of them must permit it."""
    doubt: bool = False
    """Something in the words may tell of substance use, and does not say so by itself."""

    @property
    def field(self) -> str:
        return _INDEX.sub("", self.path)


@dataclass(frozen=True)
class Reading:
    """What persons at the desk found in one leaf that a machine may not clear for this recipient.
    A leaf in which the scanner found something takes two readers."""

    categories: frozenset[Category]
    readers: tuple[str, ...]


@dataclass(frozen=True)
class Override:
    """Somebody sets an objection aside for weighty reasons (helsepersonelloven § 29). It counts only
    where the row allows it, for that role, with two different persons behind it."""

    ground: str
    role: str
    by: tuple[str, ...]


@dataclass(frozen=True)
class Labelled:
    """A record and the full label set of every leaf of it."""

    record: Record
    items: tuple[Item, ...]


@dataclass(frozen=True)
class ItemDecision:
    """The verdict on one item: why (a code of `hub/errors.py` or a row), resting on what."""

    path: str
    verdict: Verdict
    reason: str
    row: str | None = None
    consents: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """All verdicts for one recipient at one moment. A decision without a reason cannot exist."""

    items: tuple[ItemDecision, ...]
    at: datetime
    alarms: tuple[str, ...] = ()
    """Codes that a person must look at: a conflict, an unreadable consent, an override not allowed."""

    def paths(self, verdict: Verdict) -> frozenset[str]:
        return frozenset(item.path for item in self.items if item.verdict is verdict)

    def reasons(self, verdict: Verdict) -> tuple[str, ...]:
        return tuple(sorted({item.reason for item in self.items if item.verdict is verdict}))


@dataclass(frozen=True)
class Permitted:
    """What may go to one recipient: the record without everything else. Made in one place,
    `consent/decide.py`; a test counts where it is written."""

    record: Record
    recipient: Agency
    agreement: str
    decision: Decision


@dataclass(frozen=True)
class Rendered:
    """The recipient's own bytes."""

    recipient: Agency
    adapter: str
    media_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Sealed:
    """Ciphertext at rest and its wrapped key. Without the key nobody can read it, us included."""

    ciphertext: bytes = field(repr=False)
    wrapped_key: bytes = field(repr=False)


_BEYOND_MICROSECONDS = re.compile(r"(?<=\.[0-9]{6})[0-9]+")


def to_microseconds(time: str) -> str:
    """A time with at most six digits of a second. Some systems write seven or nine; nothing is decided by
    them, and no record has them."""
    return _BEYOND_MICROSECONDS.sub("", time)


def walk(fields: Fields, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar of nested fields with its indexed path, in document order."""
    for name, value in fields.items():
        yield from _walk(value, f"{path}.{name}" if path else name)


def _walk(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        yield from walk(node, path)
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _walk(child, f"{path}[{index}]")
    else:
        yield path, node


@dataclass(frozen=True)
class Consent:
    """One version of one consent or refusal, readable by the decision.

    None in a set means "not said": a refusal then matches everything, a permission nothing.
    `parties` hold sectors and organisation numbers side by side; `ANY` must be said out loud.
    Exceptions reverse the base decision for what they match (FHIR R4 Consent.provision).
    """

    id: str
    version: int
    permits: bool
    recorded_at: datetime
    valid_from: date | None
    valid_to: date | None
    senders: frozenset[str] | None
    recipients: frozenset[str] | None
    purposes: frozenset[str] | None
    categories: frozenset[str] | None
    data_from: date | None = None
    data_to: date | None = None
    signed: bool = False
    explained: bool = False
    form: str = ""
    text_version: str = ""
    grantor: str = "person"
    recorder: Sector | None = None
    kind: str = "sharing"
    withdrawn_at: datetime | None = None
    permissions_ended_at: datetime | None = None
    """Of a refusal: when what its exceptions permitted was withdrawn. What it refuses stands."""
    replaces: str | None = None
    exceptions: tuple[Consent, ...] = ()
    readable: bool = True
    person: str = ""
    """Whose it is; empty is the subject of the message."""
    setting: str = ""
    interpreter: str = ""
    language: str = ""
    under_sentence: bool | None = None
    widened: bool = False
    """A block against named personnel, recorded as one towards everybody. Nothing is decided by it."""
    active: bool = True
    """False: never signed, or out of force since nobody knows when. It permits nothing."""
    only_refuses: bool = False
    """Seen over a link that is in doubt: it may refuse, and never permits (hub/store/linked.py)."""

    @property
    def grants(self) -> bool:
        """Whether anything in it permits, also as an exception to what it refuses."""
        return self.permits or any(exception.grants for exception in self.exceptions)

    @property
    def ref(self) -> str:
        return f"{self.id}/{self.version}"


@dataclass(frozen=True)
class Request:
    """One version of one request for information, as the decision reads it: an agency asks another for
    what a policy row of `flow` obliges that one to tell about the person.

    It permits, so doubt narrows it: what cannot be read asks for nothing. Days are inclusive; the data
    period None is open.
    """

    id: str
    series: str
    version: int
    recorded_at: datetime
    ended_at: datetime | None
    asked_by: str = ""
    asked_of: str = ""
    flow: str = ""
    purpose: str = ""
    valid_from: date = date.max
    valid_to: date = date.min
    data_from: date | None = None
    data_to: date | None = None
    readable: bool = True


@dataclass(frozen=True)
class RegisteredGp:
    """What was recorded of whose patient the person is, from one day to another; `org` "" is nobody's.
    The record that came last counts; one that cannot be read speaks of every day. Days are inclusive;
    `valid_to` None is open."""

    id: str
    recorded_at: datetime
    org: str = ""
    valid_from: date = date.min
    valid_to: date | None = None
    readable: bool = True


ANY = "*"
