"""Understands the real world as a stage for the flow: the demo's agencies over sockets, everything logged at
DEBUG, and afterwards every place where bytes came to rest.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pika

from hub.console.app import mount
from hub.demo import world as demo
from hub.demo.world import World
from hub.parts import Parts
from hub.store.disclosures import State
from tests.leaks.lab import register_gp
from tests.leaks.stages import parked, under
from tests.servers import PostgreSQL, RabbitMQ

SOON = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_LIBRARIES = (
    *(
        "pika",
        "sqlalchemy",
        "sqlalchemy.engine",
        "sqlalchemy.pool",
        "sqlalchemy.orm",
        "psycopg",
        "psycopg.pq",
    ),
    *("httpcore", "httpx", "uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "fastapi", "alembic"),
)
_CONSOLE_KEY = "a-key-of-the-console-that-is-long-enough-for-it"
_CALLED = ("prison_health", "housing", "tsb")
_STATES = ("queued", "offered", "waiting", "parked", "done")


@dataclass
class Found:
    """What was seen, by place."""

    pieces: list[tuple[str, bytes]] = field(default_factory=list)

    def add(self, place: str, data: bytes | str) -> None:
        self.pieces.append((place, data.encode() if isinstance(data, str) else data))


class EchoingAgency:
    """Answers on an agency's port with a status, and with all that it was sent."""

    def __init__(self, port: int, found: Callable[[bytes], None]) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.status: int | None = None
        self._port, self._found = port, found
        self._server: ThreadingHTTPServer | None = None

    def answer(self, status: int | None) -> None:
        self.status = status
        if status is None:
            self.close()
        elif self._server is None:
            self._server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        agency = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                agency.got.append((self.headers["webhook-id"], body))
                agency._found(f"{self.requestline}\n{self.headers}\n".encode() + body)
                status = agency.status or 503
                echo = body if status >= 400 else b""
                self.send_response(status, echo[:200].decode("latin-1").replace("\n", " ") or None)
                self.send_header("X-You-Sent", echo[:2000].decode("latin-1").replace("\n", " "))
                self.send_header("Content-Length", str(len(echo)))
                self.end_headers()
                self.wfile.write(echo)

            def log_message(self, format: str, *args: Any) -> None:
                """The recipient's own log is not ours."""

        return Handler


class RealStage:
    """Plays in a world."""

    def __init__(self, world: World) -> None:
        register_gp(world.parts)
        self.world, self.found, self.phase = world, Found(), "start"
        self._http = httpx.Client(base_url=world.hub_url, trust_env=False, timeout=30)
        self._echoing = {key: self._takes_over(key) for key in _CALLED}
        for key, agency in world.agencies.items():
            hook = self._hear(key)
            agency.client._http.event_hooks = {"response": [hook]}  # what the agency's own client hears

    @property
    def parts(self) -> Parts:
        return self.world.parts

    def close(self) -> None:
        self._http.close()
        for echoing in self._echoing.values():
            echoing.close()

    def step(self, name: str) -> None:
        self.phase = name

    def post(self, key: str, media_type: str, body: bytes) -> tuple[int, Mapping[str, Any]]:
        answer = self._call(key, "POST", "/v1/messages", content=body, headers={"Content-Type": media_type})
        return answer.status_code, answer.json()

    def ask(self, key: str, method: str, path: str, headers: Mapping[str, str]) -> int:
        return self._call(key, method, path, headers=headers).status_code

    def settle(self) -> None:
        self.world.settle()

    def answers(self, key: str, status: int | None) -> None:
        self._echoing[key].answer(status)

    def failed_once(self, agreement: str) -> None:
        def failed() -> bool:
            return any(i.attempts and i.state is State.QUEUED for i in under(self.parts, agreement))

        self.world.wait_for("a failed attempt", failed)

    def gave_up(self, agreement: str) -> None:
        self.world.wait_for("the last attempt", lambda: parked(self.parts, agreement))

    def got(self, key: str, words: bytes) -> str:
        if key in self._echoing:
            return next(name for name, body in self._echoing[key].got if words in body)
        return next(got.disclosure for got in self.world.agencies[key].got if words in got.body)

    def _takes_over(self, key: str) -> EchoingAgency:
        agency = self.world.webhook(key)
        agency.down()

        def heard(request: bytes) -> None:
            self.found.add(f"payload/{key}/{self.phase}", request)

        echoing = EchoingAgency(agency._port, heard)
        echoing.answer(204)
        return echoing

    def _hear(self, key: str) -> Callable[[httpx.Response], None]:
        def heard(response: httpx.Response) -> None:
            if str(response.url).startswith(self.world.hub_url):
                response.read()
                self._write_down(key, response)

        return heard

    def _call(self, key: str, method: str, path: str, **more: Any) -> httpx.Response:
        token = {"Authorization": f"Bearer {self.world.agencies[key].client.token()}"} if key else {}
        answer = self._http.request(method, path, **{**more, "headers": token | dict(more["headers"])})
        self._write_down(key, answer)
        return answer

    def _write_down(self, key: str, answer: httpx.Response) -> None:
        path = answer.request.url.path
        fetched = path.startswith("/v1/inbox/") and answer.request.method == "GET" and answer.is_success
        told = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
        self.found.add(f"response/{key or 'nobody'}/{self.phase}", f"{answer.reason_phrase}\n{told}")
        self.found.add(
            f"{'payload' if fetched else 'response'}/{key or 'nobody'}/{self.phase}", answer.content
        )


