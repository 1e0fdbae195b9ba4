"""Understands that a log line holds what the allow-list names, whatever was logged."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.cli.logs import configure

ROOT = Path(__file__).resolve().parents[3]
SECRET = "14839030186"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Logging as a process has it; afterwards as it was."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook
    stream = io.StringIO()
    configure("DEBUG", stream)
    yield stream
    root.handlers[:], root.level, sys.excepthook = before
    for name in ("hub", "adapters", "mappings", "consent"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    logging.captureWarnings(False)
    logging.raiseExceptions = True


def said(lines: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_line_has_time_level_logger_message_and_the_four_extras(lines: io.StringIO) -> None:
    extra = {"action": "taken", "code": "receive.busy", "step": "parse", "fault": "ValueError"}

    logging.getLogger("hub.some").info("something happened", extra=extra)

    (line,) = said(lines)
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "INFO", "logger": "hub.some", "message": "something happened", **extra}


def test_nothing_else_gets_into_a_line(lines: io.StringIO) -> None:
    log = logging.getLogger("hub.some")

    log.info("a value: %s", SECRET)
    log.info("an extra", extra={"person": SECRET, "code": f"{SECRET} with blanks", "action": {"a": SECRET}})
    try:
        raise ValueError(SECRET)
    except ValueError:
        log.exception("it failed")

    assert SECRET not in lines.getvalue()
    assert said(lines)[-1]["fault"] == "ValueError"


def test_a_library_is_quoted_by_place_only_and_from_warnings_up(lines: io.StringIO) -> None:
    library = logging.getLogger("somelibrary.some")

    library.info("not written")
    library.warning(f"connection for {SECRET} lost")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(SECRET, stacklevel=1)

    assert len(said(lines)) == 2
    assert SECRET not in lines.getvalue()
    assert said(lines)[0]["message"].startswith("line ")


def test_the_store_says_nothing_of_its_statements_at_debug(lines: io.StringIO) -> None:
    assert not logging.getLogger("sqlalchemy.engine").isEnabledFor(logging.INFO)


@pytest.mark.parametrize(
    "where", ["raise ValueError('{}')", "t = threading.Thread(target=int, args=('{}',)); t.start(); t.join()"]
)
def test_an_uncaught_exception_leaves_its_type_and_not_its_text(where: str) -> None:
    start = "import threading; from hub.cli.logs import configure; configure('INFO'); "
    code = start + where.format("x" + SECRET)

    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert SECRET not in ended.stderr
    assert json.loads(ended.stderr)["fault"] == "ValueError"
