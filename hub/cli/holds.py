"""Understands the commands of `bro messages` by which a reader answers what is held.

Only `read` shows content, to somebody who proved to be a reader, and on record. Everything else is ids,
times, codes and numbers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.installed import open_parts
from hub.cli.shown import age, moment, say, say_json, table
from hub.errors import HubError

if TYPE_CHECKING:
    from hub.held import Reader, Shown, ShownLeaf
    from hub.holds import Answered, Reads
    from hub.message import Category
    from hub.parts import Parts


@click.command(
    epilog="""\b
Examples:
  bro messages holds
  bro messages holds --json
  bro messages holds --reads         who opened holds how often"""
)
@click.option(
    "--reads", is_flag=True, help="How often each reader opened a hold. Exit code 1: somebody too often."
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def holds(reads: bool, as_json: bool) -> int:
    """What is held for a reader, oldest first. No content."""
    from hub import holds as desk

    parts = open_parts()
    if reads:
        return _reads(desk.reads(parts), as_json)
    found = desk.listed(parts)
    if as_json:
        say_json(
            [
                {
                    "hold": one.id,
                    "age_seconds": one.age,
                    "recipient": one.recipient.sector.value,
                    "code": one.code,
                    "leaves": one.leaves,
                    "waits_for_second_person": one.proposed,
                }
                for one in found
            ]
        )
        return 0
    table(
        ("hold", "age", "recipient", "code", "leaves", "second person"),
        [
            (
                one.id,
                age(one.age),
                one.recipient.sector.value,
                one.code,
                "-" if one.leaves is None else str(one.leaves),
                "awaited" if one.proposed else "-",
            )
            for one in found
        ],
        empty="Nothing is held.",
    )
    return 0


def _reads(found: list[Reads], as_json: bool) -> int:
    if as_json:
        say_json([{**vars(one), "many": one.many} for one in found])
    else:
        table(
            ("reader", "last hour", "last day", "30 days", ""),
            [
                (one.reader, str(one.hour), str(one.day), str(one.month), "too often" if one.many else "")
                for one in found
            ],
            empty="Nobody has opened a hold.",
        )
    return 1 if any(one.many for one in found) else 0


_as = click.option("--as", "name", required=True, metavar="NAME", help="Your user name at the desk.")
_key = click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with your key; without it you are asked.",
)
_reason = click.option(
    "--reason", required=True, metavar="TEXT", help="Why. Sealed in the audit log; name no person."
)
_json = click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")


@click.command(
    epilog="""\b
Examples:
  bro messages read ID --as kari
  bro messages read ID --as kari --key-file kari.key --json"""
)
@click.argument("id_", metavar="ID")
@_as
@_key
@_json
def read(id_: str, name: str, key_file: Path | None, as_json: bool) -> None:
    """Show the held text of one hold, what was found in it, and the row that asks.

    That you read it is in the audit log before you see it.
    """
    from hub import holds as desk

    parts = open_parts()
    shown = desk.read(parts, id_, _reader(parts, name, key_file))
    if as_json:
        say_json(_plain(shown))
        return
    facts = shown.facts
    say(f"hold {facts.id}, {age(facts.age)} old ({facts.code})")
    say(f"  to {facts.recipient.name} for {facts.purpose.value}: {facts.agreement.en}")
    for leaf in shown.leaves:
        say("", f"{leaf.path}: {leaf.title.en} ({leaf.code})", f"  {leaf.text}")
        if leaf.rewritten:
            say(f"  as the hub reads it: {''.join(piece.text for piece in leaf.heard)}")
        hits = [piece for piece in leaf.heard if piece.term]
        say(*(f"  found: {piece.text} [{piece.term}, {piece.strength}]" for piece in hits))
        if leaf.raised:
            say(f"  the hub takes it to tell of: {', '.join(sorted(leaf.raised))}")
        say(*(f"  row {row.ref}: {row.effect.value}, {'; '.join(row.law)}" for row in leaf.rows))
        if not leaf.legible:
            say("  no person can read this, so it cannot be released")
        if leaf.doubtful:
            say("  to release it takes two persons")
    if shown.proposal is not None:
        given = shown.proposal
        say("", f"proposed by {given.reader} on {moment(given.at)}: {given.reason}")
        for path, on in given.leaves.items():
            found = f", tells of {', '.join(sorted(on.found))}" if on.found else ""
            say(f"  {on.word.value} {path}{found}")


@click.command(
    epilog="""\b
