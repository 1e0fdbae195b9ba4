"""Understands the command `bro`: its commands, and what its exit code means.

    0  what was asked for is done, and what was checked holds
    1  what was checked does not hold
    2  it could not be done; stderr says why, who must act and what to do next

Commands import the hub only when they run, so that help and `bro test` need nothing else to be whole.
"""

from __future__ import annotations

import gc
import os
import re
import resource
import sys
from collections.abc import Sequence

import click
from sqlalchemy.exc import SQLAlchemyError

from hub.cli import consent_desk, faults
from hub.cli.adapter import adapter
from hub.cli.audit import audit
from hub.cli.bench import bench
from hub.cli.consent import consent
from hub.cli.lint import lint
from hub.cli.map import map_
from hub.cli.messages import messages
from hub.cli.person import person
from hub.cli.playing import demo, test
from hub.cli.policy import policy
from hub.cli.prove import prove
from hub.cli.request import request
from hub.cli.running import serve, up, work
from hub.errors import HubError
from hub.kit.asked import unimportable

RESERVED = frozenset(
    {
        *("demo", "test", "up", "serve", "work", "messages", "consent", "policy", "map", "adapter"),
        *("audit", "person", "request", "prove", "bench", "lint"),
    }
)
"""Names of the whole product. A command appears when it does real work."""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  bro demo               see one person's records cross the bridge
  bro test               run all tests, with everything they need
  bro up                 run the whole hub in one process
  bro messages list --stuck

\b
Settings come from the environment; docs/settings.md lists them.
Exit code: 0 it holds, 1 it does not, 2 it could not be done.""",
)
def bro() -> None:
    """Brobygger: a message hub between agencies. What a person has agreed to decides, field by field,
    what goes where, at the moment of sending."""


for _command in (
    *(
        demo,
        test,
        up,
        serve,
        work,
        messages,
        consent,
        policy,
        person,
        request,
        map_,
        adapter,
        audit,
        prove,
        bench,
        lint,
    ),
):
    bro.add_command(_command)
for _command in consent_desk.COMMANDS:
    consent.add_command(_command)


_WORD = re.compile(r"-{0,2}[a-z][a-z-]{0,30}(=.*)?")
"""A command or an option, also one that does not exist. Anything else that was typed is a value."""


_NUMBER = re.compile(r"\d{6,}")
"""In the name of a file, what could be a person's."""


def _is_of_path(error: click.ClickException) -> bool:
    """Whether a file or a folder that was typed is wrong: somebody must see which."""
    return isinstance(error, click.BadParameter) and isinstance(
        getattr(error.param, "type", None), click.Path
    )


def _without_values(message: str, typed: Sequence[str]) -> str:
    """A sentence about wrong arguments, without those that could be a number or a name of a person."""
    for word in sorted(typed, key=len, reverse=True):
        value = word.partition("=")[2] if _WORD.fullmatch(word) else word
        if value:
            message = message.replace(value, "…")
    return message


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # memory holds keys and content; no dump of it
    # What a start makes, some hundred thousand objects, stays. Looked through for garbage after every 700 it
    # was a fifth of the start, and of a hand-over; after every 20,000 it is nothing, and some MB more.
    gc.set_threshold(20_000, 10, 10)
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if not given:
            given = ["--help"]
        result = bro.main(args=given, prog_name="bro", standalone_mode=False)
    except HubError as error:
        faults.show(error)
        return 2
    except SQLAlchemyError:
        faults.show(HubError("receive.busy"))
        return 2
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(error.ctx.get_usage(), err=True)
        said = error.format_message()
        told = _NUMBER.sub("…", said) if _is_of_path(error) else _without_values(said, given)
        click.echo(f"Error: {told}", err=True)
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(f"next: `{error.ctx.command_path} --help` says what it takes.", err=True)
        return 2
    except click.Abort:
        return 2
    except BrokenPipeError:
        # Whoever read our output (head, less) has enough. Nothing may be flushed to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  the last place that can keep a value off the terminal
        faults.show(unimportable(error) or HubError("hub.internal", [faults.where(error)]))
        return 2
    return result if isinstance(result, int) else 0
