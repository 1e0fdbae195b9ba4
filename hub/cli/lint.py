"""Understands what must be right before an installation starts, and says every fault at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli import faults
from hub.cli.shown import console, say, say_json
from hub.counted import counted
from hub.errors import Finding, HubError

if TYPE_CHECKING:
    from adapters.registry import Registry
    from consent.rows import Pack
    from hub.directory import Party
    from hub.settings import Settings
    from mappings.agreements import Agreement
    from mappings.types import TypeSpec

PARTS = (
    "settings",
    "keys",
    "directory",
    "types",
    "agreements",
    "policy",
    "rows",
    "formats",
    "adapters",
    "broker",
    "docs",
)
"""What is looked at, in this order."""


@click.command(epilog="\b\nExamples:\n  bro lint\n  bro lint --json")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def lint(as_json: bool) -> int:
    """Look at everything an installation is made of, without starting it. Exit code 1 on any fault.

    Settings, keys, directory, types, agreements, policy, that every agreement's policy row exists,
    that every adapter named exists, that ours pass the quick checks of `bro adapter lint`, that those of
    other packages are the ones that conformed, what
    the broker would be asked to declare, and generated pages. A note is no fault: it says what is right
    and yet not enough for a hub that is to be used.
    """
    found = check(os.environ)
    if as_json:
        plain = [{"part": part, **finding.plain()} for part, finding in found]
        told = {"whole": not found, "looked_at": list(PARTS), "faults": plain}
        say_json(told | {"notes": list(notes(os.environ))})
    else:
        out = console()
        for part in PARTS:
            those = [finding for name, finding in found if name == part]
            out.print(f"{part}: " + (counted(len(those), "fault") if those else "right"))
            faults.findings(out, those)
        say(*(f"note: {note}" for note in notes(os.environ)))
        say(f"{counted(len(found), 'fault')}." if found else "Everything is right.")
    return 1 if found else 0


def notes(env: Mapping[str, str]) -> Iterator[str]:
    """What an installation may lack and still start. Nothing where the settings are wrong."""
    from hub.settings import Settings

    try:
        settings = Settings.from_env(env)
    except HubError:
        return
    if not settings.issuer:
        yield "no issuer is set, so no token counts and nobody can send (BRO_ISSUER in docs/settings.md)"


def check(env: Mapping[str, str]) -> list[tuple[str, Finding]]:
    """Every fault as (part, finding). A part that cannot be read does not hide faults of the others."""
    from consent.policy_files import load_pack
    from hub.directory import load_directory
    from hub.settings import Settings
    from mappings.agreements import load_agreements
    from mappings.types import load_types

    found: list[tuple[str, Finding]] = []

    def read(part: str, do: Callable[[], Any]) -> Any:
        try:
            return do()
        except HubError as error:
            whole = [Finding(part, error.code, "to be readable")]
            found.extend((part, finding) for finding in error.findings or whole)
            return None

    settings: Settings | None = read("settings", lambda: Settings.from_env(env))
    if settings is not None:
        found.extend(("keys", finding) for finding in _keys(settings))
    # Whatever else is wrong with the settings, these two can be read by themselves.
    where = settings.directory if settings else Path(env.get("BRO_DIRECTORY", "") or Settings().directory)
    directory = read("directory", lambda: load_directory(where))
    types = read("types", load_types)
    agreements = read("agreements", lambda: load_agreements(types)) if types else None
    pack = read("policy", lambda: load_pack(settings.policy if settings else Settings().policy))
    if agreements and pack:
        found.extend(("rows", finding) for finding in rows(agreements, pack))
    stamps = settings.adapters if settings else Path(env.get("BRO_ADAPTERS", "") or Settings().adapters)
    registry = read("adapters", lambda: third_party(types, stamps)) if types else None
    ours = read("adapters", _ours) if registry else None
    found.extend(("adapters", finding) for finding in ours or ())
    if directory and registry:
        found.extend(("formats", finding) for finding in formats(directory, registry))
    found.extend(("broker", finding) for finding in _broker())
    if types and agreements:  # without them no page of theirs can be told right from wrong
        found.extend(("docs", finding) for finding in _docs())
    return found


def rows(agreements: tuple[Agreement, ...], pack: Pack) -> Iterator[Finding]:
    """The policy row that an agreement names exists, decides, and reaches its flow; and from each of
    its senders some row reaches its recipient for its purpose."""
    for agreement in agreements:
        at = f"{agreement.id}.yaml row"
        if not pack.of_flow(agreement.row):
            yield Finding(at, "row-unknown", f"a deciding row of the pack {pack.name}")
            continue
        target, purpose = agreement.target.sector, agreement.purpose
        reaching = {
            sender: [
                row
                for row in pack.between(sender, target, purpose)
                if row.effect != "PROHIBIT"  # a prohibition reaches many, and carries nobody's agreement
            ]
            for sender in agreement.source.sectors
        }
        if agreement.row not in {row.flow for found in reaching.values() for row in found}:
            yield Finding(at, "row-elsewhere", f"a row that reaches {target} from a sender for {purpose}")
        for sender in sorted(sender for sender, found in reaching.items() if not found):
            yield Finding(at, "row-missing", f"a row from {sender} to {target} for {purpose}")


def third_party(types: Mapping[str, TypeSpec], stamps: Path) -> Registry:
    """All formats, those of other packages too; settings.invalid when a stamp does not fit."""
    from adapters.registry import adapters_for
    from adapters.third_party import enabled, read_stamps

    return adapters_for(types, enabled(read_stamps(stamps)))


@cache
def _ours() -> tuple[Finding, ...]:
    """What the quick checks of the kit find in the adapters of the registry: once, as code does not change
    while it runs."""
    from hub.kit.checked import quick_faults

    return tuple(replace(finding, at=f"{name} {finding.at}") for name, finding in quick_faults())


def formats(directory: Mapping[str, Party], registry: Registry) -> Iterator[Finding]:
    """Every adapter that the directory names exists, for the type it is named for."""
    known = {adapter.name: adapter.type for adapter in registry.adapters}
    for org, party in sorted(directory.items()):
        for message_type, name in sorted(party.agency.formats.items()):
            if known.get(name) != message_type:
                fitting = sorted(adapter for adapter, reads in known.items() if reads == message_type)
                expected = "one of " + ", ".join(fitting) if fitting else "a declared message type"
                yield Finding(f"directory {org} formats", "adapter", expected)


def _keys(settings: Settings) -> tuple[Finding, ...]:
    """A small installation that has never run has no keys yet; any other must have them."""
    from hub.vault import open_vault

    if settings.embedded and not settings.keys.exists():
        return ()
    try:
        open_vault(settings.keys)
    except HubError as error:
        return error.findings
    return ()


def _broker() -> list[Finding]:
    from hub.queue.topology import hub_topology
    from hub.queue.topology import lint as lint_topology

    return lint_topology(hub_topology())


def _docs() -> Iterator[Finding]:
    from hub.generated_docs import differing

    for name in differing():
        yield Finding(f"docs/{name}", "generated", "what `bro adapter docs` writes")
