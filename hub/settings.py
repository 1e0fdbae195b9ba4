"""Understands the settings of one installation: read once from the environment, all faults at once.

It knows no store, no broker and no key material, only where they are. No setting makes the hub less
safe: certificate checks cannot be switched off, and without an issuer no token is valid. A fault
names the variable and what was expected of it, never what it held.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qs, urlsplit

from hub.errors import Finding, HubError
from mappings.identifiers import Numbers

MEBIBYTE = 1024 * 1024
_PREFIX = "BRO_"
_TEST_PREFIX = "BRO_TEST_"  # belongs to the test environment, not to an installation


class Unfit(ValueError):
    """The text of a variable is not what it should be. Its message is what was expected."""


class Listen(NamedTuple):
    """Where the API listens."""

    host: str
    port: int


def _loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _private(host: str | None) -> bool:
    """Loopback, a socket file, or a name without a dot: the network between containers."""
    return not host or _loopback(host) or ("." not in host and ":" not in host)


def _split(text: str, expected: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise Unfit(expected) from None
    return parts


def _store(text: str) -> str:
    expected = "sqlite:///<file>, or postgresql+psycopg://…"
    parts = _split(text, expected)
    if parts.scheme == "sqlite" and text.startswith("sqlite:///") and not parts.query:
        return text
    if parts.scheme != "postgresql+psycopg":
        raise Unfit(expected)
    sslmode = parse_qs(parts.query).get("sslmode", [""])[-1]
    if not _private(parts.hostname) and sslmode != "verify-full":
        raise Unfit("sslmode=verify-full, because the store is on another machine")
    return text


def _queue(text: str) -> str:
    if text == "embedded":
        return text
    expected = "embedded, amqp://… or amqps://…"
    parts = _split(text, expected)
    if parts.scheme not in ("amqp", "amqps") or not parts.hostname:
        raise Unfit(expected)
    if "ssl_options" in parse_qs(parts.query):
        raise Unfit("no ssl_options: certificates are always checked")
    if parts.scheme == "amqp" and not _private(parts.hostname):
        raise Unfit("amqps://, because the broker is on another machine")
    return text


def _listen(text: str) -> Listen:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise Unfit("<address>:<port>")
    return Listen(host.strip("[]"), int(port))


def https_url(text: str) -> str:
    """A URL that may be called: https, or http to this machine; no user, no fragment."""
    expected = "an https URL (http only to a loopback address)"
    parts = _split(text, expected)
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        raise Unfit(expected)
    if parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname)):
        return text
    raise Unfit(expected)


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise Unfit("an existing folder")
    return path.resolve()


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise Unfit("an existing file")
    return path


def _text(text: str) -> str:
    if not text or text != text.strip() or not text.isprintable():
        raise Unfit("text without blanks at its ends")
    return text


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise Unfit(f"a whole number from {low} to {high}")
        return int(text)

    return read


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise Unfit("one of: " + ", ".join(words))
        return text

    return read


def _numbers(text: str) -> Numbers:
    return Numbers(_one_of(*Numbers)(text))


def _about(
    variable: str, unit: str, read: Callable[[str], Any], reason: str, *, secret: bool = False
) -> dict[str, Any]:
    """What the documentation and the reader need of a field. A secret may also come from
    `<variable>_FILE`."""
    return {"variable": variable, "unit": unit, "reason": reason, "read": read, "secret": secret}


@dataclass(frozen=True)
class Settings:
    """One installation. Secrets do not show in its repr."""

    store: str = field(
        default="sqlite:///var/bro.sqlite",
        repr=False,
        metadata=_about(
            "BRO_STORE",
            "SQLAlchemy URL",
            _store,
            "The store is the truth. SQLite needs nothing else installed; PostgreSQL is for production.",
            secret=True,
        ),
    )
    queue: str = field(
        default="embedded",
        repr=False,
        metadata=_about(
            "BRO_QUEUE",
            "`embedded` or AMQP URL",
            _queue,
            "The embedded queue lives in the store; RabbitMQ is for production and opens the AMQP doors.",
            secret=True,
        ),
    )
    keys: Path = field(
        default=Path("var/keys"),
        metadata=_about(
            "BRO_KEYS",
            "folder",
            Path,
            "Holds `master.key`, `pseudonym.key` and `log-signing.pem`, mode 0600. "
            "The first run makes them only with the SQLite store and the embedded queue.",
        ),
    )
    directory: Path = field(
        default=Path("var/directory.yaml"),
        metadata=_about(
            "BRO_DIRECTORY",
            "YAML file",
            Path,
            "The agencies the hub knows, and the door of each. Nobody else can send or receive.",
        ),
    )
    adapters: Path = field(
        default=Path("var/adapters.json"),
        metadata=_about(
            "BRO_ADAPTERS",
            "JSON file",
            Path,
            "The stamps of adapters from other packages: which bytes conformed. Without one, none is used.",
        ),
    )
    listen: Listen = field(
        default=Listen("127.0.0.1", 8300),
        metadata=_about(
            "BRO_LISTEN",
            "address:port",
            _listen,
            "Only this machine by default; TLS ends in the proxy in front.",
        ),
    )
    issuer: str = field(
        default="",
        metadata=_about(
            "BRO_ISSUER", "text", _text, "The `iss` that every token must have. Empty: no token is valid."
        ),
    )
    audience: str = field(
        default="",
        metadata=_about(
            "BRO_AUDIENCE",
            "text",
            _text,
            "The `aud` that every token must have, so that a token for another API is useless here.",
        ),
    )
    jwks_file: Path | None = field(
        default=None,
        metadata=_about(
            "BRO_ISSUER_JWKS_FILE",
            "JSON file",
            _file,
            "The issuer's public keys, for installations that cannot call the issuer.",
        ),
    )
    jwks_url: str | None = field(
        default=None,
        metadata=_about(
            "BRO_ISSUER_JWKS_URL",
            "https URL",
            https_url,
            "The issuer's public keys, read again when an unknown key id appears (once a minute at most).",
        ),
    )
    max_body_bytes: int = field(
        default=10 * MEBIBYTE,
        metadata=_about(
            "BRO_MAX_BODY_BYTES",
            "bytes",
            _whole(1024, 50 * MEBIBYTE),
            "Far above any message of these exchanges. Reading stops at the limit.",
        ),
    )
    max_uploads: int = field(
        default=16,
        metadata=_about(
            "BRO_MAX_UPLOADS",
            "requests",
            _whole(1, 1000),
            "Bodies held in memory at the same time; with the body limit it bounds the memory of the API.",
        ),
    )
    body_seconds: int = field(
        default=60,
        metadata=_about(
            "BRO_BODY_SECONDS",
            "seconds",
            _whole(1, 600),
            "A body must have arrived by then, so that a slow sender cannot keep a place for ever.",
        ),
    )
    webhook_timeout_seconds: int = field(
        default=20,
        metadata=_about(
            "BRO_WEBHOOK_TIMEOUT_SECONDS",
            "seconds",
            _whole(1, 120),
            "A whole attempt, connecting included; a slow recipient is tried again later.",
        ),
    )
    log_level: str = field(
        default="INFO",
        metadata=_about(
            "BRO_LOG_LEVEL",
            "level",
            _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
            "No level logs message content, identity numbers or names.",
        ),
    )
    desk_users: Path | None = field(
        default=None,
        metadata=_about(
            "BRO_DESK_USERS",
            "YAML file",
            _file,
            "Who may stand at the desks of the console, for which agency. Without it the desks are closed.",
        ),
    )
    schema_dir: Path | None = field(
        default=None,
        metadata=_about(
            "BRO_SCHEMA_DIR",
            "folder",
            _folder,
            "The official XSDs of the KITH messages, unpacked in any depth. With it they are asked about "
            "every KITH document that comes in or goes out, besides the hub's own tables; where a lenient "
            "partner was let through, about what was understood, in proper form.",
        ),
    )
    policy: str = field(
        default="strict",
        metadata=_about(
            "BRO_POLICY",
            "pack",
            _one_of("strict"),
            "Substance-use information needs a consent in every flow.",
        ),
    )
    numbers: Numbers = field(
        default=Numbers.ALL,
        metadata=_about(
            "BRO_PERSON_NUMBERS",
            "`all`, `real` or `synthetic`",
            _numbers,
            "Whose messages are taken. With `synthetic` a test installation refuses every number that could "
            "be a living person's; with `real` Skatteetaten's made-up numbers are refused. NAV's cannot be: "
            "they look like H-numbers. A patient who is described has no number to tell by, and is taken.",
        ),
    )

    @property
    def embedded(self) -> bool:
        """The small installation: first runs may make keys and folders for it."""
        return self.store.startswith("sqlite:") and self.queue == "embedded"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read all of it, or `settings.invalid` with a finding for every variable that is wrong."""
        findings: list[Finding] = list(_unknown(env))
        values: dict[str, Any] = {}
        for setting in fields(cls):
            variable = setting.metadata["variable"]
            try:
                text = _lookup(env, variable, setting)
                if text is not None:
                    values[setting.name] = setting.metadata["read"](text)
            except Unfit as unfit:
                findings.append(Finding(at=variable, rule="setting", expected=str(unfit)))
        findings += _together(env)
        if findings:
            raise HubError("settings.invalid", findings)
        return cls(**values)


