"""A school's own path: its files, the hand-over table, an attestation, its signed scan."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from samples import posting, scanner
from samples.people import people, serial_number
from samples.region import SECOND
from samples.scanner import Recipe
from samples.scanning_files import write_pdf
from tests.browser.conftest import Open
from tests.browser.hands import DESK, PHONE, Hands

HOME = f"/etablissements/{SECOND.uai}/"
WIDTHS = pytest.mark.parametrize("width", [DESK, PHONE])
TABLETS = {DESK: serial_number(3051), PHONE: serial_number(3063)}
PUPILS = {DESK: people(48, 3, 3)[40], PHONE: people(48, 3, 3)[41]}
TITLES = "Identifiant;Nom;Prénom;Date de naissance;Classe\r\n"


@WIDTHS
def test_a_tablet_is_handed_over_and_taken_back(opened: Open, width: int) -> None:
    hands = opened("school", width, HOME)
    hands.open_menu("Remise")
    serial, pupil = TABLETS[width], PUPILS[width]
    assert "0" in serial
    hands.type("N° de série", serial.replace("0", "O"))
    hands.page.keyboard.press("Enter")
    hands.see("lettre O")
    hands.see(serial)
    hands.type("À qui", pupil.id)
    hands.see(pupil.family_name)
    hands.page.keyboard.press("Enter")
    hands.see(f"tablette {serial}")
    expect(hands.page.get_by_label("N° de série")).to_be_focused()
    hands.shoot("remise")
    hands.press("button", "Annuler cette action")
    hands.see("annulée")
    expect(hands.page.get_by_role("button", name=f"Annuler la remise de {serial}")).to_have_count(0)
