"""Understands how one message is shown beside what it becomes under an agreement. Belongs to `bro map`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.shown import say, say_json, table
from hub.errors import Finding, HubError

if TYPE_CHECKING:
    from hub.kit.corpus import Hub
    from hub.kit.side_by_side import Format, SideBySide
    from hub.message import Record
    from mappings.agreements import Agreement


_NO_STORE = (
    'Not looked at: what was answered before, so neither moves between states nor where "not ours" goes.'
)


@click.command(
    epilog="""\b
Examples:
  bro map preview adapters/brik_xml/examples/kartlegging.xml --to brik-nav-sak
  bro map preview sample.json --to epikrise-fastlege --values
  bro map preview sample.json --to epikrise-fastlege --watch
  bro map preview sample.xml --to brik-nav-sak --json

\b
Each value of the message, and on the right what becomes of it:
  -> field      carried there
  stays: ...    dropped, with the agreement's reason
  WITHHELD ...  carried only with a consent, and by which code it stays without one
  (anew)        the hub writes it for the recipient itself
Below it stands what a format of the recipient's leaves behind or cannot say, when all may go.
Values are shown only with --values. Exit code 1: it cannot be translated even when all may go."""
)
@click.argument("sample", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "agreement", required=True, metavar="AGREEMENT", help="As `bro map agreements` says.")
@click.option("--from", "sector", metavar="SECTOR", help="Who sends it. Default: the first that may.")
@click.option("--values", is_flag=True, help="Show the values of the message, too.")
@click.option(
    "--watch", is_flag=True, help="Show it again whenever the file or a mapping changes; ends with Ctrl-C."
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def preview(
    sample: Path, agreement: str, sector: str | None, values: bool, watch: bool, as_json: bool
) -> int:
    """One message of any known format side by side with what a recipient would get of it.

    Nothing is stored or sent. Without a consent means: as if the person had said nothing.

    No store is looked at: neither whether an answer is a move that the request can take after what was
    answered before, nor where "not ours" sends it. POST /v1/decisions:preview holds an answer against its
    request.
    """
    if watch:
        return _watched(sample, agreement, sector, values)
    return _show(sample, agreement, sector, values, as_json)


def _show(sample: Path, agreement: str, sector: str | None, values: bool, as_json: bool) -> int:
    shown = _looked(sample, agreement, sector)
    whole = not isinstance(shown.whole, HubError)
    if as_json:
        say_json(_plain(shown, values))
        return 0 if whole else 1
    to = shown.agreement.target
    say(f"{shown.agreement.id}: {shown.sender.value} -> {to.sector.value}, {to.type}")
    say(f"route {shown.agreement.route}: {shown.agreement.found_by}", "")
    table(
        ("field", "labels", "what becomes of it", *(("value",) if values else ())),
        [
            (field.path, ", ".join(field.labels), _told(field), *((str(field.value),) if values else ()))
            for field in shown.fields
        ],
        empty="The message is empty.",
    )
    counts = {
        word: sum(f.outcome == word for f in shown.fields) for word in ("carried", "withheld", "dropped")
    }
    say(", ".join(f"{number} {word}" for word, number in counts.items()))
    if shown.envelope:
        say(f"Without a consent nothing goes: that the message exists already tells ({shown.envelope}).")
    say(f"When all may go:    {_result(shown.whole)}", f"Without a consent:  {_result(shown.alone)}")
    say(*(line for one in shown.formats for line in _in_format(one)))
    say(_NO_STORE)
    return 0 if whole else 1


def _in_format(one: Format) -> Iterator[str]:
    """A line for a format that leaves something behind or cannot say it, and none for any other."""
    if one.refused is not None:
        yield f"As {one.name}:  {_result(one.refused)}"
    for why in dict.fromkeys(one.left.values()):
        left = ", ".join(path for path, reason in one.left.items() if reason == why)
        yield f"As {one.name}:  without {left}: {why}"


def _told(field: Any) -> str:
    match field.outcome:
        case "withheld":
            return f"WITHHELD {field.withheld}; with a consent -> {', '.join(field.to)}"
        case "carried":
            return f"-> {', '.join(field.to)}"
        case "dropped":
            return f"stays: {field.dropped}"
        case _:
            return "(anew)"


def _result(result: Record | HubError) -> str:
    from hub.message import walk

    if isinstance(result, HubError):
        return f"nothing ({result.code})" + "".join(f", {f.at} {f.rule}" for f in result.findings[:5])
    return f"{result.type} with {len(list(walk(result.fields)))} values"


def _looked(sample: Path, agreement: str, sector: str | None) -> SideBySide:
    from consent.labels import load_codes
    from consent.policy_files import load_pack
    from consent.texts import load_texts
    from hub.kit.checked import loaded
    from hub.kit.corpus import read_file
    from hub.kit.side_by_side import side_by_side

    hub = loaded()
    record = read_file(hub, sample)
    meant = _agreement(hub, agreement, record)
    senders = sorted(meant.source.sectors)
    sending = [one for one in senders if sector in (None, one.value)]
    if not sending:
        expected = "one of " + ", ".join(one.value for one in senders)
        raise HubError("adapter.unknown", [Finding("--from", "sector", expected)])
    return side_by_side(
        record,
        meant,
        hub.types,
        sender=sending[0],
        pack=load_pack(),
        codes=load_codes(),
        texts=load_texts(),
        at=datetime.now(UTC),
        adapters=hub.registry.adapters,
    )


def _agreement(hub: Hub, name: str, record: Record) -> Agreement:
    fitting = [agreement for agreement in hub.agreements if agreement.source.type == record.type]
    for agreement in fitting:
        if agreement.id == name:
            return agreement
    # The name is repeated from our own list only, never from what was typed.
    other = next((f"; {a.id} takes {a.source.type}" for a in hub.agreements if a.id == name), "")
    those = "one of " + ", ".join(a.id for a in fitting) if fitting else "nothing: no agreement does"
    expected = f"an agreement that takes {record.type}, as the file is: {those}{other}"
    raise HubError("adapter.unknown", [Finding("--to", "agreement", expected)])


def _plain(shown: SideBySide, values: bool) -> dict[str, Any]:
    return {
        "agreement": shown.agreement.id,
        "from": shown.sender.value,
        "to": shown.agreement.target.sector.value,
        "route": {"word": shown.agreement.route, "means": shown.agreement.found_by},
        "envelope_withheld": shown.envelope or None,
        "fields": [
            {
                "path": field.path,
                "labels": list(field.labels),
                "outcome": field.outcome,
                "to": list(field.to),
                "dropped": field.dropped or None,
                "withheld": field.withheld or None,
                **({"value": field.value} if values else {}),
            }
            for field in shown.fields
        ],
        "whole": _ending(shown.whole, values),
        "without_consent": _ending(shown.alone, values),
        "formats": [
            {
                "format": one.name,
                "left": dict(one.left),
                "code": one.refused.code if one.refused else None,
                "findings": [f.plain() for f in one.refused.findings] if one.refused else [],
            }
            for one in shown.formats
        ],
        "not_looked_at": ["moves between states", 'where "not ours" sends a request'],
    }


def _ending(result: Record | HubError, values: bool) -> dict[str, Any]:
    if isinstance(result, HubError):
        return {"code": result.code, "findings": [f.plain() for f in result.findings]}
    return {"code": None, "type": result.type, **({"fields": result.fields} if values else {})}


def _watched(sample: Path, agreement: str, sector: str | None, values: bool) -> int:
    """Until Ctrl-C. Mappings are read anew each time; a changed adapter needs a new start."""
    import time

    import mappings.types
    from hub.cli import faults

    before: object = None
    code = 0
    try:
        while True:
            files = [sample, *sorted(mappings.types.HERE.rglob("*.yaml"))]
            now = [(str(file), file.stat().st_mtime_ns) for file in files if file.exists()]
            if now != before:
                before = now
                click.clear()
                try:
                    code = _show(sample, agreement, sector, values, as_json=False)
                except HubError as refused:
                    faults.show(refused)
                    code = 2
                say(f"Watching {sample} and mappings/; Ctrl-C ends.")
            time.sleep(0.5)
    except KeyboardInterrupt:
        return code
