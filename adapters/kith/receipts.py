"""Understands which code of an AppRec (list 8221) a refusal becomes.

`receipt_codes.csv` is the table, by rule and by code of the hub: what a schema would say is T02, what cannot
be read T01, an unknown format T10; E30 to E36 are about the patient, E10 about the id, E20 and E21 about the
parties. It must not know how a receipt is written.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hub.errors import Finding, HubError

OTHER_FORMAT, OTHER = "T99", "X99"


@cache
def _table() -> Mapping[str, str]:
    with Path(__file__).with_name("receipt_codes.csv").open(encoding="utf-8", newline="") as file:
        return {row["says"]: row["code"] for row in csv.DictReader(file)}


def receipt_code(code: str, finding: Finding | None = None) -> str:
    """The code of one finding, or of a refusal without any. A value that the message type refuses is another
    fault of the format, but for the number of the person."""
    table = _table()
    if finding is None or code != "parse.invalid":
        return table.get(code, OTHER)
    if finding.rule == "checksum" and finding.at == "person.id":
        return table["person-number"]
    return table.get(finding.rule, OTHER_FORMAT)


def receipt_codes(refused: HubError) -> tuple[str, ...]:
    """Every code once, in the order of the findings."""
    found = [receipt_code(refused.code, finding) for finding in refused.findings]
    return tuple(dict.fromkeys(found or [receipt_code(refused.code)]))
