"""Understands that the processes start, answer where they say, and stop when told."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hub.app import build
from hub.errors import HubError
from hub.settings import Settings
from tests.hub.cli.installation import Installation

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def process(installed: Installation, command: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    whole = {**os.environ, **installed.env, "BRO_LISTEN": "127.0.0.1:0", "PYTHONUNBUFFERED": "1", **env}
    started = subprocess.Popen(
        [sys.executable, "-m", "hub", command],
        cwd=ROOT,
        env=whole,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


def addresses(started: subprocess.Popen[str]) -> tuple[str, str]:
    """The API's and the console's, as printed."""
    assert started.stdout is not None
    printed = started.stdout.readline() + started.stdout.readline()
    found = re.search(r"API\s+(\S+)/v1/messages\s+console\s+(\S+)", printed)
    assert found, printed
    return found[1], found[2]


@pytest.mark.parametrize("command", ["up", "serve"])
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_at_the_printed_addresses_and_stops_cleanly(
    installed: Installation, command: str, sent: signal.Signals
) -> None:
    with process(installed, command) as started:
        api, console = addresses(started)

        assert httpx.get(f"{api}/health/ready").status_code == 200
        assert httpx.get(f"{api}/v1/inbox").status_code == 401
        with httpx.Client(follow_redirects=True) as visitor:
            assert "Drift" in visitor.get(console).text
        started.send_signal(sent)

        assert started.wait(20) == 0
        assert started.stderr is not None
        assert '"action": "stopped"' in started.stderr.read()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_the_workers_alone_stop_cleanly(installed: Installation, sent: signal.Signals) -> None:
    with process(installed, "work") as started:
        assert started.stdout is not None
        assert "working" in started.stdout.readline()

        started.send_signal(sent)

        assert started.wait(20) == 0


def test_the_console_key_is_another_at_every_start(installed: Installation) -> None:
    keys = set()
    for _ in range(2):
        with process(installed, "serve") as started:
            keys.add(addresses(started)[1].partition("key=")[2])

    assert len(keys) == 2
    assert all(len(key) >= 43 for key in keys)


def test_a_taken_address_is_said_and_nothing_starts(installed: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with process(installed, "up", BRO_LISTEN=f"127.0.0.1:{port}") as started:
            _, complained = started.communicate(timeout=30)

    assert started.returncode == 2
    assert "BRO_LISTEN" in complained


def test_wrong_settings_end_it_with_2_before_anything_starts(installed: Installation) -> None:
    with process(installed, "up", BRO_LOG_LEVEL="LOUD") as started:
        said, complained = started.communicate(timeout=30)

    assert started.returncode == 2
    assert said == ""
    assert "BRO_LOG_LEVEL: expected one of" in complained


@pytest.mark.parametrize("text", [None, "agencies: []", "agencies: [{org: '1', name: x, sector: prison}]"])
def test_a_missing_or_wrong_directory_leaves_nothing_behind(tmp_path: Path, text: str | None) -> None:
    directory = tmp_path / "directory.yaml"
    if text is not None:
        directory.write_text(text)
    settings = Settings(
        store=f"sqlite:///{tmp_path}/var/bro.sqlite", keys=tmp_path / "var" / "keys", directory=directory
    )

    with pytest.raises(HubError) as refused:
        build(settings)

    assert refused.value.code == "settings.invalid"
    assert [path.name for path in tmp_path.iterdir()] == ([] if text is None else ["directory.yaml"])


NOBODYS = "agencies: [{org: '310000019', name: Furulund fengsel, sector: prison, formats: {epikrise: %s}}]"


@pytest.mark.parametrize("name", ["kith-epikrise-0.9", "brik-xml"])
def test_a_format_that_is_not_there_is_told_at_the_start_or_by_whoever_reads(
    tmp_path: Path, name: str
) -> None:
    directory = tmp_path / "directory.yaml"
    directory.write_text(NOBODYS % name)
    keys = tmp_path / "var" / "keys"
    settings = Settings(store=f"sqlite:///{tmp_path}/var/bro.sqlite", keys=keys, directory=directory)

    with pytest.raises(HubError) as at_once:
        build(settings)
    left = [path.name for path in tmp_path.iterdir()]
    looking = build(settings, reads=False)
    with pytest.raises(HubError) as when_read:
        looking.registry.by_name("brik-xml")
    looking.store.close()

    assert left == ["directory.yaml"]
    for refused in (at_once, when_read):
        assert refused.value.code == "settings.invalid"
        assert [found.at for found in refused.value.findings] == ["directory.310000019.formats"]


@pytest.mark.parametrize("command", [["messages", "list"], ["messages", "holds"], ["audit", "verify"]])
def test_a_command_that_reads_no_message_makes_no_formats(
    installed: Installation, command: list[str]
) -> None:
    """They are three quarters of what the hub takes to start; the web framework is most of the rest."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "hub", *command],
        env={**os.environ, **installed.env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    imported = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert "hub.cli.main" in imported
    assert imported & {"adapters.registry", "fastapi", "fhir.resources"} == set()


def test_a_directory_that_is_right_gets_keys_and_a_store(tmp_path: Path) -> None:
    directory = tmp_path / "directory.yaml"
    directory.write_text("agencies: [{org: '310000019', name: Furulund fengsel, sector: prison}]")
    keys = tmp_path / "var" / "keys"

    build(
        Settings(store=f"sqlite:///{tmp_path}/var/bro.sqlite", keys=keys, directory=directory)
    ).store.close()

    assert {path.name for path in keys.iterdir()} == {"master.key", "pseudonym.key", "log-signing.pem"}
    assert (tmp_path / "var" / "bro.sqlite").exists()


def test_the_console_key_is_not_logged_even_at_debug(installed: Installation) -> None:
    with process(installed, "up", BRO_LOG_LEVEL="DEBUG") as started:
        _, console = addresses(started)
        httpx.get(console)
        started.terminate()
        _, logged = started.communicate(timeout=30)

    assert console.partition("key=")[2] not in logged
