"""What the provider says of people, and how it spoils a token when it is told to."""

import base64
import json
import time
from typing import Any

from django.conf import settings
from jwcrypto import jwk, jwt
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request

SPOILT = {
    "nonce": {"nonce": "another"},
    "no-nonce": {"nonce": None},
    "audience": {"aud": "another-client"},
    "audiences": {"aud": ["docgen", "another-client"]},
    "party": {"azp": "another-client"},
    "issuer": {"iss": "https://another.example/o"},
    "expired": {"exp": int(time.time()) - 3600},
    "for-ever": {"exp": None},
    "subject": {"sub": None},
    "bare": {"role": None, "uai": None},  # sound, but userinfo must be asked
}


def told(name: str) -> dict[str, Any]:
    people = json.loads((settings.FOLDER / "people.json").read_text("utf-8"))
    return people[name]


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class Validator(OAuth2Validator):
    oidc_claim_scope = None

    def get_additional_claims(self, request: Request) -> dict[str, Any]:
        return told(request.user.username)["claims"]

    def get_userinfo_claims(self, request: Request) -> dict[str, Any]:
        claims = super().get_userinfo_claims(request)
        if told(request.user.username).get("spoilt") == "userinfo":
            claims["sub"] = "another"
        return claims

    def finalize_id_token(
        self, id_token: dict[str, Any], token: object, handler: object, request: Request
    ) -> str:
        """Sign a token, and spoil it when that is asked for."""
        whole = super().finalize_id_token(id_token, token, handler, request)
        spoilt = told(request.user.username).get("spoilt")
        if spoilt is None:
            return whole
        header, claims = (
            json.loads(base64.urlsafe_b64decode(p + "==")) for p in whole.split(".")[:2]
        )
        claims |= SPOILT.get(spoilt, {})
        claims = {name: value for name, value in claims.items() if value is not None}
        key = request.client.jwk_key
        if spoilt == "none":
            return f"{part(header | {'alg': 'none'})}.{part(claims)}."
        if spoilt == "other-key":  # under the same name
            key = jwk.JWK.generate(kty="RSA", size=2048)
        if spoilt == "public-key":  # HS256, with what everybody knows as the secret
            header["alg"] = "HS256"
            public = request.client.jwk_key.export_to_pem()
            key = jwk.JWK(kty="oct", k=base64.urlsafe_b64encode(public).decode().rstrip("="))
        made = jwt.JWT(header=header, claims=claims)
        made.make_signed_token(key)
        return made.serialize()
