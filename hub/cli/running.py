"""Understands how a process of the hub starts, says where it is, and stops.

    up     API, console, workers, sweeper
    serve  API and console
    work   workers and sweeper

SIGTERM and SIGINT stop it cleanly: no new work, what is under way ends. A thread that has died ends
the process with exit code 1, so that whoever watches it starts it again.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

import click

from hub.cli.logs import configure
from hub.cli.shown import say
from hub.errors import Finding, HubError

if TYPE_CHECKING:
    from hub.app import Running
    from hub.parts import Parts
    from hub.settings import Settings

_EVERY = 0.5  # seconds between two looks at the threads

_log = logging.getLogger("hub.cli.running")


@click.command(
    epilog="""\b
Examples:
  bro up
  BRO_LISTEN=127.0.0.1:9000 BRO_STORE=sqlite:///var/my.sqlite bro up"""
)
def up() -> int:
    """Run the whole hub in one process: API, console, workers, sweeper."""
    return _run(serving=True, working=True)


@click.command(epilog="\b\nExample:\n  BRO_LISTEN=127.0.0.1:9000 bro serve")
def serve() -> int:
    """Run the API and the console. Something else must run `bro work`."""
    return _run(serving=True, working=False)


@click.command(epilog="\b\nExample:\n  BRO_QUEUE_FILE=/run/secrets/queue bro work")
def work() -> int:
    """Run the workers: they hand over what is queued, and look after what was forgotten."""
    return _run(serving=False, working=True)


def _run(*, serving: bool, working: bool) -> int:
    from hub.app import Running, build  # imports everything; see hub/cli/main.py
    from hub.settings import Settings

    settings = Settings.from_env(os.environ)
    configure(settings.log_level)
    stop = _stopped_by_signals()
    parts = build(settings)
    running = Running(parts, settings) if working else None
    try:
        if running:
            running.start()
        if serving:
            return _serve(parts, settings, running, stop)
        say("working; SIGTERM or Ctrl-C stops it")
        return _watch(running, stop, lambda: None)
    finally:
        if running:
            running.stop()
        parts.queue.close()
        parts.store.close()
        _log.info("stopped", extra={"action": "stopped"})


def _serve(parts: Parts, settings: Settings, running: Running | None, stop: threading.Event) -> int:
    from hub.api.app import create_app, server
    from hub.app import Hub
    from hub.console.app import mount
    from hub.console.users import load_users
    from hub.metrics import registry

    hub = Hub(parts)
    app = create_app(
        hub,
        settings=settings,
        directory=parts.directory,
        clock=parts.clock,
        ready=hub.ready,
        registry=registry(parts),
    )
    key = secrets.token_urlsafe(32)
    mount(app, parts, key, load_users(settings.desk_users, parts.agency))
    web = server(app, settings)
    with _listener(settings.listen.host, settings.listen.port) as listener:
        thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]}, name="bro-web", daemon=True)
        thread.start()
        address = _address(listener)
        say(f"API      {address}/v1/messages", f"console  {address}/console/enter?key={key}")
        if not settings.issuer:
            say("no issuer is set, so no token counts and nobody can send (BRO_ISSUER in docs/settings.md)")

        def end() -> None:
            web.should_exit = True
            thread.join(30)

        return _watch(running, stop, end, also=thread.is_alive)


def _watch(
    running: Running | None,
    stop: threading.Event,
    end: Callable[[], None],
    also: Callable[[], bool] = lambda: True,
) -> int:
    """Wait until told to stop (0) or until a part has died (1); then end what we started."""
    try:
        while not stop.wait(_EVERY):
            if not also() or (running is not None and not running.alive):
                _log.error("a part of the process has died", extra={"action": "part-died"})
                return 1
        return 0
    finally:
        end()


def _stopped_by_signals() -> threading.Event:
    stop = threading.Event()

    def told(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
    return stop


def _listener(host: str, port: int) -> socket.socket:
    """The socket is ours before the address is printed, so the address answers from then on."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError:
        fault = Finding("BRO_LISTEN", "free", "an address of this machine that nothing else listens on")
        raise HubError("settings.invalid", [fault]) from None


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
