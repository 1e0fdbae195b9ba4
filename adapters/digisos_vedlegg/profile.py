"""Understands `vedlegg.json` of Fiks Digisos: the table that reading, checking and writing follow.

Source: the JSON Schema of the format (draft-06), of which this is our own account.
"""

from __future__ import annotations

from adapters.digisos import TEXT, code, ours
from adapters.json_profile import Group, Items, Part

VEDLEGG = Group(
    (
        Part(
            "vedlegg",
            Items(
                Group(
                    (
                        Part("type", TEXT),
                        Part("tilleggsinfo", TEXT),
                        Part("klageId", TEXT),
                        Part("status", TEXT),
                        Part("filer", Items(Group((Part("filnavn", TEXT), Part("sha512", TEXT))))),
                        Part(
                            "hendelseType",
                            code("dokumentasjonEtterspurt", "dokumentasjonkrav", "soknad", "bruker"),
                        ),
                        Part("hendelseReferanse", TEXT),
                    )
                )
            ),
            required=True,
        ),
        ours(person=(Part("id", TEXT, name="/person.id"), Part("navn", TEXT, name="/person.navn"))),
    )
)
