"""What documents say of personal data: the rights of article 6(1)(e), in one wording."""

import re

import pytest

from docgen import library

# Articles 15, 16, 18 and 21 of the RGPD apply to a task of public interest. Article 17 does not,
# but for its own cases (17(3)(b)), and article 20 (portability) never.
IN_FULL = (
    "peut consulter ses données, les faire corriger, en limiter l’usage, s’y opposer pour une "
    "raison tenant à sa situation et, dans les cas de l’article 17 du RGPD, les faire effacer."
)
IN_SHORT = (
    "Accès, rectification, limitation, opposition, et effacement dans les cas de l’article 17 du "
    "RGPD : délégué à la protection des données"
)
TEXTS = {
    template.manifest.slug: re.sub(
        r"\s+",
        " ",
        template.text("texte.md" if template.manifest.engine == "word" else template.manifest.body),
    )
    for template in library.load_all()
}
TOLD = [slug for slug, text in TEXTS.items() if "mission d’intérêt public" in text]


def test_the_documents_that_use_personal_data_say_so() -> None:
    assert {slug.split("-")[0] for slug in TOLD} >= {"charte", "convention", "notice", "fiche"}
    assert len(TOLD) == 9


@pytest.mark.parametrize("slug", TOLD)
def test_rights_are_those_of_the_legal_basis(slug: str) -> None:
    text = TEXTS[slug]
    assert (IN_FULL in text) + (IN_SHORT in text) == 1
    assert not re.search("portabilité|retirer son consentement", text)
