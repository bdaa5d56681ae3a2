"""The ledger of a region: does it agree with a recount, and how long does it take?

`python -m bench.ledger` fills 200 schools with 60,000 cessions in every state, on SQLite and on
PostgreSQL, compares each line and the total with a recount from scratch, for all years and for each
one, and times the query. It ends with 1 when something differs or takes too long.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial

import django

from tests.service.servers import Postgres, running

SCHOOLS, CESSIONS, SEED = 200, 460, 6  # of a school: half of it to all of it, handed over anew
LEAST = 60_000
RUNS = 20
MOST_ONE, MOST_ALL = 0.2, 2.0  # seconds (issue 6)
PLACE = "postgresql", "sqlite"


def main() -> int:
    """Measure on both databases, each in a process of its own; give the exit code."""
    if len(sys.argv) > 1:
        return measure(sys.argv[1])
    codes = []
    for place in PLACE:
        with tempfile.TemporaryDirectory(prefix="docgen-ledger-") as folder:
            told = {"DOCGEN_DATA": folder, "DJANGO_SETTINGS_MODULE": "docgen.backoffice.settings"}
            ours = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
            codes.append(_on(place, {**ours, **told}))
    return max(codes)


def _on(place: str, environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "bench.ledger", place]
    if place == "sqlite":
        return subprocess.run(command, env=environment, check=False).returncode
    with running(Postgres) as (server,):
        environment = {**environment, **server.environment()}
        return subprocess.run(command, env=environment, check=False).returncode


def measure(place: str) -> int:
    """Fill the tables, compare and time; give 0 when all of it holds."""
    django.setup()
    from django.core.management import call_command

    from docgen.backoffice import models
    from tests.service import ledger_town

    call_command("migrate", verbosity=0)
    start = time.perf_counter()
    ledger_town.fill(SCHOOLS - 1, CESSIONS, SEED)
    count = models.Cession.objects.filter(cancelled_at=None).count()
    papers = models.Attestation.objects.count()
    schools = models.School.objects.count()
    took = time.perf_counter() - start
    print(f"{place}: {schools} schools, {count} cessions, {papers} attestations in {took:.0f} s")
    held = [count >= LEAST, schools == SCHOOLS, *(_agrees(year) for year in _years())]
    held += [_is_quick(year) for year in _years()]
    return 0 if all(held) else 1


def _years() -> tuple[str, ...]:
    from tests.service.ledger_town import YEARS

    return ("", *YEARS)


def _agrees(year: str) -> bool:
    from docgen.backoffice import gate, ledger
    from tests.service.ledger_recount import recount

    expected, found = recount(year), ledger.lines(gate.SYSTEM, year=year)
    wrong = [line.school for line in found if line != expected[line.school]]
    missing = expected.keys() - {line.school for line in found}
    is_same = ledger.total(found) == ledger.total(expected.values())
    told = ledger.total(found).facts()
    print(f"  {year or 'all years'}: {len(found)} lines, {len(wrong)} differ, {len(missing)} miss;")
    print(f"    total {'agrees' if is_same else 'DIFFERS'}: {told['tablets']}")
    print(f"    {told['attestations']}")
    every = [*told["tablets"].values(), *told["attestations"].values()]
    return is_same and not wrong and not missing and all(every)


def _is_quick(year: str) -> bool:
    from docgen.backoffice import gate, ledger
    from docgen.backoffice.models import School

    uais = list(School.objects.order_by("pk").values_list("pk", flat=True))
    some = uais[:: len(uais) // RUNS]
    one = [_timed(partial(ledger.lines, gate.SYSTEM, school=uai, year=year)) for uai in some]
    every = [_timed(partial(ledger.lines, gate.SYSTEM, year=year)) for _ in range(RUNS // 4)]
    for label, times, most in (("one school", one, MOST_ONE), ("region", every, MOST_ALL)):
        middle, worst = statistics.median(times), max(times)
        print(
            f"  {year or 'all years'}, {label}: {middle * 1000:.0f} ms (median), "
            f"{worst * 1000:.0f} ms (worst), {most * 1000:.0f} ms at most"
        )
    return max(one) < MOST_ONE and max(every) < MOST_ALL


def _timed(do: Callable[[], object]) -> float:
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
