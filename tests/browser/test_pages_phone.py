"""Every page of every role, on a telephone; a file a width, for each has a process."""

import pytest

from tests.browser.conftest import Open
from tests.browser.hands import PHONE
from tests.browser.pages import ROLES, look_at_all


@pytest.mark.parametrize("role", ROLES)
def test_every_page_can_be_used_by_everybody(opened: Open, role: str) -> None:
    look_at_all(opened, role, PHONE)
