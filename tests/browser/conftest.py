"""A browser on the site: signed in as somebody, at a desk or on a telephone."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.hands import DESK, PHONE, Hands
from tests.browser.town import Site, running

HEIGHTS = {DESK: 900, PHONE: 844}
PATIENCE = 40_000  # milliseconds for anything to appear, on a busy machine
expect.set_options(timeout=PATIENCE)
Open = Callable[..., Hands]


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Give the site that all tests share."""
    with running() as place:
        yield place


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    path = shutil.which("chromium")
    assert path, "chromium is not installed (scripts/system-packages)"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def states() -> dict[str, dict[str, object]]:
    """Keep the session of each role, so that its password is checked once a process."""
    return {}


@pytest.fixture
def opened(browser: Browser, site: Site, states: dict[str, dict[str, object]]) -> Iterator[Open]:
    """Give what opens a page as somebody; faults of the page's own script fail the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_as(role: str, width: int = DESK, address: str = "/", *, script: bool = True) -> Hands:
        context = browser.new_context(
            base_url=site.address,
            viewport={"width": width, "height": HEIGHTS[width]},
            has_touch=width == PHONE,
            is_mobile=width == PHONE,
            locale="fr-FR",
            timezone_id="Europe/Paris",
            java_script_enabled=script,
            reduced_motion="reduce",
            storage_state=states.get(role),  # type: ignore[arg-type]
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        if role and role not in states:
            _sign_in(page, *site.accounts[role])
            states[role] = dict(context.storage_state())
        page.goto(address)
        return Hands(page, width)

    yield open_as
    for context in contexts:
        context.close()
    assert not faults


def _sign_in(page: Page, login: str, password: str) -> None:
    page.goto("/connexion")
    page.get_by_label("Identifiant").fill(login)
    page.get_by_label("Mot de passe").fill(password)
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_role("banner").get_by_role("button", name="Se déconnecter").wait_for()
