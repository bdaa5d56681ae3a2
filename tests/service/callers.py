"""Those who call the API in tests: tokens of every role."""

from datetime import timedelta

from docgen.backoffice import models, tokens
from docgen.backoffice.api.access import SCOPES

SCHOOL = {
    "name": "Lycée d’Essai",
    "address": ["12 avenue des Exemples"],
    "postal_code": "13001",
    "city": "Marseille",
    "head": {"civility": "Mme", "name": "Essai", "title": "Proviseure"},
}


def token(
    role: str,
    school: models.School | None = None,
    shop: models.PrintShop | None = None,
    *,
    scopes: tuple[str, ...] = SCOPES,
    lifetime: timedelta = tokens.LIFETIME,
) -> dict[str, str]:
    """Issue a token, and give the header that carries it."""
    _, secret = tokens.issue(
        role, role, scopes, "test", school=school, shop=shop, lifetime=lifetime
    )
    return {"Authorization": f"Bearer {secret}"}
