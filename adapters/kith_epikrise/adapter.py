"""Understands an epikrise as national XML: KITH Epikrise 1.1 and 1.2, with a `Message` root of its own.

Wire:   UTF-8 XML, root {http://www.kith.no/xmlstds/epikrise/...}Message; Type E in 1.1, EPIKRISE in 1.2.
Units:  times without a zone are Norwegian time; an event's days and clock times are fields of their own.
Quirks: no MsgHead; change and cancel are whole messages with the same document id (ServProvId).
Agreed: README.md beside this file.
"""

from __future__ import annotations

from adapters.kith.message import own_root
from adapters.kith_epikrise.table import V11, V12, message

TYPE = "epikrise"
NO_ANSWER = "an epikrise answers no message: it names the referral (ServReq)"
LOSES = {
    V11: {
        "melding.svar_pa": NO_ANSWER,
        "meldingsstatus": "1.1 has no Status of the message",
        "henvisninger.gjelder": "1.1 has words here, and no code",
    },
    V12: {"melding.svar_pa": NO_ANSWER, "helsepersonell.rolle": "1.2 has no Role in PatRelHCP"},
}
"""Fields of the type that a version has no element for."""

ADAPTERS = tuple(
    own_root(version.name, TYPE, message(version), (V11.code, V12.code), loses=LOSES[version])
    for version in (V11, V12)
)
