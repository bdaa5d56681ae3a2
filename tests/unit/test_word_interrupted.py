"""Ctrl-C, and again: whoever is in a hurry finds nothing half made, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from samples.generate import school_toml
from samples.people import school

DOCGEN = [sys.executable, "-c", "from docgen.cli import main; main()"]
WORD = ["word", "convention-pret-eleve", "--school", "school.toml", "--format", "pdf"]
# Stands for LibreOffice in the midst of its work: many files in its profile and beside ours.
# What it starts outlives it for a moment, and writes on.
BUSY = """#!/bin/sh
while [ $# -gt 1 ]; do [ "$1" = --outdir ] && out=$2; shift; done
for folder in "$HOME" "$out"; do
    (cd "$folder" && seq -f "x%g" 4000 | xargs touch)
done
for _ in 1 2 3 4; do
    (cd "$HOME"; n=0; while [ $n -lt 500000 ]; do n=$((n+1)); : >"y$$-$n"; done) &
done
touch {ready}
wait
"""


@pytest.mark.parametrize("gap", [0.0, 0.06, 0.1, 0.15])
@pytest.mark.parametrize("mark", [signal.SIGINT, signal.SIGTERM])
def test_a_second_interruption_waits_for_the_first(
    tmp_path: Path, gap: float, mark: signal.Signals
) -> None:
    for name in ("bin", "tmp"):
        (tmp_path / name).mkdir()
    busy = tmp_path / "bin/soffice"
    busy.write_text(BUSY.format(ready=tmp_path / "ready"))
    busy.chmod(0o755)
    (tmp_path / "school.toml").write_text(school_toml(school()), encoding="utf-8")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    with subprocess.Popen(
        [*DOCGEN, *WORD, "--out", "out"],
        cwd=tmp_path,
        env=os.environ | {"PATH": path, "TMPDIR": str(tmp_path / "tmp")},
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        _wait_for(tmp_path / "ready")
        command.send_signal(mark)
        time.sleep(gap)
        command.send_signal(mark)
        try:
            _, told = command.communicate(timeout=30)
        finally:
            command.kill()
    assert command.returncode == 130, told
    assert told == "Interrompu : rien n’a été écrit.\n"
    assert not (tmp_path / "out").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def _wait_for(path: Path) -> None:
    for _ in range(400):
        if path.exists():
            return
        time.sleep(0.05)
    pytest.fail("LibreOffice was not started")
