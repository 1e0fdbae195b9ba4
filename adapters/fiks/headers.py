"""Understands the headers of a message on Fiks IO, and how long it is good.

On Fiks IO they travel beside the package; at the hub's doors, which carry bytes only, they are the first
file in it. The names are those of the send metadata. `MeldingId` is zeros until Fiks IO has set it, new at
every send; what stays the same is `KlientMeldingId`, and what ties an answer to its request is
`KlientKorrelasjonsId`. Accounts come from the account catalogue; where only the organisation number is
known, the account is derived from it, so that both ends derive the same.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from adapters.json_profile import Group, Kind, Leaf, Part, findings
from hub.errors import Finding

FILE = "fiks.json"
NOBODY = str(uuid.UUID(int=0))
DEFAULT_TTL = timedelta(days=7)
"""What Fiks IO takes when a message says nothing."""

_ACCOUNTS = uuid.UUID("6f2a2a54-7d0f-5d1c-9a51-0b1f5c1c0a01")
_TTL = re.compile(r"(?:([0-9]{1,3})\.)?([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.[0-9]{1,7})?")
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ID = re.compile(r"[!#-%(-;=?-\[\]-~]{1,100}")
_PARTY = re.compile("0192:[0-9]{9}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,18}(?:Z|[+-][0-9]{2}:[0-9]{2})")

_account = Leaf(shape=_UUID, says=("a UUID in small letters", "en UUID med små bokstaver"))
_id = Leaf(shape=_ID, says=("an id of 1 to 100 characters", "en id på 1 til 100 tegn"))
_party = Leaf(shape=_PARTY, says=("0192: and an organisation number", "0192: og et organisasjonsnummer"))
_time = Leaf(shape=_TIME, says=("a date and time with offset", "dato og klokkeslett med tidssone"))
_ttl = Leaf(shape=_TTL, says=("a time such as 7.00:00:00", "en tid som 7.00:00:00"))


def headers(types: tuple[str, ...]) -> Group:
    """The table of the headers of a message of one of these types."""
    return Group(
        (
            Part("MeldingId", _account, required=True),
            Part("KlientMeldingId", _id, required=True),
            Part("KlientKorrelasjonsId", _id, required=True),
            Part("MeldingType", Leaf(Kind.CODE, only=types), required=True),
            Part("AvsenderKontoId", _account, required=True),
            Part("MottakerKontoId", _account, required=True),
            Part("SvarPaMelding", _id),
            Part("Ttl", _ttl),
            Part("Resendt", Leaf(Kind.FLAG)),
            Part(
                "Headere",
                Group(
                    (
                        Part("sendt", _time, required=True),
                        Part("avsender", _party),
                        Part("mottaker", _party),
                        Part("gyldigTil", _time),
                    )
                ),
                required=True,
            ),
        )
    )


def account(org: str | None) -> str:
    """The account of an organisation number, or of nobody."""
    return str(uuid.uuid5(_ACCOUNTS, f"0192:{org}")) if org else NOBODY


def write_ttl(span: timedelta) -> str:
    """`d.hh:mm:ss`, whole seconds."""
    whole = int(span.total_seconds())
    days, left = divmod(whole, 86_400)
    return f"{days}.{left // 3600:02d}:{left // 60 % 60:02d}:{left % 60:02d}"


def read_ttl(text: str) -> timedelta:
    """Of a text that has the shape; whole seconds of it."""
    shaped = _TTL.fullmatch(text)
    days, hours, minutes, seconds = (int(part or 0) for part in shaped.groups()) if shaped else (0, 0, 0, 0)
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def faults(given: object, types: tuple[str, ...]) -> Iterator[Finding]:
    """Everything wrong with the headers: their table, and that their times agree."""
    shape = list(findings(headers(types), given))
    yield from shape
    if shape or not isinstance(given, Mapping):
        return
    own = given["Headere"]
    sent, until = _moment(own["sendt"]), _moment(own.get("gyldigTil"))
    for key, moment in (("sendt", sent), ("gyldigTil", until)):
        if key in own and moment is None:
            yield Finding(f"Headere.{key}", "moment", "a time that exists", nb="et tidspunkt som finnes")
    if "Ttl" not in given and "gyldigTil" not in own:
        return  # Fiks IO's own time counts
    if "Ttl" not in given:
        yield Finding("Ttl", "missing", "a time such as 7.00:00:00", nb="en tid som 7.00:00:00")
        return
    span = read_ttl(given["Ttl"])
    if span < timedelta(seconds=1):
        yield Finding("Ttl", "range", "one second or more", nb="ett sekund eller mer")
    elif (
        sent
        and until
        and "gyldigTil" in own
        and not timedelta(0) <= until - sent - span < timedelta(seconds=1)
    ):
        words = "the time from sendt to gyldigTil", "tiden fra sendt til gyldigTil"
        yield Finding("Ttl", "ttl", words[0], nb=words[1])


def good_until(given: Mapping[str, object]) -> datetime:
    """When a message with these (faultless) headers expires."""
    own = given["Headere"]
    sent = _moment(own["sendt"]) if isinstance(own, Mapping) else None
    assert sent is not None  # faultless
    ttl = given.get("Ttl")
    return sent + (read_ttl(ttl) if isinstance(ttl, str) else DEFAULT_TTL)


def expired(given: Mapping[str, object], now: datetime) -> bool:
    """Whether nobody may act on the message any more; `now` is aware."""
    return good_until(given) <= now


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
