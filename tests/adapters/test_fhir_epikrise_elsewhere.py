"""Understands what a section of an epikrise says of what another one tells, and that however much refers to
something, it is looked through once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.fhir_epikrise import lines as lines_of
from adapters.fhir_epikrise import reading
from tests.adapters.test_fhir_epikrise_words import AS_JSON, DONE, SEEN, read, told


@pytest.mark.parametrize("display", [None, "Kalium"])
def test_a_section_of_what_is_told_elsewhere_says_what_that_is(display: str | None) -> None:
    """Otherwise its title, which may say how grave that is, would be gone with it."""
    made = told({"resourceType": "Observation", "status": "final", "code": {"text": "Kalium"}})
    again = {"reference": "urn:uuid:x0", **({"display": display} if display else {})}
    made["entry"][0]["resource"]["section"].append({"title": "Kritiske funn", "entry": [again]})

    assert read(made).fields["seksjoner"][1] == {"tittel": "Kritiske funn", "tekst": "Kalium"}


def _pointers(number: int) -> Any:
    return told(
        {**SEEN, "note": [{"text": f"w{each}"} for each in range(number)]},
        {**DONE, "reasonReference": [{"reference": "urn:uuid:x0"}] * number},
    )


def _displays(number: int) -> Any:
    made = told({**SEEN, "note": [{"text": f"w{each}"} for each in range(number)]})
    entries = made["entry"][0]["resource"]["section"][0]["entry"]
    entries += [{"reference": "urn:uuid:x0", "display": f"d{each}"} for each in range(number)]
    return made


@pytest.mark.parametrize("refers", [_pointers, _displays])
def test_what_much_refers_to_is_looked_through_once(
    refers: Callable[[int], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand words that a thousand references lead to are not a million."""
    seen: list[str] = []

    def counted(line: str) -> str:
        seen.append(line)
        return lines_of_plain(line)

    lines_of_plain = lines_of.plain
    monkeypatch.setattr(lines_of, "plain", counted)
    monkeypatch.setattr(reading, "plain", counted)

    AS_JSON.parse(json.dumps(refers(200)).encode())

    assert len(seen) < 40 * 200
