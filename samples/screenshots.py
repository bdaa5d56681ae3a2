"""`make screenshots`: the pictures of the guides, taken on a region that is filled for it.

Needs Chromium and what tests need. Everybody on the pictures is made up.
"""

import argparse
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, Response, sync_playwright

from docgen.cli import output
from samples import service, siecle, site
from samples.people import divisions, people, serial_number
from samples.region import SECOND, THIRD

TARGET = Path("docs/guide/images/ecrans")
WIDTH, HEIGHT, PHONE = 1120, 760, 390  # pixels
COLOURS = 48  # of a picture: screens are plain, and files stay small
TALLEST = 1150
PATIENCE = 60_000  # milliseconds
SCHOOL = f"/etablissements/{SECOND.uai}"
OTHER = f"/etablissements/{THIRD.uai}"
FORM = "attestation-honneur-besoin-tablette"
PUPILS, SEED, CLASSES = 48, 3, 3  # of the second school, as `samples.region` makes them
# Debian's Chromium knows no French: what it draws itself in forms is drawn as it would in French.
FRENCH = """for (const each of document.querySelectorAll('input[type=date]')) {
    const day = each.value.split('-').reverse().join('/');
    each.type = 'text';
    each.value = day;
}
for (const each of document.querySelectorAll('input[type=file]')) {
    const many = each.multiple ? 'des fichiers' : 'un fichier';
    each.outerHTML = `<div class="input-group"><span class="input-group-text">Choisir ${many}</span>
        <span class="form-control">Aucun fichier choisi</span></div>`;
}"""
DRAWN = """all => Promise.all(
    all.filter(each => each.checkVisibility()).map(each => each.decode()))"""
PAPER, GREY = 215, 6  # scanned paper: at least so light, and this far from grey at most


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


def _row(text: str) -> Callable[[Page], None]:
    def steps(page: Page) -> None:
        page.get_by_role("row").filter(has_text=text).get_by_role("link").first.click()
        page.wait_for_load_state("networkidle")

    return steps


def _people(page: Page) -> None:
    page.get_by_role("radio", name="Réduction : 3 faces").check()
    page.get_by_role("button", name="Continuer").click()
    page.wait_for_load_state("networkidle")


def _options(page: Page) -> None:
    _people(page)
    page.get_by_role("button", name="Continuer").click()
    page.wait_for_load_state("networkidle")


def _preview(page: Page) -> None:
    _options(page)
    page.get_by_role("button", name="Continuer").click()
    page.wait_for_load_state("networkidle")


def _launched(page: Page) -> None:
    _preview(page)
    page.get_by_role("button", name="Lancer l’impression").click()
    page.get_by_role("button", name="Remettre à l’imprimeur").wait_for()


def _handed(page: Page) -> None:
    page.get_by_label("N° de série").fill(serial_number(3051).replace("0", "O"))
    page.keyboard.press("Enter")
    page.get_by_label("À qui").fill(people(PUPILS, SEED, CLASSES)[44].family_name[:4])
    page.wait_for_load_state("networkidle")


def _checked(page: Page) -> None:
    """Send a new export: somebody came, somebody left, and one changed class."""
    known, groups = people(PUPILS, SEED, CLASSES), divisions(CLASSES)
    newcomer = replace(known[0], id="1499001", first_name="Nina", ine="")
    moved = replace(known[1], division=known[-1].division, level=known[-1].level)
    there = [newcomer, moved, *known[2:-2]]
    exports = {
        "ElevesAvecAdresses.xml": siecle.pupils_export(SECOND, there, groups),
        "ResponsablesAvecAdresses.xml": siecle.guardians_export(SECOND, there),
        "Nomenclature.xml": siecle.nomenclature_export(SECOND, groups),
    }
    _sent(page, exports)


def _refused(page: Page) -> None:
    lines = (
        "Identifiant;Nom;Prénom;Date de naissance;Classe;N° de série",
        "E1;ESSAI;Zoé;31/02/2010;;",
        "E2;EXEMPLE;;02/04/2009;2DE 1;HA10",
        "E2;MODÈLE;Léo;03/05/2009;2DE 1;",
    )
    _sent(page, {"eleves.csv": "\n".join(lines).encode()})


def _sent(page: Page, files: dict[str, bytes]) -> None:
    payloads = [FilePayload(name=n, mimeType="text/plain", buffer=b) for n, b in files.items()]
    page.get_by_label("Fichiers des personnes").set_input_files(payloads)
    page.get_by_role("button", name="Contrôler les fichiers").click()
    page.wait_for_load_state("networkidle")


