"""Understands a token for trying a hub on one's own machine, where no issuer is: a key that lies in a folder,
its public half as the file that BRO_ISSUER_JWKS_FILE names, and tokens signed with it.

python -m hub.demo.token FOLDER ORG     print a token of that organisation, good for an hour

Whoever holds the key can speak for every agency, so it is for made-up persons only.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from hub.api.client import PREVIEW, SCOPES
from hub.issuer import new_client_key

ISSUER, AUDIENCE = "https://issuer.example/", "bro"
KEY, JWKS = "issuer.key", "issuer.jwks"
_SECONDS = 3600


def key_in(folder: Path) -> ECKey:
    """The key of the folder; made if it is not there, and so is its public half beside it. Raises OSError for
    a folder that cannot be used, ValueError or JoseError for a file that is no such key."""
    file, public = folder / KEY, folder / JWKS
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(new_client_key().as_dict(private=True), out)
    key = ECKey.import_key(json.loads(file.read_text(encoding="ascii")))
    if not public.exists():  # also where a first call ended between the two files
        half = {**key.as_dict(private=False), "use": "sig", "alg": "ES256"}
        public.write_text(json.dumps({"keys": [half]}), encoding="ascii")
    return key


def token(key: ECKey, org: str, now: int) -> str:
    """A token in the Maskinporten shape with every scope of the hub; `now` in seconds since 1970."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "scope": " ".join((*SCOPES, PREVIEW)),
        "consumer": {"authority": "iso6523-actorid-upis", "ID": f"0192:{org}"},
        "iat": now,
        "exp": now + _SECONDS,
    }
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key, algorithms=["ES256"])


def main(arguments: Sequence[str]) -> int:
    """Print a token; 2 if it could not be made."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m hub.demo.token FOLDER ORG, as in: hub.demo.token var 310000019\n")
        return 2
    try:
        key = key_in(Path(arguments[0]))
    except (OSError, ValueError, JoseError):
        sys.stderr.write(f"FOLDER: expected a folder that can be written, or one with {KEY} from here\n")
        return 2
    sys.stdout.write(token(key, arguments[1], int(time.time())) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
