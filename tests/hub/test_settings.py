"""Understands that settings are read whole, fail whole, and cannot make the hub less safe."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from hub.errors import Finding, HubError
from hub.settings import Listen, Settings
from tests.hub.fakes import CANARY


def faults(env: dict[str, str]) -> tuple[Finding, ...]:
    with pytest.raises(HubError) as refused:
        Settings.from_env(env)
    assert refused.value.code == "settings.invalid"
    assert CANARY not in repr(refused.value.findings)
    return refused.value.findings


def test_an_empty_environment_is_the_small_installation_where_no_token_is_valid() -> None:
    settings = Settings.from_env({"HOME": "/root"})

    assert settings == Settings()
    assert settings.embedded
    assert settings.listen == Listen("127.0.0.1", 8300)
    assert (settings.issuer, settings.jwks_file, settings.jwks_url) == ("", None, None)


def test_every_fault_is_reported_at_once_by_variable() -> None:
    env = {
        "BRO_STORE": f"mysql://{CANARY}",
        "BRO_QUEUE": CANARY,
        "BRO_LISTEN": CANARY,
        "BRO_ISSUER_JWKS_FILE": f"/nowhere/{CANARY}",
        "BRO_ISSUER_JWKS_URL": f"http://keys.example/{CANARY}",
        "BRO_MAX_BODY_BYTES": CANARY,
        "BRO_LOG_LEVEL": CANARY,
        "BRO_POLICY": CANARY,
        "BRO_AUDIENCE": f" {CANARY}",
        "BRO_WEBHOK_TIMEOUT_SECONDS": CANARY,
    }

    named = [finding.at for finding in faults(env)]

    assert set(named) == set(env) | {"BRO_ISSUER"}


UNSAFE = {
    "a store elsewhere without a checked certificate": (
        "BRO_STORE",
        "postgresql+psycopg://u:p@db.example/bro",
    ),
    "a store elsewhere whose name is not checked": (
        "BRO_STORE",
        "postgresql+psycopg://u:p@db.example/bro?sslmode=require",
    ),
    "a broker elsewhere without TLS": ("BRO_QUEUE", "amqp://u:p@mq.example/"),
    "a broker whose certificate is not checked": (
        "BRO_QUEUE",
        "amqps://u:p@mq.example/?ssl_options=%7B%27cert_reqs%27%3A0%7D",
    ),
    "keys over plain http": ("BRO_ISSUER_JWKS_URL", "http://issuer.example/jwks"),
    "keys from a file address": ("BRO_ISSUER_JWKS_URL", "file:///etc/passwd"),
    "a body limit beyond the cap": ("BRO_MAX_BODY_BYTES", str(50 * 1024 * 1024 + 1)),
    "a body limit in other digits": ("BRO_MAX_BODY_BYTES", "٣٠٠٠٠"),
    "another policy than strict": ("BRO_POLICY", "statutory"),
    "no time limit for webhooks": ("BRO_WEBHOOK_TIMEOUT_SECONDS", "0"),
}


@pytest.mark.parametrize(("variable", "value"), UNSAFE.values(), ids=UNSAFE.keys())
def test_an_unsafe_value_is_refused(variable: str, value: str) -> None:
    assert variable in [finding.at for finding in faults({variable: value})]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BRO_STORE", "postgresql+psycopg://u:p@127.0.0.1:5433/bro"),
        ("BRO_STORE", "postgresql+psycopg://u:p@postgres/bro"),
        ("BRO_STORE", "postgresql+psycopg://u:p@db.example/bro?sslmode=verify-full"),
        ("BRO_QUEUE", "amqp://u:p@rabbitmq:5672/%2F"),
        ("BRO_QUEUE", "amqps://u:p@mq.example/bro"),
        ("BRO_LISTEN", "[::1]:0"),
        ("BRO_TEST_POSTGRES", "anything"),
    ],
)
def test_a_safe_value_is_taken(variable: str, value: str) -> None:
    Settings.from_env({variable: value})


def test_a_secret_comes_from_a_file_and_shows_nowhere(tmp_path: Path) -> None:
    (tmp_path / "store").write_text(f"postgresql+psycopg://u:{CANARY}@127.0.0.1/bro\n")

    settings = Settings.from_env({"BRO_STORE_FILE": str(tmp_path / "store")})

    assert settings.store == f"postgresql+psycopg://u:{CANARY}@127.0.0.1/bro"
    assert not settings.embedded
    assert CANARY not in repr(settings)


def test_a_secret_given_twice_or_not_readable_is_a_fault(tmp_path: Path) -> None:
    both = {"BRO_QUEUE": "embedded", "BRO_QUEUE_FILE": str(tmp_path / "queue")}

    assert [finding.at for finding in faults(both)] == ["BRO_QUEUE"]
    assert [finding.at for finding in faults({"BRO_QUEUE_FILE": CANARY})] == ["BRO_QUEUE"]


def test_the_issuer_is_whole_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "jwks.json").write_text("{}")
    whole = {
        "BRO_ISSUER": "https://issuer.example/",
        "BRO_AUDIENCE": "https://hub.example/",
        "BRO_ISSUER_JWKS_FILE": str(tmp_path / "jwks.json"),
    }

    Settings.from_env(whole)
    for left_out in whole:
        assert faults({name: value for name, value in whole.items() if name != left_out})
    assert faults(whole | {"BRO_ISSUER_JWKS_URL": "https://issuer.example/jwks"})


def test_every_setting_tells_its_variable_unit_and_reason() -> None:
    for setting in fields(Settings):
        assert setting.metadata["variable"].startswith("BRO_")
        assert setting.metadata["unit"]
        assert setting.metadata["reason"].endswith((".", ")"))
