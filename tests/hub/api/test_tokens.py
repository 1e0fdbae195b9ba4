"""Understands which tokens are valid: everything else is refused with one and the same answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, RSAKey

from hub.api.tokens import IssuerKeys, Scope, Tokens, read_keys
from hub.errors import HubError
from tests.hub import fakes

NOW = int(fakes.NOW.timestamp())


def tokens(*keys: RSAKey | ECKey) -> Tokens:
    source = IssuerKeys(lambda: fakes.key_document(*keys), lambda: 0.0)
    return Tokens(fakes.ISSUER, fakes.AUDIENCE, source, fakes.directory(), lambda: fakes.NOW)


def code(judge: Tokens, authorization: str | None, scope: Scope = Scope.WRITE) -> str:
    with pytest.raises(HubError) as refused:
        judge.agency(authorization, scope)
    return refused.value.code


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
def test_a_token_signed_with_the_issuers_rsa_key_speaks_for_its_consumer(
    alg: str, issuer_key: RSAKey
) -> None:
    token = fakes.sign(issuer_key, fakes.claims(fakes.NAV), alg=alg)

    assert tokens(issuer_key).agency(f"Bearer {token}", Scope.READ) == fakes.NAV


def test_a_token_signed_with_the_issuers_ec_key_speaks_for_its_consumer(issuer_ec_key: ECKey) -> None:
    token = fakes.sign(issuer_ec_key, fakes.claims(fakes.PRISON))

    assert tokens(issuer_ec_key).agency(f"Bearer {token}", Scope.WRITE) == fakes.PRISON


REFUSED_CLAIMS: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "https://other.example/"},
    "no audience": {"aud": None},
    "a list without our audience": {"aud": ["https://other.example/"]},
    "another issuer": {"iss": "https://issuer.example"},
    "no issuer": {"iss": None},
    "expired beyond the leeway": {"exp": NOW - 10},
    "no expiry": {"exp": None},
    "an expiry in words": {"exp": "soon"},
    "a true expiry": {"exp": True},
    "an endless expiry": {"exp": float("nan")},
    "issued in the future": {"iat": NOW + 11},
    "issued in the future, though in force": {"iat": NOW + 11, "nbf": NOW},
    "no time of issue": {"iat": None},
    "not yet in force": {"nbf": NOW + 11},
    "in force from a word": {"nbf": "now"},
}


@pytest.mark.parametrize("changes", REFUSED_CLAIMS.values(), ids=REFUSED_CLAIMS.keys())
def test_a_token_with_wrong_claims_is_refused(changes: dict[str, Any], issuer_key: RSAKey) -> None:
    token = fakes.sign(issuer_key, fakes.claims(fakes.PRISON, **changes))

    assert code(tokens(issuer_key), f"Bearer {token}") == "receive.unauthenticated"


@pytest.mark.parametrize(
    "changes", [{"exp": NOW - 9}, {"iat": NOW + 9}, {"nbf": NOW + 9}, {"aud": ["x", fakes.AUDIENCE]}]
)
def test_clocks_may_differ_by_ten_seconds(changes: dict[str, Any], issuer_key: RSAKey) -> None:
    token = fakes.sign(issuer_key, fakes.claims(fakes.PRISON, **changes))

    assert tokens(issuer_key).agency(f"Bearer {token}", Scope.WRITE) == fakes.PRISON


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unsigned(key: RSAKey) -> str:
    return f"{_part({'alg': 'none', 'kid': key.kid})}.{_part(fakes.claims(fakes.PRISON))}."


def _signed_with_the_public_key_as_secret(key: RSAKey) -> str:
    content = f"{_part({'alg': 'HS256', 'kid': key.kid})}.{_part(fakes.claims(fakes.PRISON))}"
    signature = hmac.new(key.as_pem(private=False), content.encode(), hashlib.sha256).digest()
    return f"{content}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _signed_by_another(key: RSAKey) -> str:
    return fakes.sign(RSAKey.generate_key(2048), fakes.claims(fakes.PRISON), kid=key.kid)


def _bringing_its_own_key(key: RSAKey) -> str:
    own = RSAKey.generate_key(2048)
    return fakes.sign(own, fakes.claims(fakes.PRISON), kid=key.kid, jwk=own.as_dict(private=False))


FORGED: dict[str, Callable[[RSAKey], str]] = {
    "alg none": _unsigned,
    "alg none, in capitals": lambda key: _unsigned(key).replace(
        _part({"alg": "none", "kid": key.kid}), _part({"alg": "NONE", "kid": key.kid})
    ),
    "HS256 with the public key": _signed_with_the_public_key_as_secret,
    "signed by another": _signed_by_another,
    "bringing its own key": _bringing_its_own_key,
    "no key id": lambda key: fakes.sign(key, fakes.claims(fakes.PRISON), kid=None),
    "unknown key id": lambda key: fakes.sign(key, fakes.claims(fakes.PRISON), kid="other"),
    "another algorithm of the same key": lambda key: fakes.sign(key, fakes.claims(fakes.PRISON), alg="RS512"),
    "signature cut off": lambda key: fakes.sign(key, fakes.claims(fakes.PRISON)).rpartition(".")[0] + ".",
    "claims exchanged": lambda key: ".".join(
        part if index != 1 else _part(fakes.claims(fakes.NAV))
        for index, part in enumerate(fakes.sign(key, fakes.claims(fakes.PRISON)).split("."))
    ),
    "no JSON inside": lambda key: "a.b.c",
    "not three parts": lambda key: "abc",
    "five parts": lambda key: "a.b.c.d.e",
    "very long": lambda key: "a" * 9000,
    "beyond ASCII": lambda key: "æ.ø.å",
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_refused(forge: Callable[[RSAKey], str], issuer_key: RSAKey) -> None:
    assert code(tokens(issuer_key), f"Bearer {forge(issuer_key)}") == "receive.unauthenticated"


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "token"])
def test_without_a_bearer_token_nobody_is_known(authorization: str | None, issuer_key: RSAKey) -> None:
    assert code(tokens(issuer_key), authorization) == "receive.unauthenticated"


@pytest.mark.parametrize(
    "scope", [None, "", "bro:messages.writer", ["bro:messages.write"], "bro:messages.read"]
)
def test_a_token_without_the_scope_may_not(scope: object, issuer_key: RSAKey) -> None:
    token = fakes.sign(issuer_key, fakes.claims(fakes.PRISON, scope=scope))

    assert code(tokens(issuer_key), f"Bearer {token}", Scope.WRITE) == "receive.scope-missing"


@pytest.mark.parametrize(
    "consumer",
    [
        None,
        "0192:310000108",
        {"authority": "iso6523-actorid-upis", "ID": "310000108"},
        {"authority": "iso6523-actorid-upis", "ID": "9908:310000108"},
        {"authority": "other", "ID": "0192:310000108"},
        {"authority": "iso6523-actorid-upis", "ID": f"0192:{fakes.STRANGER.org}"},
        {"authority": "iso6523-actorid-upis", "ID": ["0192:310000108"]},
    ],
)
def test_an_organisation_outside_the_directory_is_unknown(consumer: object, issuer_key: RSAKey) -> None:
    token = fakes.sign(issuer_key, fakes.claims(fakes.PRISON, consumer=consumer))

    assert code(tokens(issuer_key), f"Bearer {token}") == "receive.agency-unknown"


def test_without_a_configured_issuer_no_token_is_valid(issuer_key: RSAKey) -> None:
    token = fakes.sign(issuer_key, fakes.claims(fakes.PRISON))

    judge = Tokens(fakes.ISSUER, fakes.AUDIENCE, None, fakes.directory(), lambda: fakes.NOW)

    assert code(judge, f"Bearer {token}") == "receive.unauthenticated"


def test_while_the_issuers_keys_cannot_be_read_no_token_is_valid(issuer_key: RSAKey) -> None:
    def down() -> bytes:
        raise OSError(fakes.CANARY)

    token = fakes.sign(issuer_key, fakes.claims(fakes.PRISON))
    judge = Tokens(
        fakes.ISSUER, fakes.AUDIENCE, IssuerKeys(down, lambda: 0.0), fakes.directory(), lambda: fakes.NOW
    )

    assert code(judge, f"Bearer {token}") == "receive.unauthenticated"


class Source:
    def __init__(self, *keys: RSAKey | ECKey) -> None:
        self.keys: tuple[RSAKey | ECKey, ...] | None = keys
        self.read = 0

    def __call__(self) -> bytes:
        self.read += 1
        if self.keys is None:
            raise OSError
        return fakes.key_document(*self.keys)


def test_unknown_key_ids_make_the_hub_ask_the_issuer_once_a_minute_at_most(
    issuer_key: RSAKey, issuer_ec_key: ECKey
) -> None:
    now = 0.0
    source = Source(issuer_key)
    keys = IssuerKeys(source, lambda: now)
    assert keys.get(str(issuer_key.kid)) is not None

    source.keys = (issuer_ec_key,)
    for _ in range(50):
        assert keys.get(str(issuer_ec_key.kid)) is None
    now = 60.0

    assert keys.get(str(issuer_ec_key.kid)) is not None
    assert keys.get(str(issuer_key.kid)) is None
    assert source.read == 2


def test_a_key_stops_working_within_an_hour_when_the_issuer_is_silent(issuer_key: RSAKey) -> None:
    now = 0.0
    source = Source(issuer_key)
    keys = IssuerKeys(source, lambda: now)
    assert keys.get(str(issuer_key.kid)) is not None

    source.keys = None
    now = 3599.0
    assert keys.get(str(issuer_key.kid)) is not None
    now = 3601.0

    assert keys.get(str(issuer_key.kid)) is None


def test_only_public_signature_keys_that_are_strong_enough_count(issuer_key: RSAKey) -> None:
    good = issuer_key.as_dict(private=False)
    modulus = rsa.generate_private_key(65537, 1024).public_key().public_numbers().n
    weak = good | {
        "kid": "weak",
        "n": base64.urlsafe_b64encode(modulus.to_bytes(128, "big")).rstrip(b"=").decode(),
    }
    document = {
        "keys": [
            good,
            good | {"kid": "enc", "use": "enc"},
            issuer_key.as_dict(private=True) | {"kid": "private"},
            {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
            weak,
            ECKey.generate_key("P-384").as_dict(private=False) | {"kid": "p384"},
            good | {"kid": "twice"},
            good | {"kid": "twice"},
            {"kty": "RSA", "kid": "broken", "n": "!", "e": 3},
            "no key",
        ]
    }

    assert set(read_keys(json.dumps(document).encode())) == {issuer_key.kid}
