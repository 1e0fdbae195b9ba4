"""The README of a new adapter says how it comes into use."""

from __future__ import annotations

import pytest

from hub.kit.new import files
from mappings.types import load_types


@pytest.mark.parametrize(
    ("package", "path", "step"),
    [
        (True, "nordpost/README.md", "`bro adapter conform nordpost --enable`"),
        (False, "adapters/nordpost/README.md", "`bro adapter conform nordpost`"),
    ],
)
def test_it_says_how_to_enable_it_and_who_gets_it(package: bool, path: str, step: str) -> None:
    spec = load_types()["opphold.loslatelsesdato"]

    text = files("nordpost", spec, "json", package=package)[path]

    assert step in text
    assert "`formats: {opphold.loslatelsesdato: nordpost}`" in text
