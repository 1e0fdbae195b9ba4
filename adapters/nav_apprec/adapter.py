"""Understands a receipt in NAV's wrapper, as NAV sends it and hands it on inside NAV.

Wire:   EI_fellesformat (../nav/fellesformat.py) around AppRec 1.0 or 1.1; NAV itself gives 1.0.
Units:  as in ../apprec.
Quirks: ebAction is Bekreftelse and ebRole Saksbehandler; ebService is that of the message, which a receipt
        does not name, so it is not written.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from adapters.apprec.adapter import ADAPTERS as BARE
from adapters.apprec.adapter import of_sendings
from adapters.base import Adapter
from adapters.kith.message import wrapped
from adapters.kith.profile import Profile
from adapters.nav.fellesformat import Sending, fellesformat

NAMES = Sending(action="Bekreftelse", role="Saksbehandler")


def _adapter(inner: Adapter) -> Adapter:
    assert isinstance(inner.profile, Profile)
    root = fellesformat(inner.profile.root, lambda _: NAMES)
    return wrapped(f"nav-{inner.name}", inner, root, of_sendings)


ADAPTERS = tuple(_adapter(inner) for inner in BARE)
