"""Understands how to kill a process between two writes: at a point that a test names, with SIGKILL.

The process is a copy of the test's own (fork), with connections of its own to the same database. Its points
are what it does that lasts: each statement that writes, each commit, each word to the broker and to a
recipient, and the moment before it would answer its caller. Who goes on afterwards shares nothing with it
but the database.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NoReturn, TypeVar

from sqlalchemy import event, select

from hub.message import Rendered
from hub.permit import SendPermit
from hub.queue.port import Work
from hub.store.engine import Store
from hub.store.schema import metadata
from tests.hub.bench import Bench, HandQueue, Recipients

T = TypeVar("T")

SECONDS = 90  # a process that has come to no end by then fails the test
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|CREATE|ALTER|DROP)\b", re.IGNORECASE)


class Points:
    """Counts down; at the end the process is no more."""

    def __init__(self, left: int) -> None:
        self._left = left

    def passed(self, *_: object) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def watch(self, store: Store) -> Store:
        def statement(_connection: object, _cursor: object, said: str, *_: object) -> None:
            if _WRITES.match(said):
                self.passed()

        event.listen(store.engine, "before_cursor_execute", statement)
        event.listen(store.engine, "commit", self.passed)
        return store


class _Queue(HandQueue):
    """The broker is told between two points; that it was told dies with the process."""

    def __init__(self, before: HandQueue, points: Points) -> None:
        super().__init__()
        self.ready.extend(before.ready)
        self._points = points

    def publish(self, works: Sequence[Work]) -> None:
        self._points.passed()
        super().publish(works)
        self._points.passed()


class _Recipients(Recipients):
    """Recipients between two points, whose copy outlives the process: `kept` has disclosure and body."""

    def __init__(self, points: Points, kept: Callable[[str, bytes], None]) -> None:
        super().__init__()
        self._points, self._kept = points, kept

    def send(self, permit: SendPermit, rendered: Rendered) -> None:
        self._points.passed()
        super().send(permit, rendered)
        self._kept(permit.disclosure, rendered.body)
        self._points.passed()


def _nowhere(_disclosure: str, _body: bytes) -> None:
    """For acts that hand nothing over."""


def killed(act: Callable[[Points], object], point: int) -> bool:
    """Whether a process that does `act` died at that point. False: it has fewer, and came to its end."""
    child = os.fork()
    if child == 0:
        _act(act, Points(point))
    _, status = os.waitpid(child, 0)
    ended = os.waitstatus_to_exitcode(status)
    assert ended in (0, -signal.SIGKILL), "it failed, or came to no end"
    return ended != 0


def _act(act: Callable[[Points], object], points: Points) -> NoReturn:
    code = 1
    try:
        signal.alarm(SECONDS)
        act(points)
        points.passed()  # all is done, and nobody has been answered
        code = 0
    except Exception:  # noqa: BLE001  # told below, and by the exit code
        traceback.print_exc()
    finally:
        os._exit(code)


def on(
    bench: Bench, act: Callable[[Bench], object], kept: Callable[[str, bytes], None] = _nowhere
) -> Callable[[Points], object]:
    """The act, on a hub of the process's own."""

    def acting(points: Points) -> object:
        queue, push = _Queue(bench.queue, points), _Recipients(points, kept)
        store = points.watch(Store(bench.url))
        return act(
            replace(
                bench, parts=replace(bench.parts, store=store, queue=queue, push=push), queue=queue, push=push
            )
        )

    return acting


def at_every_point(
    bench: Bench,
    prepare: Callable[[int], T],
    act: Callable[[Bench, T], object],
    kept: Callable[[str, bytes], None] = _nowhere,
    *,
    least: int,
    step: int = 1,
) -> Iterator[tuple[T, bool]]:
    """The same act again and again, killed a point (or `step` points) later each time, until it comes to its
    end. Where the killing left every row of the database as it was, it is done again to the same person.
    Where it did not, this gives what was prepared and whether the process died, for the test to judge what
    stands, and goes on with another person. `least`: how many killings must have left nothing at all."""
    nothing, who = 0, 0
    prepared, before = prepare(who), rows(bench)
    for point in itertools.count(step=step):
        # mypy cannot infer a lambda with a default, which binds the value of this turn
        dead = killed(on(bench, lambda own, said=prepared: act(own, said), kept), point)  # type: ignore[misc]  # see above
        if dead and rows(bench) == before:
            nothing += 1
            continue
        yield prepared, dead
        if not dead:
            assert nothing >= least, f"{nothing} killings left nothing"
            return
        who += 1
        prepared, before = prepare(who), rows(bench)


def rows(bench: Bench) -> dict[str, list[tuple[object, ...]]]:
    """All that the database holds."""
    with bench.parts.store.reading() as view:
        return {
            name: sorted((tuple(row) for row in view.execute(select(table))), key=repr)
            for name, table in metadata.tables.items()
        }


def start_again(bench: Bench) -> None:
    """A hub on what the database holds. What is due the sweeper tells the broker, which may have been told by
    the one that died; then everything is done that there is to do."""
    bench.parts.store.close()
    bench.parts = replace(bench.parts, store=Store(bench.url))
    bench.clock.forward(minutes=1)
    bench.sweep()
    bench.queue.ready.extend([*bench.queue.ready])
    bench.drain()
