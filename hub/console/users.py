"""Understands who is at a desk: a person with a name, an agency and roles, who proved it with a key.

The people stand in the file that BRO_DESK_USERS names; of a key it holds only what scrypt made of it. The
cookie says who and until when, signed under a key drawn at start, so a restart ends all of them, and every
form carries a token that only the cookie's owner can have been given. It knows no room.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from consent.strict_yaml import Plain, Reader, read_yaml
from hub.errors import Finding, HubError
from hub.message import Agency

COOKIE = "bro_desk"
LASTS = timedelta(hours=8)
PATIENCE = 5
"""So many wrong keys in a row, and the name must wait."""
PAUSE = timedelta(minutes=1)

_BYTES = 32
_ID = re.compile(r"[a-z][a-z0-9.-]{1,39}")
_KEYS = {"id", "name", "agency", "roles", "key"}


class Role(StrEnum):
    """What somebody may do at a desk."""

    CASEWORKER = "caseworker"  # records what a person gives, narrows and withdraws
    READER = "reader"  # reads what a machine may not clear
    PRIVACY = "privacy"  # sees the register as it was known, and approves


@dataclass(frozen=True)
class DeskUser:
    """Somebody who may stand at a desk, on behalf of one agency."""

    id: str
    name: str
    agency: Agency
    roles: frozenset[Role]

    def may(self, role: Role) -> bool:
        return role in self.roles


@dataclass(frozen=True)
class _Lock:
    """What scrypt made of a key."""

    salt: bytes = field(repr=False)
    made: bytes = field(repr=False)

    def opens(self, key: str) -> bool:
        return hmac.compare_digest(_scrypt(key, self.salt), self.made)


class Users:
    """The people of one installation. Without a file there is nobody, and the desks are closed."""

    def __init__(self, people: Iterable[tuple[DeskUser, _Lock]] = ()) -> None:
        self._people = {user.id: (user, lock) for user, lock in people}
        self._nobody = _Lock(secrets.token_bytes(16), secrets.token_bytes(32))
        self._wrong: dict[str, tuple[int, datetime]] = {}
        self._one_at_a_time = threading.Lock()  # scrypt takes 16 MiB: many at once would take it all

    def __bool__(self) -> bool:
        return bool(self._people)

    def get(self, user_id: str) -> DeskUser | None:
        found = self._people.get(user_id)
        return found[0] if found else None

    def enter(self, user_id: str, key: str, now: datetime) -> DeskUser | None:
        """Who this is, or None. A name that does not exist takes as long as a wrong key."""
        with self._one_at_a_time:
            wrong, until = self._wrong.get(user_id, (0, now))
            user, lock = self._people.get(user_id, (None, self._nobody))
            if not lock.opens(key) or user is None or (wrong >= PATIENCE and now < until):
                if user is not None:
                    self._wrong[user_id] = (wrong + 1, now + PAUSE)
                return None
            self._wrong.pop(user_id, None)
            return user


def load_users(path: Path | None, agency: Callable[[str], Agency | None]) -> Users:
    """The people of the file. `agency` finds an agency of the directory by organisation number.

    Raises settings.invalid with every finding; a file that is half right lets nobody in.
    """
    if path is None:
        return Users()
    try:
        root = read_yaml(path.read_text(encoding="utf-8"), "settings.invalid")
    except (OSError, UnicodeDecodeError):
        raise HubError("settings.invalid", [Finding("BRO_DESK_USERS", "file", "a UTF-8 file")]) from None
    return read_users(root, agency)


def read_users(root: Plain, agency: Callable[[str], Agency | None]) -> Users:
    """As `load_users`, of what the file holds."""
    findings: list[Finding] = []
    read = Reader(findings)
    people: list[tuple[DeskUser, _Lock]] = []
    raw_users = read.list(read.mapping(root, "", {"users"}), "", "users")
    for index, raw in enumerate(raw_users):
        at = f"users[{index}]"
        entry = read.mapping(raw, at, _KEYS)
        user_id, org = read.text(entry, at, "id"), read.text(entry, at, "agency")
        found, lock = agency(org), _lock(read.text(entry, at, "key"))
        roles = read.codes(Role, entry, at, "roles")
        name = read.text(entry, at, "name")
        if not _ID.fullmatch(user_id) or any(user.id == user_id for user, _ in people):
            read.fault(f"{at}.id", "id", "2 to 40 of a-z, 0-9, dot and hyphen, once")
        if not name or not name.isprintable() or len(name) > 100:
            read.fault(f"{at}.name", "text", "1 to 100 printable characters")
        if not roles:
            read.fault(f"{at}.roles", "empty", "at least one role")
        if found is None:
            read.fault(f"{at}.agency", "agency", "the organisation number of an agency of the directory")
        if lock is None:
            read.fault(f"{at}.key", "key", "what `bro consent user` printed")
        if found is not None and lock is not None:
            people.append((DeskUser(user_id, name, found, roles), lock))
    if findings:
        raise HubError("settings.invalid", findings)
    return Users(people)


def new_entry(user_id: str, name: str, org: str, roles: Iterable[Role]) -> tuple[dict[str, Plain], str]:
    """An entry for the file, and the key that goes to the person and is kept nowhere."""
    key, salt = secrets.token_urlsafe(18), secrets.token_bytes(16)
    made = f"scrypt:{_base64(salt)}:{_base64(_scrypt(key, salt))}"
    listed: list[Plain] = [*sorted(role.value for role in roles)]
    return {"id": user_id, "name": name, "agency": org, "roles": listed, "key": made}, key


def _scrypt(key: str, salt: bytes) -> bytes:
    return hashlib.scrypt(key.encode("utf-8", "surrogatepass"), salt=salt, n=2**14, r=8, p=1, dklen=_BYTES)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _lock(text: str) -> _Lock | None:
    kind, _, rest = text.partition(":")
    salt, _, made = rest.partition(":")
    try:
        lock = _Lock(base64.b64decode(salt, validate=True), base64.b64decode(made, validate=True))
    except ValueError:
        return None
    return lock if kind == "scrypt" and len(lock.salt) >= 16 and len(lock.made) == _BYTES else None


class Desks:
    """The cookies and form tokens of everybody who is at a desk now."""

    def __init__(self, users: Users, clock: Callable[[], datetime]) -> None:
        self.users = users
        self._signing = secrets.token_bytes(32)
        self._clock = clock

    def enter(self, user_id: str, key: str) -> str | None:
        """A fresh cookie for who proved to be that person."""
        user = self.users.enter(user_id, key, self._clock())
        if user is None:
            return None
        said = f"{user.id}|{int((self._clock() + LASTS).timestamp())}|{secrets.token_hex(8)}"
        return f"{said}|{self._sign('cookie', said)}"

    def knows(self, cookie: str | None) -> DeskUser | None:
        """Whose cookie this is, if it is ours and has not ended."""
        said, _, signature = (cookie or "").rpartition("|")
        if not hmac.compare_digest(_bytes(signature), _bytes(self._sign("cookie", said))):
            return None
        user_id, ends, _ = said.split("|")
        return self.users.get(user_id) if int(ends) > self._clock().timestamp() else None

    def token(self, cookie: str | None) -> str:
        """What every form of the cookie's owner carries, and no other site can know."""
        return self._sign("form", cookie or "")

    def comes_from_our_form(self, cookie: str | None, form: Mapping[str, object]) -> bool:
        """Whether the field `token` of a form is the one that was put into it."""
        given = form.get("token")
        return isinstance(given, str) and hmac.compare_digest(_bytes(given), _bytes(self.token(cookie)))

    def _sign(self, what: str, said: str) -> str:
        return hmac.new(self._signing, _bytes(f"{what}\n{said}"), hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