def _lookup(env: Mapping[str, str], variable: str, setting: Field[Any]) -> str | None:
    named = env.get(f"{variable}_FILE") if setting.metadata["secret"] else None
    if named is None:
        return env.get(variable)
    if variable in env:
        raise Unfit(f"either {variable} or {variable}_FILE, not both")
    try:
        return Path(named).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise Unfit(f"{variable}_FILE to name a readable text file") from None


def _unknown(env: Mapping[str, str]) -> list[Finding]:
    """A misspelt variable would leave its default in force unseen."""
    known = set()
    for setting in fields(Settings):
        known.add(setting.metadata["variable"])
        if setting.metadata["secret"]:
            known.add(f"{setting.metadata['variable']}_FILE")
    return [
        Finding(at=name, rule="unknown-setting", expected="a variable listed in docs/settings.md")
        for name in sorted(env)
        if name.startswith(_PREFIX) and not name.startswith(_TEST_PREFIX) and name not in known
    ]


def _together(env: Mapping[str, str]) -> list[Finding]:
    """An issuer is its name, its audience and exactly one source of keys, or nothing at all."""
    sources = [name for name in ("BRO_ISSUER_JWKS_FILE", "BRO_ISSUER_JWKS_URL") if name in env]
    named = [name for name in ("BRO_ISSUER", "BRO_AUDIENCE") if name in env]
    if not sources and not named:
        return []
    findings = [
        Finding(at=name, rule="issuer-whole", expected="to be set, since other issuer settings are")
        for name in ("BRO_ISSUER", "BRO_AUDIENCE")
        if name not in env
    ]
    if len(sources) != 1:
        findings.append(
            Finding(
                at="BRO_ISSUER_JWKS_FILE",
                rule="issuer-whole",
                expected="exactly one of BRO_ISSUER_JWKS_FILE and BRO_ISSUER_JWKS_URL",
            )
        )
    return findings
