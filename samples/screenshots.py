"""`make screenshots`: the pictures of the guides, taken on a region that is filled for it.

Needs Chromium and what tests need. Everybody on the pictures is made up.
"""

import argparse
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from docgen.cli import output
from samples import service, site
from samples.people import people, serial_number
from samples.region import SECOND, THIRD

TARGET = Path("docs/guide/images/ecrans")
WIDTH, HEIGHT, PHONE = 1120, 760, 390  # pixels
COLOURS = 64  # of a picture: screens are plain, and files stay small
TALLEST = 1400
PATIENCE = 60_000  # milliseconds
SCHOOL = f"/etablissements/{SECOND.uai}"
OTHER = f"/etablissements/{THIRD.uai}"


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture: whose screen, where, and what is done there before it is taken."""

    name: str
    role: str
    address: str
    steps: Callable[[Page], None] = lambda page: None
    width: int = WIDTH


def _link(name: str) -> Callable[[Page], None]:
    def steps(page: Page) -> None:
        page.get_by_role("main").get_by_role("link", name=name).first.click()
        page.wait_for_load_state("networkidle")

    return steps


def _first(css: str) -> Callable[[Page], None]:
    def steps(page: Page) -> None:
        page.locator(css).first.click()
        page.wait_for_load_state("networkidle")

    return steps


def _preview(page: Page) -> None:
    page.get_by_role("radio", name="Réduction : 3 faces").check()
    for _ in range(3):
        page.get_by_role("button", name="Continuer").click()
        page.wait_for_load_state("networkidle")


def _handed(page: Page) -> None:
    page.get_by_label("N° de série").fill(serial_number(3051).replace("0", "O"))
    page.keyboard.press("Enter")
    page.get_by_label("À qui").fill(people(48, 3, 3)[44].id)
    page.wait_for_load_state("networkidle")


SHOTS = (
    Shot("connexion", "", "/connexion"),
    Shot("tableau-de-bord", "back_office", "/tableau/"),
    Shot("impression-document", "back_office", f"{OTHER}/impressions/nouvelle/"),
    Shot("impression-apercu", "back_office", f"{OTHER}/impressions/nouvelle/", _preview),
    Shot("impressions", "back_office", "/impressions/"),
    Shot("lot", "back_office", "/impressions/", _first("main tbody th a")),
    Shot("relecture", "back_office", "/relecture/"),
    Shot("envois", "back_office", "/envois/"),
    Shot("etablissements", "back_office", "/etablissements/"),
    Shot("modeles", "back_office", "/modeles/"),
    Shot("modele", "back_office", "/modeles/charte-cession-eleve/"),
    Shot("comptes", "back_office", "/comptes/"),
    Shot("registre", "back_office", "/registre/"),
    Shot("a-faire", "school", f"{SCHOOL}/"),
    Shot("donnees", "school", f"{SCHOOL}/donnees/"),
    Shot("remise", "school", f"{SCHOOL}/remise/", _handed),
    Shot("remise-telephone", "school", f"{SCHOOL}/remise/", _handed, PHONE),
    Shot("prets", "back_office", f"{OTHER}/prets/"),
    Shot("conventions", "back_office", f"{OTHER}/conventions/"),
    Shot("formulaires", "school", f"{SCHOOL}/formulaires/"),
    Shot("attestations", "school", f"{SCHOOL}/attestations/"),
    Shot("attestation-nouvelle", "school", f"{SCHOOL}/attestations/nouvelle/"),
    Shot("attestation", "school", f"{SCHOOL}/attestations/", _link("N° 4")),
    Shot("numerisations", "school", f"{SCHOOL}/numerisations/"),
    Shot("numerisation", "school", f"{SCHOOL}/numerisations/", _link("Chartes 2DE")),
    Shot("registre-etablissement", "school", f"{SCHOOL}/registre/"),
    Shot("region", "region", "/region/"),
    Shot("attestations-recues", "region", "/region/attestations/"),
    Shot("attestation-recue", "region", "/region/attestations/", _link("n° 2")),
    Shot("originaux", "region", "/region/originaux/"),
    Shot("atelier", "print_shop", "/atelier/"),
    Shot("lot-remis", "print_shop", "/atelier/", _link(THIRD.name)),
)


def main() -> None:
    """Fill a region, take every picture, and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("names", nargs="*", help="some of the pictures only")
    given = parser.parse_args()
    wanted = [shot for shot in SHOTS if not given.names or shot.name in given.names]
    with (
        TemporaryDirectory(prefix="docgen-screens-") as folder,
        service.started(Path(folder, "data")) as (address, environment),
    ):
        accounts = {each["role"]: each for each in site.filled(environment)}
        given.out.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as playwright:
            path = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            with output.progress("Captures d’écran", len(wanted)) as done:
                for count, shot in enumerate(wanted, 1):
                    _take(browser, address.rstrip("/"), shot, accounts, given.out)
                    done(count)
            browser.close()
    output.say(f"{len(wanted)} captures d’écran\u00a0: {given.out}")


def _take(
    browser: Browser, address: str, shot: Shot, accounts: dict[str, dict[str, str]], target: Path
) -> None:
    size = {"width": shot.width, "height": HEIGHT}
    context = browser.new_context(
        base_url=address,
        viewport=size,  # type: ignore[arg-type]
        locale="fr-FR",
        timezone_id="Europe/Paris",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    if shot.role:
        page.goto("/connexion")
        page.get_by_label("Identifiant").fill(accounts[shot.role]["login"])
        page.get_by_label("Mot de passe").fill(accounts[shot.role]["password"])
        page.get_by_role("button", name="Se connecter").click()
        page.get_by_role("banner").get_by_role("button", name="Se déconnecter").wait_for()
    page.goto(shot.address)
    shot.steps(page)
    picture = Image.open(BytesIO(page.screenshot(full_page=True)))
    cut = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, TALLEST)))
    cut.quantize(COLOURS).save(target / f"{shot.name}.png", optimize=True)
    context.close()


if __name__ == "__main__":
    main()
