"""Understands the commands about wire formats: which there are, how they are held to their word, and how
a new one begins."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.adapter_corpus import corpus
from hub.cli.faults import place
from hub.cli.shown import say, say_json, table
from hub.counted import counted
from hub.errors import Finding, HubError

if TYPE_CHECKING:
    from hub.kit.case import Case
    from hub.kit.conform import Check

_ROOT = Path(__file__).resolve().parents[2]
_MOST_SHOWN = 20


@click.group(
    epilog="""\b
Examples:
  bro adapter list
  bro adapter new nordpost --type opphold.loslatelsesdato
  bro adapter conform nordpost
  bro adapter corpus samples/ --schemas xsd/"""
)
def adapter() -> None:
    """See wire formats, try them on files, and add one."""


adapter.add_command(corpus)


@adapter.command(name="list", epilog="\b\nExamples:\n  bro adapter list\n  bro adapter list --json")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def list_adapters(as_json: bool) -> None:
    """Every adapter: its message type, its media types, and whether it is in use.

    Those of other packages are off until `bro adapter conform NAME --enable`, and again when they
    have changed since; none of their code runs here before.
    """
    from adapters.registry import adapters_for
    from adapters.third_party import load, offered, read_stamps
    from hub.kit.checked import stamps_file
    from mappings.types import load_types

    rows: list[dict[str, Any]] = [
        {
            "adapter": a.name,
            "type": a.type,
            "media_types": list(a.media_types),
            "from": "here",
            "in_use": True,
            "changed": False,
        }
        for a in adapters_for(load_types()).adapters
    ]
    stamps = read_stamps(stamps_file())
    for found in offered():
        in_use = stamps.get(found.name) == found.digest
        row: dict[str, Any] = {"adapter": found.name, "type": None, "media_types": [], "from": found.package}
        if in_use:  # exactly these bytes conformed and run in the hub as well
            loaded = load(found)
            row |= {"type": loaded.type, "media_types": list(loaded.media_types)}
        rows.append(row | {"in_use": in_use, "changed": found.name in stamps and not in_use})
    if as_json:
        say_json(rows)
        return
    table(
        ("adapter", "type", "media type", "from", "in use"),
        [
            (
                str(row["adapter"]),
                str(row["type"] or "-"),
                ", ".join(row["media_types"]) or "-",
                str(row["from"]),
                "changed since" if row["changed"] else "yes" if row["in_use"] else "no",
            )
            for row in rows
        ],
        empty="No adapter.",
    )


@adapter.command(epilog="\b\nExamples:\n  bro adapter show brik-xml\n  bro adapter show json:epikrise --json")
@click.argument("name", metavar="NAME")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def show(name: str, as_json: bool) -> None:
    """One adapter, or every one of a folder: its examples, what it leaves behind, who gets it."""
    from hub.kit.checked import cases, loaded

    hub = loaded()
    told = [_shown(case, hub.agreements) for case in cases(name, hub)]
    if as_json:
        say_json(told)
        return
    for one in told:
        say(f"{one['adapter']}: {one['type']}, {one['title']}", f"  folder       {one['folder']}")
        say(f"  media types  {', '.join(one['media_types'])}")
        say(f"  examples     {', '.join(one['examples']) or '-'}")
        say(f"  fields       {one['fields']} in the type")
        say(f"  read for     {', '.join(one['read_for']) or 'no agreement'}")
        say(f"  written for  {', '.join(one['written_for']) or 'no agreement'}")
        say(*(f"  left behind  {path}: {reason}" for path, reason in one["loses"].items()))
        say(*(f"  gives way    {path}: {reason}" for path, reason in one["yields"].items()))


def _shown(case: Case, agreements: Any) -> dict[str, Any]:
    mine = case.adapter.type
    return {
        "adapter": case.adapter.name,
        "type": mine,
        "title": case.spec.title.en,
        "folder": str(case.home.folder),
        "media_types": list(case.adapter.media_types),
        "examples": sorted(case.bodies),
        "fields": len(case.spec.scalars),
        "loses": dict(case.adapter.loses),
        "yields": dict(case.adapter.yields),
        "read_for": [a.id for a in agreements if a.source.type == mine],
        "written_for": [a.id for a in agreements if a.target.type == mine],
    }


@adapter.command(epilog="\b\nExamples:\n  bro adapter lint brik-xml\n  bro adapter lint nordpost --json")
@click.argument("name", metavar="NAME")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def lint(name: str, as_json: bool) -> int:
    """The folder of an adapter: files, README, examples, and that nothing in it is impure. Quick.

    NAME is an adapter or a folder under adapters/. Exit code 1 on any fault.
    """
    from hub.kit.checked import held

    return _say_checks(held(name, quick=True), as_json, "The folder is right.", "THE FOLDER IS NOT RIGHT.")


@adapter.command(epilog="\b\nExamples:\n  bro adapter docs\n  bro adapter docs --check")
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when a page differs.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def docs(check: bool, as_json: bool) -> int:
    """Write the pages of docs/ that follow from the code: formats, types, agreements, codes, settings.

    With --check it is told which page of the tree does not say what the code says.
    """
    from hub.generated_docs import differing, write

    wrong = differing()
    if not check:
        write()
    if as_json:
        say_json({"differed": wrong, "written": not check})
    elif check:
        say(*(f"differs: docs/{name}" for name in wrong))
        say("next: `bro adapter docs` writes them." if wrong else "The pages say what the code says.")
    else:
        for name in wrong:
            say(f"{'wrote' if (_ROOT / 'docs' / name).is_file() else 'removed'} docs/{name}")
        say(f"{counted(len(wrong), 'page')} differed; all say what the code says now.")
    return 1 if check and wrong else 0


@adapter.command(
    epilog="""\b
