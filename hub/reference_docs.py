"""Understands how every message type and every agreement is written out for people who connect to the hub.

Everything comes from the files of `mappings/` and from what the adapters say of themselves; a page says
nothing of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from adapters.base import Adapter
from adapters.registry import ADAPTERS
from mappings.agreements import Agreement, Carry, load_agreements
from mappings.fields import FieldSpec, Kind
from mappings.types import TypeSpec, load_types

FOLDER = "reference"
"""Below `docs/`."""


def pages(note: str) -> dict[str, str]:
    """All pages by their name below `docs/`; `note` says in each that it is generated."""
    types = load_types()
    agreements = load_agreements(types)
    made = {"README.md": _index(types, agreements, note)}
    for spec in types.values():
        made[f"type-{spec.name}.md"] = _type(spec, agreements, note)
    for agreement in agreements:
        made[f"agreement-{agreement.id}.md"] = _agreement(agreement, types, note)
    return {f"{FOLDER}/{name}": page for name, page in made.items()}


def _index(types: Mapping[str, TypeSpec], agreements: Sequence[Agreement], note: str) -> str:
    lines = [
        "# Message types and agreements",
        "",
        note,
        "",
        "## Message types",
        "",
        "| type | what it is | formats |",
        "|---|---|---|",
        *(f"| {_of_type(spec.name)} | {spec.title.en} | {_formats(spec.name)} |" for spec in types.values()),
        "",
        "Formats of other packages are what `bro adapter list` shows besides.",
        "",
        "## Agreements",
        "",
        "| agreement | from | to | what becomes of it |",
        "|---|---|---|---|",
    ]
    for agreement in agreements:
        sectors = ", ".join(sorted(agreement.source.sectors))
        way = f"{sectors}: {_of_type(agreement.source.type)}"
        end = f"{agreement.target.sector}: {_of_type(agreement.target.type)}"
        name = f"[`{agreement.id}`](agreement-{agreement.id}.md)"
        lines.append(f"| {name} | {way} | {end} | {agreement.title.en} |")
    return "\n".join([*lines, ""])


def _formats(type_name: str) -> str:
    """The names of our formats of a type, and plain JSON, which every type has."""
    names = [adapter.name for adapter in ADAPTERS if adapter.type == type_name]
    return ", ".join(f"`{name}`" for name in (*names, f"json:{type_name}"))


def _of_type(name: str) -> str:
    return f"[`{name}`](type-{name}.md)"


def _type(spec: TypeSpec, agreements: Sequence[Agreement], note: str) -> str:
    lines = [
        f"# {spec.name}",
        "",
        note,
        "",
        f"{spec.title.en}. {spec.description.en}",
        "",
        f"*{spec.title.nb}. {spec.description.nb}*",
        "",
        "| | |",
        "|---|---|",
        f"| Version | {spec.version} |",
        f"| Sent by | {', '.join(sorted(spec.senders)) or 'the hub'} |",
        f"| Goes out under | {_agreements(a for a in agreements if a.source.type == spec.name)} |",
        f"| Comes in under | {_agreements(a for a in agreements if a.target.type == spec.name)} |",
    ]
    if spec.supersedes:
        lines.append(
            f"| Supersedes | by `{spec.supersedes.series}`, the highest `{spec.supersedes.version}` |"
        )
    if spec.not_ours:
        says = spec.not_ours
        lines.append(
            f"| Not ours | `{says.field}` {says.code} sends the {_of_type(says.asked)} that it answers on to"
            f" the office of `{says.kommune}` |"
        )
    if spec.snapshot:
        lines.append("| Supersedes | whatever the same sender said earlier about the person |")
    lines += ["", "## Fields", "", "| field | value | labels | meaning |", "|---|---|---|---|"]
    lines += [_field(field) for field in spec.by_path.values()]
    if spec.checks:
        lines += ["", "## What must hold between them", "", "| rule | fields | says |", "|---|---|---|"]
        for check in spec.checks:
            named = ", ".join(f"`{path}`" for path in (*check.fields, *filter(None, [check.other])))
            lines.append(f"| {check.rule} | {named} | {_cell(check.says.en)}<br>*{_cell(check.says.nb)}* |")
    if left := list(_left(adapter for adapter in ADAPTERS if adapter.type == spec.name)):
        lines += [
            "",
            "## What a format leaves behind",
            "",
            "| format | fields | why |",
            "|---|---|---|",
            *left,
        ]
    return "\n".join([*lines, ""])


def _left(adapters: Iterable[Adapter]) -> Iterator[str]:
    """A line for each reason; formats that leave the same behind stand together."""
    alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for adapter in adapters:
        alike.setdefault((*adapter.loses.items(), *adapter.yields.items()), []).append(f"`{adapter.name}`")
    for said, names in alike.items():
        for why in dict.fromkeys(reason for _, reason in said):
            fields = ", ".join(f"`{path}`" for path, reason in said if reason == why)
            yield f"| {', '.join(names)} | {fields} | {_cell(why)} |"


def _field(spec: FieldSpec) -> str:
    said = f"{_cell(spec.says.en)}<br>*{_cell(spec.says.nb)}*"
    some = (
        "required" if spec.required else f"not beside `{spec.not_beside}`" if spec.not_beside else "optional"
    )
    if spec.many:
        some += f", {spec.exactly} of them" if spec.exactly else ", a list"
    kind = "group" if spec.kind is Kind.GROUP else _cell(spec.expected)
    kind = f"{kind}; {some}" + ("; free text" if spec.free_text else "")
    return f"| `{spec.path}` | {kind} | {', '.join(sorted(spec.labels)) or '-'} | {said} |"


def _agreement(agreement: Agreement, types: Mapping[str, TypeSpec], note: str) -> str:
    source, target = agreement.source, agreement.target
    labels = types[source.type].by_path
    lines = [
        f"# {agreement.id}",
        "",
        note,
        "",
        f"{agreement.title.en}. *{agreement.title.nb}.*",
        "",
        "| | |",
        "|---|---|",
        f"| Version | {agreement.version} |",
        f"| From | {', '.join(sorted(source.sectors))}: {_of_type(source.type)} |",
        f"| To | {target.sector}: {_of_type(target.type)} |",
        f"| Recipient found by | `{agreement.route}`: {agreement.found_by} |",
        f"| Purpose, basis, policy row | {agreement.purpose}, {agreement.basis}, {agreement.row} |",
        f"| That it exists tells | {', '.join(sorted(agreement.reveals)) or 'nothing'} |",
        f"| Waits for a consent | {agreement.wait_days} days |",
        f"| Sender sees what became of it | {'yes' if agreement.sender_sees else 'no'} |",
    ]
    if agreement.expects:
        expects = f"{_of_type(agreement.expects.type)} within {agreement.expects.within_days} days"
        lines.append(f"| Answer expected | {expects} |")
    lines += ["", "## Carried", "", "| to | from | labels |", "|---|---|---|"]
    for carry in agreement.fields.values():
        declared = labels[carry.source].labels if carry.source else frozenset()
        lines.append(f"| `{carry.target}` | {_way(carry)} | {', '.join(sorted(declared)) or '-'} |")
    lines += ["", "## Stays behind", "", "| field | why |", "|---|---|"]
    lines += [f"| `{path}` | {_cell(reason)} |" for path, reason in agreement.dropped.items()]
    return "\n".join([*lines, ""])


def _way(carry: Carry) -> str:
    """Where a value comes from and what is done to it."""
    if carry.source is None:
        return f"always `{carry.constant}`" if carry.header is None else f"the hub's own `{carry.header}`"
    way = f"`{carry.source}`"
    if carry.table is not None:
        way += ": " + ", ".join(f"{code} as {other}" for code, other in carry.table.items())
    if carry.using is not None:
        way += f", by `{carry.using}`"
    if carry.when:
        way += ", only " + " or ".join(sorted(str(value) for value in carry.when))
    return _cell(way)


def _agreements(found: Iterator[Agreement]) -> str:
    return ", ".join(f"[`{one.id}`](agreement-{one.id}.md)" for one in found) or "none"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
