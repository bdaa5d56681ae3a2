"""The region: an attestation received, beside its data; its paper original, by its code."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.hands import DESK, PHONE

REFERENCE = re.compile(r"^\s*AT-\w{4}-\w{4}\s*$")
NUMBERS = {DESK: 2, PHONE: 3}
WIDTHS = pytest.mark.parametrize("width", [DESK, PHONE])


@WIDTHS
def test_an_attestation_is_read_and_its_original_received(opened: Open, width: int) -> None:
    hands = opened("region", width)
    hands.open_menu("Attestations reçues")
    hands.press("link", f"n° {NUMBERS[width]} de 2026-2027")
    picture = hands.page.get_by_role("img", name="Face 1 du document signé")
    expect(picture).to_be_visible()
    hands.page.wait_for_load_state("load")
    assert picture.evaluate("e => e.naturalWidth") > 400
    reference = str(hands.page.get_by_text(REFERENCE).first.text_content())
    hands.shoot("attestation-recue")
    hands.open_menu("Originaux")
    hands.type("Code ou référence", f" {reference.lower()} ")
    hands.page.keyboard.press("Enter")
    hands.see("reçu")
    expect(hands.page.get_by_label("Code ou référence")).to_be_focused()
    hands.shoot("original-recu")
    hands.press("button", "Annuler cette action")
    hands.see("est de nouveau attendu")
