"""Tokens of programs: shown once when issued, kept as a digest, ended by date or by hand."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from docgen.backoffice.events import tell
from docgen.backoffice.models import Client, PrintShop, School

PREFIX = "docgen_"  # so that a token that leaks is found by those who look for them
BYTES = 32
LIFETIME = timedelta(days=365)


def issue(
    name: str,
    role: str,
    scopes: Iterable[str],
    by: str,
    *,
    school: School | None = None,
    shop: PrintShop | None = None,
    lifetime: timedelta = LIFETIME,
) -> tuple[Client, str]:
    """Make a client and its token; nobody can show the token again.

    Raises:
        IntegrityError: for a school's client without a school, a shop's without a shop.
    """
    token = PREFIX + secrets.token_urlsafe(BYTES)
    with transaction.atomic():
        client = Client.objects.create(
            name=name,
            role=role,
            school=school,
            shop=shop,
            digest=digest(token),
            scopes=sorted(set(scopes)),
            expires_at=timezone.now() + lifetime,
        )
        uai = school.uai if school else ""
        tell("token-issued", str(client), school=uai, actor=by, role=role, scopes=client.scopes)
    return client, token


def find(token: str) -> Client | None:
    """Give the client that a token belongs to; None when it is unknown, expired or revoked.

    The index is searched by digest: how long that takes tells nothing of any token.
    """
    wanted = digest(token)
    client = Client.objects.filter(digest=wanted).first()
    if client is None or not hmac.compare_digest(client.digest, wanted):
        return None
    if client.revoked_at is not None or client.expires_at <= timezone.now():
        return None
    return client


def revoke(client: Client, by: str) -> None:
    """End a token, from the next request on."""
    with transaction.atomic():
        ended = Client.objects.filter(pk=client.pk, revoked_at=None)
        if ended.update(revoked_at=timezone.now()):
            tell("token-revoked", str(client), school=client.school_id or "", actor=by)


def digest(token: str) -> str:
    """Give what is kept of a token: 256 bits of chance need no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
