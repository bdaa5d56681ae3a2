"""A school's own path: its files, the hand-over table, an attestation, its signed scan."""

import re
from datetime import date, timedelta
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
UNSCRIPTED = -DESK  # at the desk, without script
TABLETS = {
    width: serial_number(number)
    for width, number in ((DESK, 3051), (PHONE, 3063), (UNSCRIPTED, 3064))
}
PUPILS = dict(zip((DESK, PHONE, UNSCRIPTED), people(48, 3, 3)[40:], strict=False))
FILE = """Identifiant;Nom;Prénom;Date de naissance;Classe
E1;GEAI;Ana;{day};2DE 1
"""


@WIDTHS
def test_files_are_looked_at_before_they_are_kept(opened: Open, width: int, tmp_path: Path) -> None:
    wrong, right = tmp_path / "faux.csv", tmp_path / "eleves.csv"
    wrong.write_text(FILE.format(day="31/02/2010"), encoding="utf-8")
    right.write_text(FILE.format(day="01/03/2010"), encoding="utf-8")
    hands = opened("school", width, HOME)
    hands.open_menu("Données")
    for path, told in ((wrong, "ligne 2"), (right, "Les fichiers sont bons")):
        hands.press("radio", "Des élèves")
        hands.give("Fichiers des personnes", [path])
        hands.press("button", "Contrôler les fichiers")
        hands.see(re.compile(told))
        hands.shoot(f"import-{path.stem}")
        if path == wrong:
            hands.open_menu("Données")
    hands.press("button", "Abandonner")
    hands.see("Contrôler les fichiers")


def test_a_tablet_is_handed_over_without_script(opened: Open) -> None:
    hands = opened("school", DESK, HOME, script=False)
    serial = _hand_over(hands, UNSCRIPTED)
    hands.press("button", f"Annuler la remise de {serial}")
    hands.see("annulée")


@WIDTHS
def test_a_tablet_is_handed_over_and_taken_back(opened: Open, width: int) -> None:
    hands = opened("school", width, HOME)
    serial = _hand_over(hands, width)
    expect(hands.page.get_by_label("N° de série")).to_be_focused()
    hands.shoot("remise")
    hands.press("button", "Annuler cette action")
    hands.see("annulée")
    expect(hands.page.get_by_role("button", name=f"Annuler la remise de {serial}")).to_have_count(0)


@WIDTHS
def test_an_attestation_is_issued_signed_and_sent_back(
    opened: Open, width: int, tmp_path: Path
) -> None:
    """Two dates, what it will hold, its paper; then the scan of it, and it is home."""
    hands = opened("school", width, HOME)
    if width == PHONE:  # the one before has attested everything
        _hand_over(hands, width)
    hands.open_menu("Attestations")
    hands.press("link", "Préparer une nouvelle attestation")
    if width == DESK:
        hands.type("Dernier jour", f"{date.today() - timedelta(days=1)}")  # noqa: DTZ011
    hands.press("button", "Voir ce qu’elle contiendra")
    hands.see("Ce sera l’attestation")
    hands.press("link", "Éditer cette attestation")
    hands.see("elle ne peut plus être modifiée")
    hands.press("button", "Éditer l’attestation")
    download = hands.page.get_by_role("link", name="Télécharger")
    expect(download.first).to_be_visible()
    hands.shoot("attestation-prete")
    address = download.first.get_attribute("href")
    content = hands.page.request.get(str(address)).body()
    hands.open_menu("Numérisations")
    hands.give("Fichiers ou photos", [_signed(content, tmp_path / "retour.pdf")])
    hands.press("button", "Envoyer")
    hands.see(re.compile("2.reconnues"))
    hands.shoot("attestation-revenue")
    hands.open_menu("Attestations")
    hands.see("Original à poster")


def _signed(content: bytes, path: Path) -> Path:
    """Print, sign and scan an attestation as a school does."""
    rng = np.random.default_rng(11)
    scans = [
        scanner.scan(side, Recipe("office", dpi=110), rng, signed=[z.name for z in side.zones])
        for side in posting.sides(content)
    ]
    with path.open("wb") as stream:
        write_pdf(stream, scans)
    return path


def _hand_over(hands: Hands, width: int) -> str:
    hands.open_menu("Remise")
    serial, pupil = TABLETS[width], PUPILS[width]
    assert "0" in serial
    hands.type("N° de série", serial.replace("0", "O"))
    hands.page.keyboard.press("Enter")
    hands.see("lettre O")
    hands.type("À qui", pupil.id)
    hands.page.keyboard.press("Enter")
    hands.see(f"tablette {serial}")
    return serial
