"""Understands what a log line may say: one JSON object, by an allow-list.

An exception's text, a library's formatted message or an unknown `extra` could hold a piece of a
message about a person, so none of them is written: of an exception only its type, of a library only
where in it the line was written, of ours the sentence without anything put into it.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

OURS = ("hub", "adapters", "mappings", "consent")
EXTRA = {"action": "action", "code": "code", "step": "step", "fault": "fault", "error": "fault"}
"""Attribute of a record -> key of the line. Some of our doors say `error` for the type of a fault."""

_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,80}")


class Lines(logging.Formatter):
    """One JSON object per record."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if record.exc_info and record.exc_info[0]:
            line["fault"] = record.exc_info[0].__name__
        for attribute, key in EXTRA.items():
            value = getattr(record, attribute, None)
            if isinstance(value, str) and _WORD.fullmatch(value):
                line[key] = str(value)
        return json.dumps(line, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    if record.name.partition(".")[0] in OURS:
        return str(record.msg)
    return f"line {record.lineno} of {record.module}"


def configure(level: str, stream: TextIO | None = None) -> None:
    """Every line of this process goes to stderr in this form, uncaught exceptions included.

    The level is for our own parts; libraries say warnings and worse.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a fault in logging would otherwise print the record itself
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("hub").error(
        "the process ends by a fault nobody foresaw",
        extra={"action": "process-failed", "fault": kind.__name__},
    )


def _uncaught_in_thread(hook: threading.ExceptHookArgs) -> None:
    logging.getLogger("hub").error(
        "a thread ended by a fault nobody foresaw",
        extra={"action": "thread-failed", "fault": hook.exc_type.__name__},
    )
