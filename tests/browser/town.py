"""The service and its filled region, for as long as a command runs.

    python -m tests.browser.town pytest tests/browser -n 2 --dist loadfile

The command's processes share one service; they find it by the environment. Paths of one file follow
one another: they use the same school.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from samples import service, site

TOLD = "DOCGEN_TEST_SITE"


@dataclass(frozen=True, slots=True)
class Site:
    """Where the service is, and who may sign in: login and password by role."""

    address: str
    accounts: dict[str, tuple[str, str]]


@contextmanager
def running() -> Iterator[Site]:
    """Give the site of the environment, or run one."""
    if told := os.environ.get(TOLD):
        facts = json.loads(told)
        yield Site(facts["address"], {r: (n, p) for r, (n, p) in facts["accounts"].items()})
        return
    with (
        TemporaryDirectory(prefix="docgen-browser-") as folder,
        service.started(Path(folder, "data")) as (address, environment),
    ):
        accounts = site.filled(environment)
        people = {each["role"]: (each["login"], each["password"]) for each in accounts}
        yield Site(address.rstrip("/"), people)


def main(arguments: list[str]) -> int:
    """Run the commands of modules, with a + between them, one after the other on one site."""
    commands = [list(part) for plus, part in groupby(arguments, "+".__eq__) if not plus]
    with running() as place:
        told = json.dumps({"address": place.address, "accounts": place.accounts})
        environment = {**os.environ, TOLD: told}
        ends = [
            subprocess.run([sys.executable, "-m", *each], env=environment, check=False).returncode
            for each in commands
        ]
    return max(ends, key=abs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