Examples:
  bro adapter conform brik-xml
  bro adapter conform nordpost --made 500 --inputs 20000
  bro adapter conform nordpost --enable

\b
`./bro` installs requirements-dev.lock for it. --enable is for adapters of other packages: when everything
holds it writes the stamp for exactly these bytes into the file that BRO_ADAPTERS names. The hub starts with
it then, and refuses to start when the package has changed since. Impure code is looked for before any of it
runs.
That finds mistakes, not malice: a person reads the code of a stranger before it is enabled."""
)
@click.argument("name", metavar="NAME")
@click.option("--made", default=60, show_default=True, help="Records made up from the type.")
@click.option("--inputs", default=600, show_default=True, help="Examples spoiled in some way.")
@click.option("--seed", default="conform", show_default=True, help="Another word gives other inputs.")
@click.option("--enable", is_flag=True, help="Write the stamp of a package's adapter when all holds.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def conform(name: str, made: int, inputs: int, seed: str, enable: bool, as_json: bool) -> int:
    """Hold an adapter to what every adapter promises, as its sender and as its recipient.

    Examples and made-up records go there and back, every field is carried or left behind on purpose,
    spoiled and hostile input gives a refusal by code, in bounded time and without a value. Exit code 1
    if not.
    """
    from adapters.third_party import offered, write_stamp
    from hub.kit.checked import held, stamps_file
    from hub.kit.purity import purity

    packaged = next((found for found in offered() if found.name == name), None)
    if enable and packaged is None:
        expected = (
            "an adapter of an installed package (`.venv/bin/pip install` it first); ours need only their line"
        )
        raise HubError("adapter.invalid", [Finding("NAME", "package", expected)])
    if packaged is not None and (impure := purity(packaged.folder, packaged.module.partition(".")[0])):
        raise HubError("adapter.invalid", impure)  # none of it was run
    found = held(name, made=made, inputs=inputs, seed=seed)
    code = _say_checks(found, as_json, "It conforms.", "IT DOES NOT CONFORM.")
    if packaged is not None and not as_json:
        say("This finds mistakes, not malice: read the code of a stranger before you enable it.")
    if enable and packaged is not None:
        if code == 0:
            write_stamp(stamps_file(), packaged)
            click.echo(f"Enabled in {stamps_file()}; the hub takes it when it starts.", err=True)
        else:
            click.echo("Not enabled.", err=True)
    return code


def _say_checks(found: Iterable[tuple[str, Check]], as_json: bool, right: str, wrong: str) -> int:
    """Tell each check when it is done. 0 if all hold, and there was one."""
    if as_json:
        whole = list(found)
        holds = bool(whole) and all(check.holds for _, check in whole)
        say_json({"holds": holds, "checks": [_plain_check(name, check) for name, check in whole]})
        return 0 if holds else 1
    before, held = "", []
    for name, check in found:
        if name != before:
            say(name)
        before = name
        held.append(check.holds)
        told = f"WRONG  {counted(len(check.findings), 'fault')}" if check.findings else check.note
        if check.holds:
            told = f"right  {check.note}"
        say(f"  {check.name:<14} {told}".rstrip())
        say(*(f"      {place(f)}: expected {f.expected} [{f.rule}]" for f in check.findings[:_MOST_SHOWN]))
        if len(check.findings) > _MOST_SHOWN:
            say(f"      and {len(check.findings) - _MOST_SHOWN} more")
        sys.stdout.flush()  # the next one may take long
    holds = bool(held) and all(held)
    say(right if holds else wrong)
    return 0 if holds else 1


def _plain_check(name: str, check: Check) -> dict[str, Any]:
    findings = [{"at": f.at, "rule": f.rule, "expected": f.expected, "line": f.line} for f in check.findings]
    return {
        "adapter": name,
        "check": check.name,
        "holds": check.holds,
        "note": check.note,
        "findings": findings,
    }


@adapter.command(
    epilog="""\b
Examples:
  bro adapter new nordpost --type opphold.loslatelsesdato
  bro adapter new nordpost --type epikrise --wire xml
  bro adapter new nordpost --type epikrise --package nordpost-adapter/

\b
`bro map types` shows the message types. What is written works and conforms; change the table (fields.json
or schema.xsd), the README and the example into what the agency's system really speaks."""
)
@click.argument("name", metavar="NAME")
@click.option("--type", "type_", required=True, help="The message type it reads and writes.")
@click.option(
    "--wire", type=click.Choice(["json", "xml"]), default="json", show_default=True, help="Its bytes."
)
@click.option(
    "--package",
    type=click.Path(path_type=Path),
    help="Write a package of its own there, to be installed, instead of a folder under adapters/.",
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def new(name: str, type_: str, wire: str, package: Path | None, as_json: bool) -> None:
    """Write a new adapter that works: two functions, a table, a README, an example, a test."""
    from hub.kit.new import write
    from mappings.types import load_types

    types = load_types()
    if type_ not in types:
        raise HubError(
            "adapter.unknown", [Finding("--type", "unknown", "one of " + ", ".join(sorted(types)))]
        )
    paths = write(package or _ROOT, name, types[type_], wire, package=package is not None)
    folder = name.replace("-", "_")
    steps = (
        [f".venv/bin/pip install {package}", f"bro adapter conform {name} --enable"]
        if package
        else [
            f'*of("{folder}"),   in ADAPTERS of adapters/registry.py',
            f"bro adapter conform {name}",
            "bro adapter docs",
        ]
    )
    if as_json:
        say_json({"files": paths, "next": steps})
        return
    say(*(f"wrote {path}" for path in paths), "next:", *(f"  {step}" for step in steps))
