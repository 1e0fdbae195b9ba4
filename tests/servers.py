"""Understands how to run a private PostgreSQL and a private RabbitMQ for as long as a test needs them.

Each lives in a temporary folder, listens on free loopback ports only, never touches a server of
the machine, and is gone afterwards. `kill9()` and `start()` again work on the same data. Knows
nothing of the hub.
"""

from __future__ import annotations

import atexit
import contextlib
import glob
import grp
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

LOOPBACK = "127.0.0.1"
START_SECONDS = 90.0


class ServerMissing(Exception):
    """The program is not installed; the message names the Debian package."""


class ServerFailed(Exception):
    """The program does not start; the message ends with its log."""


@dataclass(frozen=True)
class _Running:
    """A server process, and the guard that ends it should we be killed ourselves."""

    process: subprocess.Popen[bytes]
    guard: subprocess.Popen[bytes]


@contextmanager
def private_postgres() -> Iterator[PostgreSQL]:
    """A running PostgreSQL, stopped and removed at the end."""
    server = PostgreSQL()
    with _cleaned(server.remove):
        server.start()
        yield server


@contextmanager
def private_rabbit(*, management: bool = False) -> Iterator[RabbitMQ]:
    """A running RabbitMQ, stopped and removed at the end."""
    server = RabbitMQ(management=management)
    with _cleaned(server.remove):
        server.start()
        yield server


