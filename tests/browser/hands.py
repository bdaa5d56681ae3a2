"""How a person uses a page: at a desk with the keyboard alone, or on a telephone by touch.

A path is written once and goes both ways. At the desk nothing but keys is ever sent: a control that
Tab does not reach, or that Enter and Space do not work, fails the path.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from playwright.sync_api import Error, Locator, Page, expect

DESK, PHONE = 1280, 390  # pixels
MOST_TABS = 250
SHOTS = Path(__file__).resolve().parents[2] / "out" / "ecrans"


class Hands:
    """Two hands on a page; `width` tells which kind."""

    def __init__(self, page: Page, width: int) -> None:
        self.page, self.width = page, width

    @property
    def is_desk(self) -> bool:
        """Tell whether there is a keyboard and nothing else."""
        return self.width == DESK

    def press(self, role: str, name: str, **options: bool) -> None:
        """Press a button, a link or another control, by the name that people read."""
        self.push(self.page.get_by_role(role, name=name, **options).first)  # type: ignore[arg-type]

    def push(self, control: Locator) -> None:
        """Press a control."""
        if not self.is_desk:
            control.tap()
            return
        kind = control.evaluate("e => e.type || ''")
        if kind == "radio":
            self._pick(control)
            return
        self.reach(control)
        self.page.keyboard.press("Space" if kind == "checkbox" else "Enter")

    def _pick(self, control: Locator) -> None:
        """Choose among radio buttons: Tab goes to one of them, arrows walk along them."""
        group = self.page.locator(f"input[name='{control.get_attribute('name')}']")
        here = "e => e.name === document.activeElement.name"
        self._tab_until(lambda: bool(control.evaluate(here)), control)
        for _ in range(group.count()):
            if control.evaluate("e => e === document.activeElement"):
                break
            self.page.keyboard.press("ArrowDown")
        if not control.is_checked():
            self.page.keyboard.press("Space")
        expect(control).to_be_checked()

    def open_menu(self, entry: str) -> None:
        """Go to a place of the menu."""
        menu = self.page.get_by_role("navigation", name="Menu principal")
        if not self.is_desk:
            self.page.locator("details.menu > summary").tap()
        self.push(menu.get_by_role("link", name=entry, exact=True))

    def type(self, label: str, text: str) -> None:
        """Type into a field, in place of what it holds."""
        field = self.page.get_by_label(label, exact=False).first
        if field.get_attribute("type") == "date":
            self.date(field, text)
            return
        if not self.is_desk:
            field.tap()
        else:
            self.reach(field)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def date(self, field: Locator, text: str) -> None:
        """Type a day, given as the web writes it (2026-09-14), in the order of its field."""
        if not self.is_desk:
            field.fill(text)  # a telephone's own calendar, which cannot be driven
            return
        self.reach(field)
        year, month, day = text.split("-")
        # Debian's Chromium speaks English without its languages: the month comes first there.
        self.page.keyboard.type(f"{month}{day}{year}")
        expect(field).to_have_value(text)

    def choose(self, label: str, option: str) -> None:
        """Choose in a list by its label."""
        field = self.page.get_by_label(label).first
        if not self.is_desk:
            field.select_option(label=option)
            return
        self.reach(field)
        self.page.keyboard.type(option)
        expect(field.locator("option:checked")).to_have_text(option)

    def give(self, label: str, files: Sequence[Path]) -> None:
        """Choose files; the system's own window is the browser's business."""
        field = self.page.get_by_label(label).first
        if not self.is_desk:
            field.set_input_files(files)
            return
        self.reach(field)
        with self.page.expect_file_chooser() as chooser:
            self.page.keyboard.press("Space")
        chooser.value.set_files(files)

    def reach(self, control: Locator) -> None:
        """Go to a control with Tab, from where the focus is; it must be seen when it is there."""
        here = "e => e === document.activeElement"
        self._tab_until(lambda: bool(control.evaluate(here)), control)

    def _tab_until(self, is_there: Callable[[], bool], control: Locator) -> None:
        expect(control).to_be_visible()
        for _ in range(MOST_TABS):
            if is_there():
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {control}")

    def see(self, text: str | re.Pattern[str]) -> None:
        """Wait until a text is on the page."""
        expect(self.page.locator("body")).to_contain_text(text)

    def shoot(self, name: str) -> None:
        """Keep a picture of the page, for people to look at (out/ecrans)."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / f"{name}-{self.width}.png"
        for patience in (1000, 3000, 0):  # milliseconds; a busy Chromium may lose a frame
            try:
                self.page.screenshot(path=path, full_page=True)
                return
            except Error:
                if not patience:
                    raise
                self.page.wait_for_timeout(patience)
