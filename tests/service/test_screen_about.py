"""The statement and the help: open to everybody, and true of the region that is set."""

import pytest
from django.test import Client
from django.urls import reverse

from docgen.datafolder import data_folder
from tests.service import page_rules

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.mark.parametrize("name", ["accessibility", "help"])
def test_pages_for_everybody_need_no_account(client: Client, name: str) -> None:
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    assert page_rules.faults(answer.content) == []
    assert client.post(reverse(name)).status_code == 405


def test_the_statement_says_how_accessible_and_whom_to_tell(client: Client) -> None:
    (data_folder() / "region.toml").write_text(
        'name = "Région d’Essai"\nservice = ["Service <i>des</i> essais"]\n'
        'address = ["1 rue de l’Essai", "13000 Essaiville"]\nmailbox = "essai@region.example"\n'
        'postal = ["Région", "13000 ESSAIVILLE"]\n'
    )
    text = client.get(reverse("accessibility")).content.decode()
    for told in (
        "partiellement conforme",
        "aucun organisme extérieur n’a encore fait d’audit",
        "Défenseur des droits",
        "Région d’Essai",
        "mailto:essai@region.example",
        "Service &lt;i&gt;des&lt;/i&gt; essais",
    ):
        assert told in text