SHOTS = (
    Shot("connexion", "", "/connexion"),
    Shot("impression-document", "back_office", f"{OTHER}/impressions/nouvelle/"),
    Shot("impression-personnes", "back_office", f"{OTHER}/impressions/nouvelle/", _people),
    Shot("impression-options", "back_office", f"{OTHER}/impressions/nouvelle/", _options),
    Shot("impression-apercu", "back_office", f"{OTHER}/impressions/nouvelle/", _preview),
    Shot("lot", "back_office", f"{OTHER}/impressions/nouvelle/", _launched),
    Shot("impressions", "back_office", "/impressions/"),
    Shot("tableau-de-bord", "back_office", "/tableau/"),
    Shot("relecture", "back_office", "/relecture/"),
    Shot("relecture-face", "back_office", "/relecture/", _link("Relire ces faces")),
    Shot("envois", "back_office", "/envois/"),
    Shot("etablissements", "back_office", "/etablissements/"),
    Shot("modeles", "back_office", "/modeles/"),
    Shot("modele", "back_office", "/modeles/charte-cession-eleve/"),
    Shot("comptes", "back_office", "/comptes/"),
    Shot("registre", "back_office", "/registre/"),
    Shot("a-faire", "school", f"{SCHOOL}/"),
    Shot("donnees", "school", f"{SCHOOL}/donnees/"),
    Shot("donnees-controle", "school", f"{SCHOOL}/donnees/", _checked),
    Shot("donnees-refusees", "school", f"{SCHOOL}/donnees/", _refused),
    Shot("remise", "school", f"{SCHOOL}/remise/", _handed),
    Shot("remise-telephone", "school", f"{SCHOOL}/remise/", _handed, PHONE),
    Shot("prets", "back_office", f"{OTHER}/prets/"),
    Shot("conventions", "back_office", f"{OTHER}/conventions/"),
    Shot("formulaires", "school", f"{SCHOOL}/formulaires/"),
    Shot("formulaire", "school", f"{SCHOOL}/formulaires/{FORM}/", _first("main tbody a")),
    Shot("lot-etablissement", "school", f"{SCHOOL}/impressions/", _first("main tbody th a")),
    Shot("attestations", "school", f"{SCHOOL}/attestations/"),
    Shot("attestation-nouvelle", "school", f"{SCHOOL}/attestations/nouvelle/"),
    Shot("attestation", "school", f"{SCHOOL}/attestations/", _link("N° 4")),
    Shot("numerisations", "school", f"{SCHOOL}/numerisations/"),
    Shot("numerisation", "school", f"{SCHOOL}/numerisations/", _row("Chartes 2DE")),
    Shot("manque", "school", f"{SCHOOL}/manquants/"),
    Shot("registre-etablissement", "school", f"{SCHOOL}/registre/"),
    Shot("region", "region", "/region/"),
    Shot("attestations-recues", "region", "/region/attestations/"),
    Shot("attestation-recue", "region", "/region/attestations/", _link("n° 2")),
    Shot("originaux", "region", "/region/originaux/"),
    Shot("ecarts", "region", "/registre/"),
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
    broken: list[Response] = []
    page.on("response", lambda answer: broken.append(answer) if answer.status >= 500 else None)
    if shot.role:
        _sign_in(page, accounts[shot.role])
    page.goto(shot.address)
    shot.steps(page)
    picture = _drawn(page, shot.width)
    if broken:
        raise SystemExit(f"{shot.name}\u00a0: {broken[0].url} répond {broken[0].status}.")
    picture.quantize(COLOURS).save(target / f"{shot.name}.png", optimize=True)
    context.close()


def _sign_in(page: Page, account: dict[str, str]) -> None:
    page.goto("/connexion")
    page.get_by_label("Identifiant").fill(account["login"])
    page.get_by_label("Mot de passe").fill(account["password"])
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_role("banner").get_by_role("button", name="Se déconnecter").wait_for()


def _drawn(page: Page, width: int) -> Image.Image:
    """Draw the page in a window as tall as itself: a bar that stays at the foot is at its foot."""
    whole = int(page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": width, "height": min(whole, TALLEST)})
    page.evaluate(FRENCH)
    page.wait_for_load_state("networkidle")
    page.locator("img").evaluate_all(DRAWN)
    return _clean(Image.open(BytesIO(page.screenshot())).convert("RGB"))


def _clean(picture: Image.Image) -> Image.Image:
    """Make the paper of scans white: its grain is most of what a file of few colours weighs."""
    pixels = np.array(picture)
    darkest, lightest = pixels.min(axis=2), pixels.max(axis=2)
    pixels[(darkest >= PAPER) & (lightest - darkest <= GREY)] = 255
    return Image.fromarray(pixels)


if __name__ == "__main__":
    main()