@contextlib.contextmanager
def everything_said(folder: Path) -> Iterator[logging.Handler]:
    """All loggers at DEBUG into a file, stdout and stderr into files, temporary files into the folder."""
    handler = logging.FileHandler(folder / "log.txt")
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s %(args)s %(threadName)s"))
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in _LIBRARIES)]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    loggers[0].addHandler(handler)
    (folder / "tmp").mkdir()
    temporary, tempfile.tempdir = tempfile.tempdir, str(folder / "tmp")
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(number) for number in (1, 2)]
    with (folder / "stdout.txt").open("wb") as out, (folder / "stderr.txt").open("wb") as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        try:
            yield handler
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, number)
                os.close(copy)
            tempfile.tempdir = temporary
            loggers[0].removeHandler(handler)
            handler.close()
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)


def not_of_the_agencies(hub_url: str) -> Callable[[logging.LogRecord], bool]:
    """The agencies' own clients live in the same process and log whom they call: us."""

    def ours(record: logging.LogRecord) -> bool:
        return not (record.name == "httpx" and hub_url in record.getMessage())

    return ours


@contextlib.contextmanager
def soon() -> Iterator[None]:
    """Recipients that fail are tried again soon, so that giving up takes seconds."""
    before, demo.LADDER = demo.LADDER, SOON  # type: ignore[assignment]  # a shorter one of the same kind
    try:
        yield
    finally:
        demo.LADDER = before


def console(stage: RealStage) -> None:
    """Every page in both languages, from inside and from outside."""
    world = stage.world
    mount(world.app, world.parts, _CONSOLE_KEY)
    with httpx.Client(base_url=world.hub_url, trust_env=False, follow_redirects=True) as browser:
        for path in ("/console/drift", f"/console/enter?key={_CONSOLE_KEY}", "/console/", "/console/nowhere"):
            for language in ("nb", "en"):
                joined = "&" if "?" in path else "?"
                page = browser.get(f"{path}{joined}lang={language}")
                stage.found.add("console", f"{page.headers}".encode() + page.content)


def commands(stage: RealStage, folder: Path) -> None:
    """What the operator's commands print."""
    settings = stage.world.settings
    environment = {
        **os.environ,
        "BRO_STORE": settings.store,
        "BRO_QUEUE": settings.queue,
        "BRO_KEYS": str(settings.keys),
        "BRO_DIRECTORY": str(settings.directory),
        "PYTHONPATH": os.getcwd(),
    }
    every = [word for state in _STATES for word in ("--state", state)]
    for arguments in (["messages", "list", "--json", *every], ["audit", "verify", "--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "hub", *arguments], env=environment, capture_output=True, cwd=folder
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        stage.found.add("cli", done.stdout + done.stderr)


def files(found: Found, world: World, folder: Path) -> None:
    """Everything on disk: the database with its side files, the log, temporary files."""
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        if file.parent == folder:
            place = file.name.replace(".txt", "")
        elif file.name.startswith("bro.sqlite") or ".gates" in str(file):
            place = f"store/{file.name}"
        else:
            place = (
                f"temp/{file.relative_to(world.folder) if file.is_relative_to(world.folder) else file.name}"
            )
        found.add(place, file.read_bytes())


def database(found: Found, server: PostgreSQL, url: str) -> None:
    """A dump as an operator would make it, and the files of the cluster, write-ahead log included."""
    plain = url.replace("+psycopg", "")
    program = server._programs / "pg_dump"
    done = subprocess.run([program, "--dbname", plain, "--inserts"], capture_output=True)
    assert done.returncode == 0, done.stderr
    found.add("store/dump", done.stdout)
    for file in sorted(server._folder.rglob("*")):
        if file.is_file() and file.name != "password":
            with contextlib.suppress(FileNotFoundError):  # the server tidies up while we read
                found.add(f"store/{file.relative_to(server._folder)}", file.read_bytes())


class Tap:
    """A copy of everything that is published at a broker, as any consumer could make one."""

    def __init__(self, url: str) -> None:
        self._url = url
        with self._channel() as channel:
            channel.queue_declare("tap", durable=True)
            for exchange in ("bro.work", *(f"bro.later.{seconds:g}" for seconds in SOON), "bro.dead"):
                for shard in range(8):
                    channel.queue_bind("tap", exchange, str(shard))

    def heard(self) -> list[bytes]:
        """Every message with its envelope."""
        said: list[bytes] = []
        with self._channel() as channel:
            while True:
                method, properties, body = channel.basic_get("tap", auto_ack=True)
                if method is None:
                    return said
                said.append(f"{method} {properties} ".encode() + (body or b""))

    @contextlib.contextmanager
    def _channel(self) -> Iterator[Any]:
        connection = pika.BlockingConnection(pika.URLParameters(self._url))
        try:
            yield connection.channel()
        finally:
            connection.close()


def broker(found: Found, server: RabbitMQ, url: str, tap: Tap) -> None:
    """Messages, what its tools tell, its files and its logs."""
    for message in tap.heard():
        found.add("broker/messages", message)
    vhost = url.rpartition("/")[2]
    found.add("broker/definitions", server.ctl("export_definitions", "-"))
    for listing in (
        ("list_queues", "-p", vhost, "name", "arguments", "messages", "policy"),
        ("list_exchanges", "-p", vhost, "name", "type", "arguments"),
        ("list_bindings", "-p", vhost),
        ("list_consumers", "-p", vhost),
        ("list_connections", "name", "user", "client_properties"),
        ("list_channels", "name", "user", "vhost"),
    ):
        found.add("broker/listing", server.ctl(*listing))
    for file in sorted(server._folder.rglob("*")):
        if file.is_file():
            with contextlib.suppress(FileNotFoundError):
                found.add(f"broker/{file.relative_to(server._folder)}", file.read_bytes())
