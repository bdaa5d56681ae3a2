"""The post on real servers, short: everything killed while mails leave, a fault on many of them.

`make bench-post` does it in full, and shows that it finds the duplicates of who looks nothing up.
It starts PostgreSQL, Redis, Dovecot and an SMTP server itself, and runs once: with the tests on
servers.
"""

import re

import pytest

from tests.service.test_farm_trials import tried

pytestmark = [pytest.mark.slow, pytest.mark.alone]
WRONG = ("lost", "duplicated", "altered", "stray", "unfinished", "unshown", "unjoined")


def counted(table: str, name: str) -> int:
    found = re.search(rf"(?m)^{name} +(\d+) ", table)
    assert found, table
    return int(found[1])


def test_no_mail_is_lost_or_comes_twice_when_everything_is_killed() -> None:
    table = tried("post")
    assert [counted(table, name) for name in WRONG] == [0] * len(WRONG), table
    assert re.search(r"(?m)^kill -9 +4: ", table)
    assert " refused, " in table
