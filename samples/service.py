"""The service in `make demo`: started, called over its API, stopped; all in the demo's folder."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docgen.cli import output
from samples.papers import DOCGEN

DATA = "service-data"
TEMPLATE, LAYOUT, ON = "charte-cession-eleve", "police-10", "2026-09-14"
PATIENCE = 120  # seconds; an answer takes one
LOOK = 0.2  # seconds between two looks at the job
# The demo runs the embedded service, whatever this machine's own is set to.
SETTINGS = ("DATABASE_URL", "BROKER_URL", "DOCGEN_S3_BUCKET", "DOCGEN_KEY", "DOCGEN_HTTPS")
Files = Iterable[tuple[str, Path]]


@dataclass(frozen=True, slots=True)
class Api:
    """A client of the API."""

    address: str
    token: str

    def call(
        self, method: str, path: str, content: bytes | None = None, kind: str = "application/json"
    ) -> bytes:
        """Ask, and give the answer; what is refused is told and ends the demo."""
        asked = urllib.request.Request(  # noqa: S310 - the service that was just started
            f"{self.address}api/v1/{path}",
            data=content,
            method=method,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": kind},
        )
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310
                given: bytes = answer.read()
        except urllib.error.HTTPError as refused:
            told = refused.read().decode()
            raise SystemExit(f"{method} {path}\u00a0: {refused.code}\n{told}") from refused
        return given

    def tell(self, method: str, path: str, facts: dict[str, Any]) -> dict[str, Any]:
        """Send facts and give those of the answer."""
        return dict(json.loads(self.call(method, path, json.dumps(facts).encode())))

    def send(self, path: str, facts: dict[str, str], files: Files) -> dict[str, Any]:
        """Send files as a form does (RFC 7578), and give the facts of the answer."""
        end = os.urandom(16).hex()
        parts = [
            f'--{end}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in facts.items()
        ]
        for name, file in files:
            head = f'--{end}\r\nContent-Disposition: form-data; name="{name}"; '
            head += f'filename="{file.name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
            parts += [head.encode(), file.read_bytes(), b"\r\n"]
        content = b"".join((*parts, f"--{end}--\r\n".encode()))
        kind = f"multipart/form-data; boundary={end}"
        return dict(json.loads(self.call("POST", path, content, kind)))


def show(school: Path, rosters: Iterable[str], out: Path) -> None:
    """Have the service print a job for the school whose files are in a folder."""
    shutil.rmtree(out / DATA, ignore_errors=True)
    target = out / "service"
    shutil.rmtree(target, ignore_errors=True)
    steps: list[tuple[str, str, str]] = []
    began = time.monotonic()

    def step(name: str, told: str) -> None:
        nonlocal began
        steps.append((name, told, f"{time.monotonic() - began:.1f}"))
        began = time.monotonic()

    with started((out / DATA).resolve()) as (address, environment):
        step("service", f"lancé, {address}")
        api = Api(address, _token(environment))
        step("jeton", "programme « démonstration », gestionnaire")
        counts = _send(api, school, rosters)
        step("import", f"{counts['people']} élèves, {counts['cessions']} cessions")
        job = _ordered(api, counts["school"])
        step("impression", f"{job['documents']} documents, {job['sheets']} feuilles")
        files = _downloaded(api, job, target)
        step("téléchargement", f"{files} fichiers, vérifiés")
    step("service", "arrêté")
    output.say()
    output.table(("Par l’API", "Fait", "Secondes"), steps)
    output.say(f"\nLot du service\u00a0:   {target}")


@contextmanager
def started(data: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Run the embedded service on a free port; it ends with the demo, whatever happens."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    environment = {**kept, "DOCGEN_DATA": str(data), "PYTHONUNBUFFERED": "1"}
    data.mkdir(parents=True)
    with (data / "service.log").open("wb") as log:
        command = [str(DOCGEN), "serve", "--port", "0", "--word", "0"]
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            said = process.stdout.readline() if process.stdout else ""
            address = re.search(r"http://\S+/", said)
            if address is None:
                told = (data / "service.log").read_text(encoding="utf-8")
                raise SystemExit(f"Le service n’a pas démarré.\n{said}{told}")
            yield address[0], environment
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()


def _token(environment: dict[str, str]) -> str:
    command = [str(DOCGEN), "accounts", "token", "démonstration", "--role", "back_office"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _send(api: Api, school: Path, rosters: Iterable[str]) -> dict[str, Any]:
    facts = tomllib.loads((school / "school.toml").read_text(encoding="utf-8"))
    uai = facts.pop("uai")
    api.tell("PUT", f"schools/{uai}", facts)
    files = [("files", school / name) for name in rosters]
    files += [(name, school / f"{name}.csv") for name in ("stock", "cessions")]
    return {"school": uai, **api.send(f"schools/{uai}/rosters", {"audience": "pupil"}, files)}


def _ordered(api: Api, uai: str) -> dict[str, Any]:
    wanted = {"school": uai, "template": TEMPLATE, "layout": LAYOUT, "on": ON}
    job = api.tell("POST", "print-jobs", wanted)
    end = time.monotonic() + PATIENCE
    with output.progress("Impression par le service", job["documents"]) as done:
        while job["stage"] == "accepted" and time.monotonic() < end:
            time.sleep(LOOK)
            job = dict(json.loads(api.call("GET", f"print-jobs/{job['id']}")))
            done(job["progress"]["done"])
    if job["stage"] != "ready":
        raise SystemExit(f"Le lot est à l’étape « {job['stage']} »\u00a0: {job['progress']}")
    return job


def _downloaded(api: Api, job: dict[str, Any], target: Path) -> int:
    """Put a job's files into a folder; each volume is what its SHA-256 says."""
    target.mkdir(parents=True)
    place = f"print-jobs/{job['id']}"
    for volume in job["volumes"]:
        content = api.call("GET", f"{place}/volumes/{volume['number']}")
        if hashlib.sha256(content).hexdigest() != volume["sha256"]:
            raise SystemExit(f"{volume['file']} n’est pas le fichier annoncé.")
        (target / volume["file"]).write_bytes(content)
    for name, file in (("manifest.csv", "manifest.csv"), ("ticket.pdf", "bon-impression.pdf")):
        (target / file).write_bytes(api.call("GET", f"{place}/{name}"))
    return len(list(target.iterdir()))