class PostgreSQL:
    """One cluster of our own. `url` names the database `postgres`; `fresh_database()` a new one."""

    def __init__(self) -> None:
        self._programs = _postgres_programs()
        self._owner = _owner("postgres")
        self._folder = _folder("bro-postgres-", self._owner)
        self._data = self._folder / "data"
        self._log = self._folder / "log"
        self._password = secrets.token_urlsafe(16)
        self._process: _Running | None = None
        self.port = free_port()
        try:
            self._initialise()
        except BaseException:
            self.remove()
            raise

    @property
    def url(self) -> str:
        return self._url("postgres")

    def fresh_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"bro_{secrets.token_hex(6)}"
        with psycopg.connect(self._dsn(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._url(name)

    def start(self) -> None:
        """Start on the data there is and wait until it answers, or raise ServerFailed."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
                user=self._owner,
                group=_group(self._owner),
            )
        self._process = _guarded(process, self._folder)
        _await_ready("PostgreSQL", self._process, self._answers, self._log)

    def stop(self) -> None:
        """Fast shutdown: open transactions roll back, committed data is flushed."""
        _end(self._process, signal.SIGINT)

    def kill9(self) -> None:
        """As a power cut for every process of the cluster."""
        children = _children(self._process)
        _end(self._process, signal.SIGKILL)
        for pid in children:  # backends notice by themselves, but a restart must not meet them
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def remove(self) -> None:
        self.kill9()  # nothing here outlives the test, so there is nothing to flush
        shutil.rmtree(self._folder, ignore_errors=True)

    def _initialise(self) -> None:
        password_file = self._folder / "password"
        password_file.write_text(self._password)
        password_file.chmod(0o644)  # the folder itself is closed to others
        command: list[str | Path] = [self._programs / "initdb", "-D", self._data, "-U", "bro", "--no-sync"]
        command += ["-E", "UTF8", "--locale=C.UTF-8", "-A", "scram-sha-256", f"--pwfile={password_file}"]
        done = subprocess.run(
            command, capture_output=True, cwd=self._folder, user=self._owner, group=_group(self._owner)
        )
        if done.returncode != 0:
            raise ServerFailed(f"initdb failed: {(done.stdout + done.stderr).decode(errors='replace')}")
        settings = {
            "listen_addresses": f"'{LOOPBACK}'",
            "port": self.port,
            "unix_socket_directories": "''",
            "fsync": "on",
            "synchronous_commit": "on",
            "max_connections": 100,
            "shared_buffers": "'64MB'",
            "logging_collector": "off",
        }
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(lines)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._dsn(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _dsn(self) -> str:
        return f"host={LOOPBACK} port={self.port} user=bro password={self._password} dbname=postgres"

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://bro:{self._password}@{LOOPBACK}:{self.port}/{database}"


class RabbitMQ:
    """One node of our own, with its own name, cookie and port mapper. `url` names the default vhost."""

    def __init__(self, *, management: bool = False) -> None:
        self._programs = _rabbit_programs()
        self._folder = _folder("bro-rabbit-", None)
        self._log = self._folder / "log" / "node.log"
        self._console = self._folder / "log" / "console.log"
        self._mapper: _Running | None = None
        self._process: _Running | None = None
        self._user, self._password = "bro", secrets.token_urlsafe(16)
        self.port, self._distribution_port, self._mapper_port = free_port(), free_port(), free_port()
        self.management_port = free_port() if management else None
        self._configure()

    @property
    def url(self) -> str:
        return self._url("%2F")

    @property
    def management_url(self) -> str:
        """Where the management plugin answers; only with `management=True`."""
        return f"http://{self._user}:{self._password}@{LOOPBACK}:{self.management_port}"

    def fresh_vhost(self) -> str:
        """The URL of a new, empty virtual host."""
        name = f"bro_{secrets.token_hex(6)}"
        self.ctl("add_vhost", name)
        self.ctl("set_permissions", "-p", name, self._user, ".*", ".*", ".*")
        return self._url(name)

    def ctl(self, *arguments: str) -> str:
        """What rabbitmqctl prints, or ServerFailed with what it complained of."""
        done = subprocess.run(
            [self._programs / "rabbitmqctl", "-q", *arguments],
            capture_output=True,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            timeout=START_SECONDS,
        )
        if done.returncode != 0:
            raise ServerFailed(f"rabbitmqctl {arguments[0]}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode()

    def start(self) -> None:
        """Start on the data there is and wait until it takes messages, or raise ServerFailed."""
        if self._mapper is None:
            self._start_mapper()
        with self._console.open("ab") as console:
            process = subprocess.Popen(
                [self._programs / "rabbitmq-server"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                cwd=self._folder,
                start_new_session=True,
            )
        self._process = _guarded(process, self._folder)
        _await_ready("RabbitMQ", self._process, self._answers, self._log, self._console)

    def stop(self) -> None:
        _end(self._process, signal.SIGTERM)

    def kill9(self) -> None:
        """As a power cut for the node."""
        _end(self._process, signal.SIGKILL)

    def remove(self) -> None:
        self.kill9()  # nothing here outlives the test, so there is nothing to flush
        _end(self._mapper, signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _configure(self) -> None:
        for name in ("log", "data", "home"):
            (self._folder / name).mkdir()
        cookie = self._folder / "home" / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(20))
        cookie.chmod(0o400)
        (self._folder / "environment").write_text("")
        (self._folder / "plugins").write_text("[rabbitmq_management].\n" if self.management_port else "[].\n")
        settings: dict[str, str | int] = {
            "listeners.tcp.1": f"{LOOPBACK}:{self.port}",
            "default_user": self._user,
            "default_pass": self._password,
            "loopback_users.bro": "true",
            "vm_memory_high_watermark.absolute": "1GB",
            "disk_free_limit.absolute": "50MB",
            "log.file.level": "info",
        }
        if self.management_port:
            settings |= {"management.tcp.ip": LOOPBACK, "management.tcp.port": self.management_port}
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        (self._folder / "rabbitmq.conf").write_text(lines)

    def _environment(self) -> Mapping[str, str]:
        """Only what the node needs: a RABBITMQ_* of the caller must not leak in."""
        folder = self._folder
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(folder / "home"),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_NODENAME": f"bro{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(folder / "no-more-files"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "no-advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": str(self._log),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RUNNING_UNDER_SYSTEMD": "true",  # the script then becomes the node: one pid to kill
        }

    def _start_mapper(self) -> None:
        """epmd in our hands: the node would start one that outlives it."""
        program = _find(["/usr/bin/epmd", "/usr/lib/erlang/bin/epmd", "/usr/lib/erlang/erts-*/bin/epmd"])
        if program is None:
            raise ServerMissing("epmd is missing: install the Debian package erlang-base")
        process = subprocess.Popen(
            [program, "-address", LOOPBACK, "-port", str(self._mapper_port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._mapper = _guarded(process, self._folder)

    def _answers(self) -> bool:
        """Open for business = the port answers AMQP with Connection.Start."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"
        except OSError:
            return False

    def _url(self, vhost: str) -> str:
        return f"amqp://{self._user}:{self._password}@{LOOPBACK}:{self.port}/{vhost}"


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port


def _postgres_programs() -> Path:
    found = _find(["/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb"]) or shutil.which("initdb")
    if found is None:
        raise ServerMissing("PostgreSQL server is missing: install the Debian package postgresql")
    return Path(found).resolve().parent


def _rabbit_programs() -> Path:
    """Never the wrapper in /usr/sbin: it changes user and knows only the machine's own node."""
    found = _find(["/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/rabbitmq/sbin/rabbitmq-server"])
    if found is None:
        raise ServerMissing("RabbitMQ is missing: install the Debian package rabbitmq-server")
    return Path(found).parent


def _find(patterns: list[str]) -> str | None:
    """The newest match, so that PostgreSQL 17 wins over 15."""
    for pattern in patterns:
        if found := glob.glob(pattern):
            return max(found, key=lambda path: [int(part) for part in path.split("/") if part.isdigit()])
    return None


def _owner(preferred: str) -> str | None:
    """Whom to run as when we are root, which PostgreSQL refuses to be; else ourselves."""
    if os.geteuid() != 0:
        return None
    for name in (preferred, "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise ServerMissing("no user to run PostgreSQL as: neither postgres nor nobody exists")


def _group(user: str | None) -> str | None:
    return user and grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


def _folder(prefix: str, owner: str | None) -> Path:
    """Under /tmp when another user must reach it: TMPDIR may lie below a closed home."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp" if owner else None))
    if owner:
        shutil.chown(folder, owner)
    return folder


def _await_ready(name: str, running: _Running, answers: Callable[[], bool], *logs: Path) -> None:
    process = running.process
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if answers():
            return
        time.sleep(0.05)
    _end(running, signal.SIGKILL)
    tail = "\n".join(log.read_text(errors="replace")[-4000:] for log in logs if log.exists())
    raise ServerFailed(f"{name} did not start (exit {process.poll()}); its log ends:\n{tail}")


def _end(running: _Running | None, how: signal.Signals) -> None:
    """Ask with `how`, insist with SIGKILL; the pid is ours and not yet reaped, so never another's."""
    if running is None:
        return
    process = running.process
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if running.guard.poll() is None:
        running.guard.kill()
    running.guard.communicate()


def _children(running: _Running | None) -> list[int]:
    if running is None or running.process.poll() is not None:
        return []
    pid = running.process.pid
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(pid) for pid in listing.read_text().split()] if listing.exists() else []


GUARD = 'read -r _; kill -9 "$1"; sleep 1; rm -rf "$2"'


def _guarded(process: subprocess.Popen[bytes], folder: Path) -> _Running:
    """The guard waits on a pipe that only we hold: it ends when we do, also by SIGKILL."""
    guard = subprocess.Popen(
        ["/bin/sh", "-c", GUARD, "guard", str(process.pid), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return _Running(process, guard)


@contextmanager
def _cleaned(remove: Callable[[], None]) -> Iterator[None]:
    """Remove at the end of the block, and also when the interpreter leaves in another way."""
    atexit.register(remove)
    try:
        yield
    finally:
        atexit.unregister(remove)
        remove()
