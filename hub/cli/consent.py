"""Understands the commands about consents: who may record them, what they say, and what they were known
to say."""

from __future__ import annotations

import os

import click

from hub.cli.shown import say, say_json


@click.group(
    epilog="""\b
Examples:
  bro consent user kari --name "Kari Skranke" --agency 310000078 --role caseworker"""
)
def consent() -> None:
    """Consents: record, withdraw, list, explain, and check documents before they are sent."""


@consent.command(
    epilog="""\b
Examples:
  bro consent user kari --name "Kari Skranke" --agency 310000078 --role caseworker
  bro consent user per --name "Per Leser" --agency 310000078 --role reader --json"""
)
@click.argument("id_", metavar="ID")
@click.option("--name", required=True, help="As it stands on receipts.")
@click.option("--agency", required=True, metavar="ORG", help="Organisation number of the directory.")
@click.option(
    "--role",
    "roles",
    required=True,
    multiple=True,
    type=click.Choice(["caseworker", "reader", "privacy"]),
    help="May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def user(id_: str, name: str, agency: str, roles: tuple[str, ...], as_json: bool) -> None:
    """A new key for somebody at a desk, and the entry for the file that BRO_DESK_USERS names.

    The key is shown once and kept nowhere. ID is the user name: 2 to 40 of a-z, 0-9, dot and hyphen.
    """
    import json

    from hub.console.users import Role, new_entry, read_users
    from hub.directory import load_directory
    from hub.settings import Settings

    directory = load_directory(Settings.from_env(os.environ).directory)
    entry, key = new_entry(id_, name, agency, [Role(role) for role in roles])
    read_users({"users": [entry]}, lambda org: directory[org].agency if org in directory else None)
    if as_json:
        say_json({"entry": entry, "key": key})
        return
    say("Add under `users:` in the file that BRO_DESK_USERS names:", "", f"  - {json.dumps(entry)}")
    say("", f"Key for {id_}, shown only now: {key}")
