"""Understands when the answer to a posted message is a receipt of Fiks: a package for a package.

It knows no routes, and tells no more than the problem document would.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from adapters.fiks.package import MEDIA_TYPE
from adapters.fiks.receipts import receipt
from hub.api.limits import accepted_types
from hub.api.problem import public
from hub.errors import HubError


def receipt_for(request: Request, stated: str, body: bytes, refused: HubError | None) -> Response | None:
    """The receipt, for whoever posted a package and accepts one. None for everybody else, and when the
    package does not say what it is called."""
    if stated != MEDIA_TYPE or MEDIA_TYPE not in accepted_types(request):
        return None
    told = None
    if refused is not None:
        problem = public(refused.problem)
        told = HubError(problem.code, refused.findings if problem.code == refused.code else ())
    package = receipt(body, told, number=f"kvittering-{secrets.token_hex(16)}", at=datetime.now(UTC))
    if package is None:
        return None
    status = told.problem.status if told is not None else 202
    return Response(package, status, {"Cache-Control": "no-store"}, MEDIA_TYPE)
