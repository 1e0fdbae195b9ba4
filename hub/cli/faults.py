"""Understands how a refusal looks to whoever typed the command: the code, who must act, every finding,
and what to do next.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from hub.cli.shown import console
from hub.errors import Finding, HubError

_NEXT = {
    "settings": "Correct the variables or files above (docs/settings.md explains each), then run `bro lint`.",
    "adapter.unknown": "`bro adapter list`, `bro map types` and `bro map agreements` show the names.",
    "adapter": "Correct what is listed; README.md says what an adapter is.",
    "map": "Correct the files under mappings/, then run `bro map test --coverage`.",
    "policy.no-such-flow": "`bro policy list` shows the flows; capital letters count (L21).",
    "policy.step-refused": "Put right what is listed; `bro policy list --json` tells who approved what.",
    "policy": "Correct the files under consent/policy/, then run `bro policy list`.",
    "vectors": "Correct the file; the notation is that of `bro consent check-vectors --help`.",
    "receive.busy": "Look whether the database of BRO_STORE answers, then try again; nothing was changed.",
    "enqueue.unavailable": "Look whether the broker of BRO_QUEUE answers, then try again.",
    "seal.key-destroyed": "Nothing can be done: the person has been forgotten.",
    "consent.unknown": "`bro consent list --person-file FILE` shows what the person has said, with ids.",
    "request.unknown": "`bro request list FILE` shows the requests about the person.",
    "hold.unread": "`bro messages read ID --as NAME`, then answer.",
    "hold.second-person": "Let another reader confirm it, or answer it anew.",
    "hold.changed": "`bro messages read ID --as NAME`, then answer it anew.",
    "hold.reader-unknown": "`bro consent user` makes an entry for the file that BRO_DESK_USERS names.",
    "hold": "`bro messages holds` shows what is held.",
    "hub.no-such-id": "`bro messages list` shows the ids.",
    "hub.repair-refused": "`bro messages list --stuck` shows what is parked; only that can be repaired.",
    "hub.no-such-person": "Look whether the number is right; `bro person protect` also takes new ones.",
    "hub.identity-refused": "`bro person show FILE` tells how things stand.",
    "hub.internal": "Run it again. If it stays so, report the place above; it holds no message content.",
}
_NEXT_AT = {
    "--to": "`bro map agreements` shows which agreement takes which type, and from whom.",
    "--from": "`bro map agreements` shows which agreement takes which type, and from whom.",
    "--schemas": "Name the folder with the XSD files, or leave --schemas out.",
    "--agency": "Name an agency of the file that BRO_DIRECTORY names; `bro lint` looks at that file.",
    "DIR": "Name a folder that holds files.",
    "FILE": "Put the number in the file right.",
    "--if-withdrawn": "`bro consent list --person-file FILE` shows the series of a person.",
}
"""By the argument that was wrong: what was typed is to be put right, not an installation."""
_MISTYPED = "Put the argument right; `--help` of the same command says what it takes."
_OTHERWISE = "docs/errors.md explains every code."


def show(error: HubError) -> None:
    """The whole refusal on stderr."""
    out = console(error=True)
    out.print(error.code, style="bold red", end="")
    out.print(f"  {error.problem.title}", soft_wrap=True)
    out.print(f"who must act: {error.problem.actor.value}", soft_wrap=True)
    findings(out, error.findings)
    out.print(f"next: {_of_argument(error) or what_next(error.code)}", soft_wrap=True)


def _of_argument(error: HubError) -> str | None:
    """What to do when nothing but an option of the command is wrong."""
    places = {finding.at for finding in error.findings}
    if not places or not all(at.startswith("--") or at in _NEXT_AT for at in places):
        return None
    return _NEXT_AT.get(min(places), _MISTYPED)


def findings(out: Console, found: Iterable[Finding]) -> None:
    for finding in found:
        out.print(f"  {place(finding)}: expected {finding.expected} [{finding.rule}]", soft_wrap=True)


def place(finding: Finding) -> str:
    """Where a finding is: its path, and line:column where the format has lines."""
    if finding.line is None:
        return finding.at or "(whole)"
    return f"{finding.at or '(whole)'} {finding.line}:{finding.column or 1}"


def what_next(code: str) -> str:
    return _NEXT.get(code) or _NEXT.get(code.partition(".")[0], _OTHERWISE)


def where(error: BaseException) -> Finding:
    """The place of a fault nobody foresaw and its type. Its text could hold a piece of a message."""
    frames = traceback.extract_tb(error.__traceback__)
    innermost = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
    return Finding(at=innermost, rule=type(error).__name__, expected="no fault here")
