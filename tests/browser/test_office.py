"""The back office: a print job in four steps, watched until it is ready, released to a shop."""

import pytest
from playwright.sync_api import expect

from samples.region import SHOP, THIRD
from tests.browser.conftest import Open
from tests.browser.hands import DESK, PHONE

WIDTHS = pytest.mark.parametrize("width", [DESK, PHONE])


@WIDTHS
def test_a_job_is_ordered_watched_and_released(opened: Open, width: int) -> None:
    hands = opened("back_office", width)
    hands.press("link", "Nouvelle impression")
    hands.press("link", THIRD.name)
    hands.press("radio", "Réduction : 3 faces")
    hands.press("button", "Continuer")
    hands.see("Tous les élèves")
    hands.press("button", "Continuer")
    hands.see("Ce que cela demande")
    hands.press("button", "Continuer")
    expect(hands.page.get_by_role("img", name="Face 1 sur 3").first).to_be_visible()
    hands.shoot("apercu-avant-impression")
    hands.press("button", "Lancer l’impression")
    expect(hands.page.get_by_role("link", name="Bon d’impression")).to_be_visible()
    hands.shoot("lot-pret")
    hands.press("button", "Remettre")
    hands.see(SHOP)
    hands.shoot("lot-remis")
