"""Understands the group `bro prove`: what the project says of itself, tried on the spot."""

from __future__ import annotations

import click

from hub.cli.prove_leaks import leaks


@click.group(epilog="\b\nExample:\n  bro prove leaks")
def prove() -> None:
    """Try what is promised, and say what holds."""


prove.add_command(leaks)
