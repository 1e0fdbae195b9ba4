"""What is taken of an element by itself, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.base import Findings
from adapters.fhir import Reader
from hub.errors import HubError

Faults = set[tuple[str, str]]


def taken(node: dict[str, Any], take: Callable[[Reader], object], at: str = "") -> tuple[object, Faults]:
    """What is taken of an element, and every fault with what nobody read."""
    findings = Findings()
    reader = Reader(node, at, findings)
    got = take(reader)
    reader.finish()
    return got, told(findings)


def told(findings: Findings) -> Faults:
    try:
        findings.finish()
    except HubError as refused:
        return {(finding.at, finding.rule) for finding in refused.findings}
    return set()
