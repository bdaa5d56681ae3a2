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
from datetime import date
from pathlib import Path
from typing import Any

from docgen import library, rosters
from docgen.cli import output
from docgen.press import Order
from samples import posting, returning
from samples.papers import DOCGEN

DATA = "service-data"
TEMPLATE, LAYOUT, ON = "charte-cession-eleve", "police-10", "2026-09-14"
PATIENCE = 120  # seconds; an answer takes one
LOOK = 0.2  # seconds between two looks at the job
# The demo runs the embedded service, whatever this machine's own is set to.
SETTINGS = ("DATABASE_URL", "BROKER_URL", "DOCGEN_S3_BUCKET", "DOCGEN_KEY", "DOCGEN_HTTPS")
MAIL = ("DOCGEN_SMTP_", "DOCGEN_MAIL_", "DOCGEN_IMAP_")
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

    def send(self, path: str, facts: dict[str, str], files: Files) -> Any:  # noqa: ANN401
        """Send files as a form does (RFC 7578), and give what the answer says."""
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
        return json.loads(self.call("POST", path, content, kind))


def show(school: Path, names: Iterable[str], out: Path) -> None:
    """Have the service print a job for the school whose files are in a folder, and read it back."""
    shutil.rmtree(out / DATA, ignore_errors=True)
    target = out / "service"
    shutil.rmtree(target, ignore_errors=True)
    steps: list[tuple[str, str, str]] = []
    began = time.monotonic()

    def step(name: str, told: str) -> None:
        nonlocal began
        steps.append((name, told, f"{time.monotonic() - began:.1f}".replace(".", ",")))
        began = time.monotonic()

    with started((out / DATA).resolve()) as (address, environment):
        step("service", f"lancé, {address}")
        api = Api(address, _token(environment))
        step("jeton", "programme « démonstration », gestionnaire")
        posting.dated(school, date.today())  # noqa: DTZ011 - the school's own day
        counts = _send(api, school, names)
        step("import", f"{counts['people']} élèves, {counts['cessions']} cessions")
        job = _ordered(api, counts["school"])
        step("impression", f"{job['documents']} documents, {job['sheets']} feuilles")
        files = _downloaded(api, job, target)
        step("téléchargement", f"{files} fichiers, vérifiés")
        pile = returning.pile(_order(school, names), (out / DATA).resolve())
        sent = returning.write(pile, target / "numerisations")
        step("signature, scanner", f"{sum(pile.expected.values())} faces, {len(sent)} fichiers")
        outcomes = returning.read(api, returning.send(api, counts["school"], sent))
        step("lecture", f"{outcomes['known']} faces reconnues")
        awaited = returning.DOCUMENTS - len(pile.missing)
        found = returning.bound(api, counts["school"], awaited)
        kept = returning.download(api, found, target / "signes")
        step("reliure", f"{kept} documents signés")
        mails = posting.show(api, counts["school"], (out / DATA).resolve(), target, step)
        ledger = posting.ledger(environment, counts["school"])
    step("service", "arrêté")
    output.say()
    output.table(("Par l’API", "Fait", "Secondes"), steps)
    returning.tell(outcomes, pile, found)
    posting.tell(mails)
    output.say(f"\nRegistre (docgen ledger)\n{ledger}")
    output.say(f"Lot du service\u00a0:   {target}")
    output.say(f"Documents signés\u00a0: {target / 'signes'}")
    output.say(f"Courrier (.eml)\u00a0:  {out / DATA / posting.FOLDER}")


@contextmanager
def started(data: Path, port: int = 0) -> Iterator[tuple[str, dict[str, str]]]:
    """Run the embedded service, on a free port if none is given; it ends with who started it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in SETTINGS and not name.startswith(MAIL)
    }
    environment = {**kept, "DOCGEN_DATA": str(data), "PYTHONUNBUFFERED": "1"}
    data.mkdir(parents=True, exist_ok=True)
    with (data / "service.log").open("ab") as log:
        command = [str(DOCGEN), "serve", "--port", str(port), "--word", "1"]
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


def _send(api: Api, school: Path, names: Iterable[str]) -> dict[str, Any]:
    facts = tomllib.loads((school / "school.toml").read_text(encoding="utf-8"))
    uai = facts.pop("uai")
    api.tell("PUT", f"schools/{uai}", facts)
    files = [("files", school / name) for name in names]
    files += [(name, school / f"{name}.csv") for name in ("stock", "cessions")]
    return {"school": uai, **api.send(f"schools/{uai}/rosters", {"audience": "pupil"}, files)}


def _order(school: Path, names: Iterable[str]) -> Order:
    """Give the same order as the service's, from the same files."""
    template = library.load(TEMPLATE)
    place = rosters.read_school(school / "school.toml")
    roster = rosters.read(
        [school / name for name in names],
        school=place,
        audience="pupil",
        stock=school / "stock.csv",
        cessions=school / "cessions.csv",
    )
    layout = template.manifest.layout(LAYOUT)
    return Order(template, layout, place, roster, date.fromisoformat(ON))


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
