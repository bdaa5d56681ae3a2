"""The farm on real servers, short: everything killed while it prints, everything taken away.

`make chaos` does both in full. They need PostgreSQL and Redis, which they start themselves, and
run once: with the tests on servers.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.alone]


def tried(name: str, *options: str) -> str:
    """Run a trial, and give its table; it says itself whether every promise was kept."""
    command = [sys.executable, "-m", f"bench.{name}", "--quick", *options]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_nothing_is_lost_doubled_or_spoilt_when_everything_is_killed() -> None:
    table = tried("chaos")
    for line in ("lost             0 ", "duplicated       0 ", "corrupt          0 "):
        assert line in table


def test_work_waits_for_what_is_away_and_ends_well() -> None:
    table = tried("farm_outages")
    assert table.count(" kept") == len(table.splitlines())