Examples:
  bro messages release ID --as kari --reason "only about the dwelling"
  bro messages release ID --as kari --reason "the rest is not needed" --only bolig.merknad
  bro messages release ID --as kari --reason "read" --found family@bolig.merknad"""
)
@click.argument("id_", metavar="ID")
@_as
@_reason
@click.option(
    "--only", multiple=True, metavar="PATH", help="Release only this; refuse the rest. May be repeated."
)
@click.option(
    "--found", multiple=True, metavar="CATEGORY@PATH", help="It also tells of this. May be repeated."
)
@_key
@_json
def release(
    id_: str,
    name: str,
    reason: str,
    only: tuple[str, ...],
    found: tuple[str, ...],
    key_file: Path | None,
    as_json: bool,
) -> None:
    """Release what you have read, whole or in part. Sends nothing: it is decided again, as always.

    Where the hub found something in the text, it waits for a second person.
    """
    from hub.answers import Word

    _answer(id_, name, key_file, as_json, Word.RELEASE, reason, only, _found(found))


@click.command(
    name="return",
    epilog='\b\nExample:\n  bro messages return ID --as kari --reason "write it without the health part"',
)
@click.argument("id_", metavar="ID")
@_as
@_reason
@_key
@_json
def return_(id_: str, name: str, reason: str, key_file: Path | None, as_json: bool) -> None:
    """Send the held texts back: the sender is told which fields to write anew, never why."""
    from hub.answers import Word

    _answer(id_, name, key_file, as_json, Word.RETURN, reason)


@click.command(
    epilog='\b\nExample:\n  bro messages refuse ID --as kari --reason "not needed for the purpose"'
)
@click.argument("id_", metavar="ID")
@_as
@_reason
@_key
@_json
def refuse(id_: str, name: str, reason: str, key_file: Path | None, as_json: bool) -> None:
    """Refuse the held texts, for good."""
    from hub.answers import Word

    _answer(id_, name, key_file, as_json, Word.REFUSE, reason)


@click.command(epilog="\b\nExample:\n  bro messages confirm ID --as per")
@click.argument("id_", metavar="ID")
@_as
@_key
@_json
def confirm(id_: str, name: str, key_file: Path | None, as_json: bool) -> None:
    """Confirm, as the second person, what somebody else proposed. Read it first."""
    from hub import holds as desk

    parts = open_parts()
    _say(id_, desk.confirm(parts, id_, _reader(parts, name, key_file)), as_json)


@click.command(
    epilog="""\b
Example:
  bro messages override ID --as lise --role ROLE --ground GROUND --reason "danger to life"

\b
`bro policy show ROW` tells which roles and which ground a row allows."""
)
@click.argument("id_", metavar="ID")
@_as
@click.option("--role", required=True, help="The role in which you do it.")
@click.option("--ground", required=True, help="The ground that the policy row names.")
@_reason
@_key
@_json
def override(
    id_: str, name: str, role: str, ground: str, reason: str, key_file: Path | None, as_json: bool
) -> None:
    """Propose to set an objection aside, where a policy row allows it. A second person confirms."""
    from hub import holds as desk

    parts = open_parts()
    reader = _reader(parts, name, key_file)
    _say(id_, desk.override(parts, id_, reader, role=role, ground=ground, reason=reason), as_json)


COMMANDS = (holds, read, release, return_, refuse, confirm, override)


def _answer(
    id_: str,
    name: str,
    key_file: Path | None,
    as_json: bool,
    word: Any,
    reason: str,
    only: tuple[str, ...] = (),
    found: Mapping[str, set[Category]] | None = None,
) -> None:
    from hub import holds as desk

    parts = open_parts()
    reader = _reader(parts, name, key_file)
    _say(id_, desk.answer(parts, id_, reader, word, reason=reason, only=only, found=found), as_json)


def _say(id_: str, done: Answered, as_json: bool) -> None:
    if as_json:
        say_json({"hold": id_, **vars(done)})
        return
    say(f"{id_} {'waits for a second person' if done.waits else 'is decided again'}")
    if done.told:
        say("  the sender is told which fields to write anew")
    if done.notify:
        say("  the person must be told, by whoever treats them")


def _reader(parts: Parts, name: str, key_file: Path | None) -> Reader:
    """Who this is, proved by the key. Raises hold.reader-unknown."""
    from hub.console.users import Role, load_users
    from hub.held import Reader
    from hub.settings import Settings

    users = load_users(Settings.from_env(os.environ).desk_users, parts.agency)
    key = (
        key_file.read_text(encoding="utf-8").strip()
        if key_file
        else click.prompt("Key", hide_input=True, err=True)
    )
    user = users.enter(name, key, parts.clock())
    if user is None or not user.may(Role.READER):
        raise HubError("hold.reader-unknown")
    return Reader(user.id, user.agency, frozenset(role.value for role in user.roles))


def _found(said: tuple[str, ...]) -> dict[str, set[Category]]:
    from hub.message import Category

    made: dict[str, set[Category]] = {}
    for one in said:
        category, _, path = one.partition("@")
        if category not in {known.value for known in Category} or not path:
            raise click.UsageError("--found is CATEGORY@PATH; categories: " + ", ".join(Category))
        made.setdefault(path, set()).add(Category(category))
    return made


def _plain(shown: Shown) -> dict[str, Any]:
    facts, given = shown.facts, shown.proposal
    return {
        "hold": facts.id,
        "age_seconds": facts.age,
        "code": facts.code,
        "recipient": facts.recipient.name,
        "purpose": facts.purpose.value,
        "agreement": facts.agreement.en,
        "leaves": [_plain_leaf(leaf) for leaf in shown.leaves],
        "proposal": None
        if given is None
        else {
            "reader": given.reader,
            "at": given.at,
            "reason": given.reason,
            "leaves": {
                path: {"word": on.word.value, "found": sorted(on.found)} for path, on in given.leaves.items()
            },
        },
    }


def _plain_leaf(leaf: ShownLeaf) -> dict[str, Any]:
    return {
        "path": leaf.path,
        "title": leaf.title.en,
        "code": leaf.code,
        "text": leaf.text,
        "as_read": "".join(piece.text for piece in leaf.heard) if leaf.rewritten else None,
        "hits": [
            {"text": piece.text, "term": piece.term, "strength": piece.strength}
            for piece in leaf.heard
            if piece.term
        ],
        "declared": leaf.declared,
        "raised": leaf.raised,
        "rows": [row.ref for row in leaf.rows],
        "legible": leaf.legible,
        "takes_two": leaf.doubtful,
    }
