"""Understands `bro test`: set up what the tests need, run every part, say what could not run.

Knows nothing of the hub it tests.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("hub", "adapters", "mappings", "consent")
AUDIT_SECONDS = 180
POLICY = "/usr/sbin/policy-rc.d"
NO_CLUSTER = "/etc/postgresql-common/createcluster.d/bro-no-main-cluster.conf"


class Result(StrEnum):
    """How a part ended."""

    OK = "ok"
    FAILED = "FAILED"
    COULD_NOT_RUN = "could not run"


@dataclass(frozen=True)
class Need:
    """A program that tests start, and the Debian package that brings it."""

    name: str
    package: str
    present: Callable[[], bool]


@dataclass(frozen=True)
class Outcome:
    """One line of the summary. What is not `mandatory` may be unable to run."""

    name: str
    result: Result
    seconds: float = 0.0
    reason: str = ""
    mandatory: bool = True


NEEDS = (
    Need("PostgreSQL", "postgresql", lambda: bool(glob.glob("/usr/lib/postgresql/*/bin/initdb"))),
    Need("RabbitMQ", "rabbitmq-server", lambda: Path("/usr/lib/rabbitmq/bin/rabbitmq-server").exists()),
    Need("Chromium", "chromium", lambda: _chromium_present()),
)


def main(args: Sequence[str]) -> int:
    """Everything without arguments; only pytest, with the arguments, otherwise. 0 if all of it holds."""
    outcomes = _set_up()
    if not args:
        outcomes += [_check(name, command) for name, command in _checks()]
        outcomes.append(_audit())
    outcomes.append(_pytest(args))
    return _summary(outcomes)


def _checks() -> Iterator[tuple[str, list[str]]]:
    yield "ruff check", [_tool("ruff"), "check", "."]
    yield "ruff format", [_tool("ruff"), "format", "--check", "."]
    yield "mypy", [_tool("mypy"), "--strict", *PACKAGES]
    yield "imports", [_tool("lint-imports")]


def _check(name: str, command: list[str]) -> Outcome:
    """Silent when it passes; everything it said when not."""
    _progress(name)
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=_environment())
    if done.returncode != 0:
        print(done.stdout + done.stderr, flush=True)
    result = Result.OK if done.returncode == 0 else Result.FAILED
    return Outcome(name, result, time.monotonic() - began)


def _audit() -> Outcome:
    """Known vulnerabilities in what we ship. Needs the network; its absence is named, not hidden."""
    _progress("pip-audit")
    began = time.monotonic()
    command = [_tool("pip-audit"), "--requirement", "requirements.lock", "--require-hashes", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=AUDIT_SECONDS, env=_environment()
        )
        report = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        reason = "the advisory service could not be reached"
        return Outcome("pip-audit", Result.COULD_NOT_RUN, time.monotonic() - began, reason, mandatory=False)
    vulnerable = [package for package in report["dependencies"] if package.get("vulns")]
    for package in vulnerable:
        known = ", ".join(found["id"] for found in package["vulns"])
        print(f"{package['name']} {package['version']}: {known}", flush=True)
    unread = [package["name"] for package in report["dependencies"] if "skip_reason" in package]
    if unread and not vulnerable:
        reason = f"no advisories read for {len(unread)} of {len(report['dependencies'])} packages"
        return Outcome("pip-audit", Result.COULD_NOT_RUN, time.monotonic() - began, reason, mandatory=False)
    result = Result.FAILED if vulnerable else Result.OK
    return Outcome("pip-audit", result, time.monotonic() - began)


def _pytest(args: Sequence[str]) -> Outcome:
    """Speaking for itself; everything on all cores, each with servers of its own, and what was asked for
    by name in one process. An interrupt reaches it, and it gets the time to clean up."""
    _progress("pytest")
    began = time.monotonic()
    command = [sys.executable, "-P", "-m", "pytest", *(args or ["-n", "auto", "--dist", "worksteal"])]
    process = subprocess.Popen(command, cwd=ROOT, env=_environment())

    def interrupt(_: int, __: FrameType | None) -> None:
        process.send_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        while True:
            # Ctrl-C reaches pytest by itself, being in our process group; leaving first would orphan it.
            with suppress(KeyboardInterrupt):
                process.wait()
                break
    finally:
        signal.signal(signal.SIGTERM, before)
    result = Result.OK if process.returncode == 0 else Result.FAILED
    return Outcome("pytest", result, time.monotonic() - began)


def _summary(outcomes: Sequence[Outcome]) -> int:
    print("\nbro test")
    for outcome in outcomes:
        reason = f"  {outcome.reason}" if outcome.reason else ""
        print(f"  {outcome.result:<14} {outcome.name:<12} {outcome.seconds:7.1f} s{reason}")
    missing = [outcome for outcome in outcomes if outcome.result is Result.COULD_NOT_RUN]
    named = f" ({', '.join(outcome.name for outcome in missing)})" if missing else ""
    print(f"could not run: {len(missing)}{named}", flush=True)
    failed = any(outcome.result is Result.FAILED for outcome in outcomes)
    return 1 if failed or any(outcome.mandatory for outcome in missing) else 0


def _set_up() -> list[Outcome]:
    """Install the Debian packages that are absent, if we may; what is then still absent, by name."""
    absent = [need for need in NEEDS if not need.present()]
    if absent:
        _install(absent)
    still = [need for need in absent if not need.present()]
    return [
        Outcome(need.name, Result.COULD_NOT_RUN, reason=f"install it: apt-get install {need.package}")
        for need in still
    ]


def _install(absent: Sequence[Need]) -> None:
    as_root = _as_root()
    if as_root is None or shutil.which("apt-get") is None:
        return
    _progress(f"installing {', '.join(need.package for need in absent)} (Debian packages)")
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    with _no_services(as_root):
        subprocess.run([*apt, "update"], check=False)
        for need in absent:  # one by one: what cannot be had must not hold up the others
            subprocess.run([*apt, "install", "-y", "--no-install-recommends", need.package], check=False)
    if not _chromium_present():  # Ubuntu has it as a snap only, which containers cannot run
        subprocess.run(
            [sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"], check=False
        )


@contextmanager
def _no_services(as_root: list[str]) -> Iterator[None]:
    """The packages bring programs; they must not start servers of their own, nor make a cluster."""
    with (
        _temporary_file(as_root, POLICY, "#!/bin/sh\nexit 101\n", "755"),
        _temporary_file(as_root, NO_CLUSTER, "create_main_cluster = false\n", "644"),
    ):
        yield


@contextmanager
def _temporary_file(as_root: list[str], path: str, text: str, mode: str) -> Iterator[None]:
    """Written only if nothing is there; removed whatever happens."""
    if os.path.lexists(path):
        yield
        return
    try:
        subprocess.run([*as_root, "mkdir", "-p", str(Path(path).parent)], check=True)
        write = [*as_root, "tee", path]
        subprocess.run(write, input=text, text=True, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*as_root, "chmod", mode, path], check=True)
        yield
    finally:
        subprocess.run([*as_root, "rm", "-f", path], check=False)


def _as_root() -> list[str] | None:
    """How to be root: by nature, by sudo without a password, or not at all (None)."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def _chromium_present() -> bool:
    names = ("chromium", "google-chrome", "google-chrome-stable")
    own = Path.home() / ".cache" / "ms-playwright"
    return any(shutil.which(name) for name in names) or bool(list(own.glob("chromium*")))


def _tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _environment() -> dict[str, str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


def _progress(what: str) -> None:
    print(f"bro test: {what} ...", flush=True)
