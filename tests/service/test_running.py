"""The service as it is run: one command starts it, others use it, and it stops without a loss."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from samples.generate import generate

DOCGEN = [sys.executable, "-c", "from docgen.cli import main; main()"]
UAI = "0130000X"
PATIENCE = 60  # seconds; a busy machine is no fault of the service
OWN = ("DATABASE_URL", "BROKER_URL", "DOCGEN_S3_BUCKET", "DOCGEN_SECRET_KEY", "DOCGEN_KEY")
pytestmark = [pytest.mark.slow, pytest.mark.embedded]


@dataclass
class Place:
    """A service that runs, and the files of a school."""

    folder: Path
    school: Path
    process: subprocess.Popen[str]
    address: str

    def docgen(self, *arguments: str, code: int = 0) -> str:
        done = run(self.folder / "data", *arguments)
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout if code == 0 else done.stderr

    def get(self, path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(self.address + path, timeout=10) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()

    def part(self, name: str) -> int:
        """Give the process of a part of the service."""
        for pid in children(self.process.pid):
            if name in Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0"):
                return pid
        raise AssertionError(f"no {name}")


def environment(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in OWN}
    return {
        **kept,
        "DOCGEN_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "docgen.backoffice.settings",
    }


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DOCGEN, *arguments],
        env=environment(data),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in listed]


def family(pid: int) -> set[int]:
    return {pid}.union(*(family(each) for each in children(pid)))


def eventually(tell: object, what: str) -> object:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := tell():  # type: ignore[operator]
            return found
        time.sleep(0.2)
    raise AssertionError(what)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("running")
    generate(folder / "school", pupils=60, classes=3, staff=12)
    log = (folder / "log").open("w+")
    process = subprocess.Popen(
        [*DOCGEN, "serve", "--port", "0", "--press", "1", "--word", "1"],
        env=environment(folder / "data"),
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    address = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert address, said
    made = Place(folder, folder / "school", process, address[0])
    imported(made)
    yield made
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    log.close()


def imported(place: Place) -> None:
    place.docgen(
        *("import", "--school", str(place.school / "school.toml"), "--audience", "pupil"),
        *("--roster", str(place.school / "eleves.csv")),
        *("--stock", str(place.school / "stock.csv")),
    )


def test_a_job_is_ordered_printed_and_downloaded_the_same_as_by_the_press(place: Place) -> None:
    options = ("--layout", "police-10", "--on", "2026-09-14")
    said = place.docgen(
        *("jobs", "press", "charte-cession-eleve", *options, "--school", uai(place)),
        *("--wait", str(PATIENCE), "--json"),
    )
    told = json.loads(said)
    assert (told["stage"], told["documents"], told["done"]) == ("ready", 60, 60)
    assert told["id"][:8] in place.docgen("jobs", "list")
    assert "prête" in place.docgen("jobs", "show", told["id"][:8])
    out = place.folder / "out"
    place.docgen("jobs", "download", told["id"], "--out", str(out))
    pressed = place.folder / "pressed"
    place.docgen(
        *("press", "charte-cession-eleve", *options, "--out", str(pressed)),
        *("--school", str(place.school / "school.toml")),
        *("--roster", str(place.school / "eleves.csv")),
        *("--stock", str(place.school / "stock.csv")),
    )
    files = {path.name: path.read_bytes() for path in out.iterdir()}
    assert files.keys() == {path.name for path in pressed.iterdir()}
    for name in files.keys() - {"job.json"}:
        assert files[name] == (pressed / name).read_bytes(), name


def uai(place: Place) -> str:
    found = re.search(r'uai = "(\w+)"', (place.school / "school.toml").read_text())
    assert found
    return found[1]


def test_the_service_says_that_it_is_ready_and_doctor_that_all_is_there(place: Place) -> None:
    def is_ready() -> bool:
        status, content = place.get("/health/ready")
        return status == 200 and json.loads(content)["status"] == "ok"

    eventually(is_ready, "the service is not ready")
    status, measures = place.get("/metrics")
    assert status == 200
    assert b'docgen_request_seconds_count{method="GET",route="health/ready"' in measures
    assert b"docgen_workers 2.0" in measures
    told = json.loads(place.docgen("doctor", "--json"))
    assert told["ok"], told


def test_a_worker_that_is_killed_is_begun_again_and_its_work_is_done(place: Place) -> None:
    worker = place.part("press")
    order = ("jobs", "press", "charte-cession-eleve", "--layout", "police-10", "--volume", "5")
    os.kill(worker, signal.SIGKILL)
    said = place.docgen(*order, "--school", uai(place), "--wait", str(PATIENCE), "--json")
    assert json.loads(said)["stage"] == "ready"
    assert place.part("press") != worker


def test_the_web_that_is_killed_is_begun_again(place: Place) -> None:
    web = place.part("gunicorn")
    os.kill(web, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{web}").exists(), "the web did not die")
    assert place.get("/health/live")[0] == 200  # the socket is ours: who asks, waits
    assert place.part("gunicorn") != web


def test_a_second_service_in_one_folder_is_refused(place: Place) -> None:
    assert "déjà lancé" in place.docgen("serve", "--port", "0", code=1)


def test_a_taken_port_is_told(place: Place, tmp_path: Path) -> None:
    port = place.address.rpartition(":")[2]
    done = run(tmp_path, "serve", "--port", port)
    assert done.returncode == 1
    assert f"port {port}" in done.stderr


def test_a_token_is_shown_once_and_refused_when_revoked(place: Place) -> None:
    token = place.docgen("accounts", "token", "essai", "--role", "school", "--school", uai(place))
    asked = urllib.request.Request(  # noqa: S310
        f"{place.address}/api/v1/schools", headers={"Authorization": f"Bearer {token.strip()}"}
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        assert answer.status == 200
    listed = place.docgen("accounts", "list")
    assert token.strip() not in listed
    number = re.search(r"(client:\d+) +essai", listed)
    assert number
    place.docgen("accounts", "revoke", number[1])
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(asked, timeout=10)  # noqa: S310


def test_all_that_is_wrong_with_a_token_is_told_at_once(place: Place) -> None:
    said = place.docgen(
        *("accounts", "token", "essai", "--role", "school"), "--scope", "tout", code=2
    )
    assert "--school" in said
    assert "--scope" in said


def test_an_account_is_opened_with_an_address_and_closed(place: Place) -> None:
    said = place.docgen("accounts", "add", "gestion", "--role", "back_office")
    assert said.startswith("http")
    place.docgen("accounts", "revoke", "gestion")
    assert "fermé" in place.docgen("accounts", "list")


def test_a_job_is_handed_to_a_shop_that_is_known(place: Place) -> None:
    said = place.docgen(
        *("jobs", "press", "charte-cession-eleve", "--layout", "police-8", "--json"),
        *("--school", uai(place), "--wait", str(PATIENCE)),
    )
    number = json.loads(said)["id"]
    assert "--shop" in place.docgen("jobs", "release", number, "--shop", "Presse", code=2)
    place.docgen("accounts", "shop", "Presse")
    place.docgen("jobs", "release", number, "--shop", "Presse")
    assert "imprimeur" in place.docgen("jobs", "cancel", number, code=2)
    assert "aucun lot" in place.docgen("jobs", "show", "ffffffff", code=2)


def test_without_its_tables_a_command_says_what_to_do_first(tmp_path: Path) -> None:
    done = run(tmp_path, "jobs", "list")
    assert done.returncode == 1
    assert "docgen migrate" in done.stderr
    assert run(tmp_path, "migrate").returncode == 0
    assert run(tmp_path, "jobs", "list").returncode == 0


def test_doctor_names_what_a_bare_machine_lacks(tmp_path: Path) -> None:
    bare = environment(tmp_path / "data") | {"PATH": str(tmp_path)}
    done = subprocess.run(
        [*DOCGEN, "doctor"], env=bare, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 1
    wrong = [line for line in done.stdout.splitlines() if line.startswith("à corriger")]
    assert [line.split(":")[0].removeprefix("à corriger").strip() for line in wrong] == [
        *("polices de Word", "LibreOffice", "base de données", "exécutants")
    ]
    assert "apt-get install" in done.stdout


def test_what_runs_ends_with_the_service_and_what_is_in_hand_is_finished(place: Place) -> None:
    order = ("jobs", "press", "charte-cession-eleve", "--layout", "police-10", "--volume", "1")
    number = json.loads(place.docgen(*order, "--school", uai(place), "--json"))["id"]
    eventually(
        lambda: json.loads(place.docgen("jobs", "show", number, "--json"))["done"],
        "nothing was printed",
    )
    everybody = family(place.process.pid)
    assert len(everybody) >= 6  # serve, gunicorn and its worker, two workers and their pools
    place.process.send_signal(signal.SIGTERM)
    assert place.process.wait(PATIENCE) == 0
    assert [pid for pid in everybody if Path(f"/proc/{pid}").exists()] == []
    log = (place.folder / "log").read_text()
    assert "Traceback" not in log
    states = {line["state"] for line in rows(place, number)}
    assert "claimed" not in states


def rows(place: Place, number: str) -> list[dict[str, str]]:
    import sqlite3

    base = sqlite3.connect(place.folder / "data" / "docgen.sqlite3")
    try:
        wanted = number.replace("-", "")
        found = base.execute("SELECT state FROM backoffice_volume WHERE job_id = ?", (wanted,))
        return [{"state": row[0]} for row in found]
    finally:
        base.close()
