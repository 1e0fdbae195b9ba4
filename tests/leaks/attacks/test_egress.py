"""Whom the hub calls: attacks 47 and 56. The agencies of its directory, its issuer, its store and its broker;
nobody else, for no reason.
"""

from __future__ import annotations

import ast
import ipaddress
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.demo.story import FHIR, JSON, XML, body
from hub.demo.world import World

ROOT = Path(__file__).parents[3]
PACKAGES = ("hub", "adapters", "mappings", "consent")

MAY_CALL = {
    "hub/api/client.py",  # what an agency uses to call us
    "hub/api/tokens.py",  # the issuer's keys
    "hub/demo/agencies.py",
    "hub/demo/command.py",
    "hub/demo/story.py",
    "hub/demo/world.py",  # the demo plays all parts
    "hub/doors/webhook.py",  # the agencies of the directory
    "hub/doors/amqp.py",  # the broker
    "hub/queue/rabbit.py",
    "hub/cli/running.py",  # asks whether an address is free
}
NETWORK = {
    *("socket", "ssl", "http", "urllib", "ftplib", "smtplib", "poplib", "imaplib", "telnetlib", "xmlrpc", "asyncio"),
    *("httpx", "httpcore", "requests", "aiohttp", "urllib3", "pika", "websockets", "grpc", "boto3", "openai"),
    *("anthropic", "transformers", "torch", "pytesseract", "googletrans", "deepl", "sentry_sdk", "opentelemetry"),
}  # one row per case # fmt: skip
HARMLESS = {"urllib.parse", "http.HTTPStatus", "asyncio"}


def _imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_only_named_modules_can_call_anybody() -> None:
    """Attack 56: no service for recognition, translation, tracing or faults of others is linked in."""
    callers = set()
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            names = _imported(file)
            if "http.HTTPStatus" in names:
                names -= {"http"}
            calls = {n for n in names if n.partition(".")[0] in NETWORK and not n.startswith(tuple(HARMLESS))}
            if calls:
                callers.add(str(file.relative_to(ROOT)))
    assert callers <= MAY_CALL


def test_no_library_that_calls_others_is_installed_with_the_hub() -> None:
    """Attack 56: nothing in the lock file speaks to a service by itself."""
    locked = {
        line.partition("==")[0].strip().lower()
        for line in (ROOT / "requirements.lock").read_text().splitlines()
        if "==" in line
    }
    assert len(locked) > 20
    assert not [name for name in locked if "exporter" in name]
    assert not locked & {"requests", "openai", "anthropic", "boto3", "sentry-sdk", "posthog", "transformers", "torch", "deepl", "azure-core", "opentelemetry-sdk"}  # one row per case # fmt: skip


def test_a_whole_run_calls_loopback_and_there_only_what_is_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Attacks 47 and 56: every connection that this process makes is written down, every other is refused."""
    called: set[tuple[str, int]] = set()
    asked: set[str] = set()
    real_connect, real_ex, real_ask = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def note(address: Any) -> None:
        if isinstance(address, tuple):
            if not ipaddress.ip_address(address[0]).is_loopback:
                raise ConnectionRefusedError("a call out of the machine")
            called.add((address[0], address[1]))

    def connect(self: socket.socket, address: Any) -> None:
        note(address)
        real_connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        note(address)
        return real_ex(self, address)

    def ask(host: Any, *rest: Any, **named: Any) -> Any:
        asked.add(str(host))
        return real_ask(host, *rest, **named)

    def sendto(self: socket.socket, *_: Any) -> int:
        raise ConnectionRefusedError("a datagram")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect_ex)
    monkeypatch.setattr(socket.socket, "sendto", sendto)
    monkeypatch.setattr(socket, "getaddrinfo", ask)
    with World() as world:
        health, prison = world.agencies["prison_health"], world.agencies["prison"]
        for form in ("samtykke-nav.json", "samtykke-bolig.json"):
            health.post(JSON, body(form))
        health.post(FHIR, body("samtykke-tsb.fhir.json"))
        prison.post(XML, body("brik.xml"))
        health.post(FHIR, body("epikrise.fhir.json"))
        world.settle()
        ports = {world.port, *world._ports.values(), urlsplit(world.issuer_url).port}
    assert {port for _, port in called} <= ports
    assert len(called) >= 4
    assert asked <= {"127.0.0.1", "localhost", "None"}
