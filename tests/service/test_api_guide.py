"""The commands of docs/guide/api.md, run as a reader runs them."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.service import callers, webserver
from tests.service.webserver import ROOT
from workers.print_jobs import print_volume
from workers.scans import bind_returns, read_scan

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.alone]
PATIENCE = 150
PAGE = ROOT / "docs" / "guide" / "api.md"


def test_the_commands_of_the_guide_work(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) >= 8
    token = callers.token("back_office")["Authorization"].removeprefix("Bearer ")
    with webserver.running() as (host, port):
        told = {"DOCGEN": f"http://{host}:{port}", "JETON": token}
        with (tmp_path / "said").open("wb") as said:
            process = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
                cwd=tmp_path,
                env=os.environ | told,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            end = time.monotonic() + PATIENCE
            while process.poll() is None and time.monotonic() < end:
                for work in (print_volume, read_scan, bind_returns):
                    work("1")  # the worker's part
                time.sleep(0.2)
            process.kill()
            code = process.wait()
    text = (tmp_path / "said").read_text()
    assert code == 0, text
    assert "event: end" in text
    assert "reopened" in text
    assert '"code": "invalid-input"' in text
    digest, file = re.search(r"^([0-9a-f]{64})  (lot\.pdf)$", text, re.M).groups()  # type: ignore[union-attr]
    assert text.count(digest) == 2
    assert (tmp_path / "debut.bin").read_bytes() == (tmp_path / file).read_bytes()[:1024]
    assert (tmp_path / "fini").read_text() == "true\n"
    assert '"bound"' in text
    assert "photocopie" in text
    assert '"is_approved": true' in text
    assert (tmp_path / "registre.csv").read_text().startswith("uai,name,ceded,")
    assert (tmp_path / "signe.pdf").read_bytes().startswith(b"%PDF-")
    assert (tmp_path / "face.jpg").read_bytes().startswith(b"\xff\xd8")
    for name in ("remis.zip", "lot.zip"):
        assert (tmp_path / name).read_bytes().startswith(b"PK")
