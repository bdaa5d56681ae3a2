"""Every page of every role, at both widths: axe-core finds nothing, nothing sticks out."""

import re
from collections import deque
from importlib.resources import files
from urllib.parse import urlsplit

from tests.browser.conftest import Open

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ROLES = ("", "back_office", "school", "region", "print_shop")
SKIPPED = re.compile(r"^/(api|deconnexion|fichiers)|\.(png|pdf|csv|xlsx|zip|docx|odt|eml)$")
NAMES = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>"),
    (r"\b\d{7}[A-Z]\b", "<uai>"),
    (r"/\d+", "/<n>"),
    (r"/(modeles|formulaires)/[^/]+", r"/\1/<slug>"),
)
FEWEST = {"": 3, "back_office": 20, "school": 20, "region": 6, "print_shop": 2}
# Looked at as one role: everybody's own account, help; and a school's pages, which are its own.
ONCE = re.compile(r"^/(compte|aide|accessibilite)")
OF_A_SCHOOL = re.compile(r"^/etablissements/<uai>/.+")


def shape(address: str) -> str:
    """Give what an address is of: pages of the same shape are the same page of something else."""
    path = urlsplit(address).path
    for found, name in NAMES:
        path = re.sub(found, name, path)
    return path


def is_own(role: str, link: str) -> bool:
    """Tell whether a page is to be looked at as this role."""
    if role == "back_office":
        return not OF_A_SCHOOL.search(shape(link))
    return not ONCE.search(shape(link))


def look_at_all(opened: Open, role: str, width: int) -> None:
    """Follow every link of a role, and try each kind of page that it leads to.

    Raises:
        AssertionError: with every fault of every page.
    """
    hands = opened(role, width, "/" if role else "/connexion")
    page = hands.page
    waiting, seen = deque([page.url, *([] if role else ["/aide/", "/accessibilite/"])]), set[str]()
    faults: list[str] = []
    while waiting:
        address = waiting.popleft()
        if shape(address) in seen:
            continue
        seen.add(shape(address))
        answer = page.goto(address)
        if answer is None or "text/html" not in answer.headers.get("content-type", ""):
            continue
        where = f"{urlsplit(address).path} ({width} px)"
        if answer.status != 200:
            faults.append(f"{where}: {answer.status}")
        page.evaluate(AXE)
        found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
        faults += [
            f"{where}: {each['id']}, {each['nodes'][0]['html'][:200]}"
            for each in found["violations"]
        ]
        if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
            faults.append(f"{where}: scrolls sideways")
        hands.shoot(f"{role or 'anonyme'}{shape(address).replace('/', '_')}")
        links = page.eval_on_selector_all("a[href]", "all => all.map(each => each.href)")
        here = urlsplit(page.url).netloc
        for link in links:
            parts = urlsplit(link)
            if parts.netloc == here and not SKIPPED.search(parts.path) and is_own(role, link):
                waiting.append(link)
    assert not faults, "\n".join(faults)
    assert len(seen) >= FEWEST[role], sorted(seen)
