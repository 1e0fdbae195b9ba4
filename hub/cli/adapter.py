"""Understands the commands about wire formats: which there are, how they are held to their word, and how
a new one begins."""

from __future__ import annotations

import click

from hub.cli.adapter_corpus import corpus


@click.group(epilog="\b\nExamples:\n  bro adapter corpus samples/ --schemas xsd/")
def adapter() -> None:
    """See wire formats, try them on files, and add one."""


adapter.add_command(corpus)
