"""Understands which pages of `docs/` are written from the code, and whether they still say the same.

`bro adapter docs` writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

from adapters.kith.texts import RULES
from hub import format_docs, reference_docs
from hub.errors import PROBLEMS
from hub.message import Step
from hub.settings import Listen, Settings

DOCS = Path(__file__).resolve().parent.parent / "docs"
FOLDERS = (format_docs.FOLDER, reference_docs.FOLDER)
"""Those below it that hold nothing but pages written from the code."""

_NOTE = "<!-- Written by `bro adapter docs`; do not edit. -->"


def errors_md() -> str:
    """Every code: how far the message came, who must act, whether waiting helps."""
    lines = [
        "# Codes",
        "",
        _NOTE,
        "",
        "Every answer that is not a success is `application/problem+json` with one of these codes. The part",
        "before the dot is how far the message came, with the words of `hub/pipeline.py` (" + _steps() + ");",
        "`adapter`, `consent`, `request`, `hold`, `map`, `policy`, `vectors`, `settings` and `hub` are about",
        "the hub's own parts. A code",
        "never changes meaning. The status is the one of the REST door; codes that tell of a decision",
        "(`decide.*`) or of what happens behind the door (`hand-over.*`, `translate.*`, …) are never shown",
        "to an agency: it gets `receive.not-found`, `receive.busy` or `hub.internal` instead.",
        "",
    ]
    groups: dict[str, list[str]] = {}
    for problem in PROBLEMS.values():
        waiting = "yes" if problem.waiting_helps else "no"
        row = (
            f"| `{problem.code}` | {problem.status} | {problem.actor.value} | {waiting} "
            f"| {problem.title}<br>*{problem.nb}* |"
        )
        groups.setdefault(problem.code.partition(".")[0], []).append(row)
    for group, rows in groups.items():
        lines += [f"## {group}", "", "| code | status | who acts | waiting helps | meaning |"]
        lines += ["|---|---|---|---|---|", *rows, ""]
    lines += [
        "## Rules of the national XML messages",
        "",
        "A finding in a KITH message names one of these; `{}` is filled with names of the format, never with",
        "a word of the message. `unsaid` is about writing: it stands in `render.incomplete` with a path of",
        "the record that the format has no place for, alone or beside the rest, and is not told to leave",
        "behind (`adapters/kith/README.md`).",
        "",
        "| rule | expected |",
        "|---|---|",
        *(f"| `{rule}` | {en}<br>*{nb}* |" for rule, (nb, en) in RULES.items()),
        "",
    ]
    return "\n".join(lines)


def settings_md() -> str:
    """Every environment variable: unit, default and reason."""
    lines = [
        "# Settings",
        "",
        _NOTE,
        "",
        "Read once at start from the environment. All faults are reported at once, by variable, without the",
        "value; a `BRO_` variable that is not listed here is a fault too. A variable marked † may instead",
        "be named with `_FILE` added and hold the path of a file with the value. No setting makes the hub",
        "less safe: certificates are always checked, and without an issuer no token is valid.",
        "",
        "| variable | unit | default | why |",
        "|---|---|---|---|",
    ]
    for setting in fields(Settings):
        about = setting.metadata
        mark = " †" if about["secret"] else ""
        default = _shown(setting.default)
        lines.append(f"| `{about['variable']}`{mark} | {about['unit']} | {default} | {about['reason']} |")
    return "\n".join([*lines, ""])


def _steps() -> str:
    return ", ".join(f"`{step.value}`" for step in Step)


def _shown(default: object) -> str:
    match default:
        case None | "":
            return "(none)"
        case Listen():
            return f"`{default.host}:{default.port}`"
        case _:
            return f"`{default}`"


PAGES: dict[str, Callable[[], str]] = {"errors.md": errors_md, "settings.md": settings_md}
"""The pages that are always there; those of formats, types and agreements come on top."""


def pages() -> dict[str, str]:
    """Every generated page by its name below `docs/`. Raises map.invalid when the mappings are broken."""
    return {
        **{name: page() for name, page in PAGES.items()},
        **format_docs.pages(_NOTE),
        **reference_docs.pages(_NOTE),
    }


def differing(folder: Path = DOCS) -> tuple[str, ...]:
    """The pages that do not say what the code says, and those of what is gone."""
    wanted = pages()
    there = {f"{below}/{path.name}" for below in FOLDERS for path in _written(folder / below)}
    wrong = [
        name
        for name, page in wanted.items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != page.encode()
    ]
    return (*wrong, *sorted(there - set(wanted)))


def _written(folder: Path) -> Iterator[Path]:
    """The pages that were written from the code once. Whatever else lies there is somebody's own."""
    for path in folder.glob("*.md"):
        if path.is_file() and _NOTE.encode() in path.read_bytes():
            yield path


def write(folder: Path = DOCS) -> None:
    """Write every page, and take away those of what is gone."""
    for name, page in pages().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(page, encoding="utf-8")
    for name in differing(folder):
        (folder / name).unlink()
