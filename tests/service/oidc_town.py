"""A provider, docgen beside it, the people who sign in and their browsers."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
UAI = "0930001A"
CANARY = "Zéphyrine-Quatrepoint"
MAIL = "zephyrine.quatrepoint@lycee.example"
HEAD = {"role": "chef", "uai": UAI, "email": MAIL, "name": CANARY}
SPOILT = (
    *("nonce", "no-nonce", "audience", "audiences", "party", "issuer", "expired", "for-ever"),
    *("subject", "none", "other-key", "public-key", "userinfo"),
)
PEOPLE: dict[str, dict[str, Any]] = {
    "head": {"claims": HEAD},
    "namesake": {"claims": HEAD},
    "moving": {"claims": HEAD},
    "leaving": {"claims": HEAD},
    "closing": {"claims": HEAD},
    "region": {"claims": {"role": ["agent", "lecteur"]}},
    "norole": {"claims": {"role": "professeur", "uai": UAI}},
    "tworoles": {"claims": {"role": ["chef", "agent"], "uai": UAI}},
    "claimless": {"claims": {}},
    "shop": {"claims": {"role": "print_shop"}},
    "elsewhere": {"claims": {"role": "chef", "uai": "0999999Z"}},
    "nowhere": {"claims": {"role": "chef", "uai": {"0930001A": 1}}},
    "everywhere": {"claims": {"role": "chef", "uai": [UAI, "0940002B"]}},
    **{name: {"claims": HEAD, "spoilt": name} for name in SPOILT},
    "plain": {"claims": HEAD, "spoilt": "bare"},
    "signed": {"claims": HEAD, "spoilt": "bare", "signed_for": "docgen"},
    "missigned": {"claims": HEAD, "spoilt": "bare", "signed_for": "another-client"},
}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None
        try:
            requests.get(address, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"{address} does not answer")


@dataclass
class Place:
    """Where both are, and what they keep."""

    folder: Path
    docgen: str
    provider: str

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.folder / "data" / "docgen.sqlite3") as base:
            return base.execute(query).fetchall()

    def people(self, **changed: dict[str, Any]) -> None:
        path = self.folder / "people.json"
        path.write_text(json.dumps(PEOPLE | changed), encoding="utf-8")


class Browser(requests.Session):
    """Somebody's browser; it follows no redirection by itself."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.trust_env = False
        self.place = place

    def see(self, address: str) -> requests.Response:
        return self.get(address, allow_redirects=False, timeout=20)

    def start(self, name: str, query: str = "") -> str:
        """Go to the provider, sign in there, and give the address that it sends back to."""
        asked = self.see(f"{self.place.docgen}/connexion/fournisseur{query}")
        self.see(f"{self.place.provider.removesuffix('/o')}/login?name={name}")
        return self.see(asked.headers["Location"]).headers["Location"]

    def sign_in(self, name: str, query: str = "") -> requests.Response:
        return self.see(self.start(name, query))

    def account(self) -> requests.Response:
        return self.see(f"{self.place.docgen}/compte")


@contextmanager
def started(folder: Path) -> Iterator[Place]:
    """Start a provider, and docgen with two schools, for as long as it takes."""
    ports = free_port(), free_port()
    docgen, provider = (f"http://127.0.0.1:{port}" for port in ports)
    made = Place(folder, docgen, f"{provider}/o")
    made.people()
    taken = {"DATABASE_URL", "BROKER_URL", "DOCGEN_S3_BUCKET", "DJANGO_SETTINGS_MODULE"}
    env = {name: value for name, value in os.environ.items() if name not in taken} | {
        "DOCGEN_DATA": str(folder / "data"),
        "DOCGEN_LOG_LEVEL": "INFO",  # a command tested in this process leaves a quieter one behind
        "DOCGEN_OIDC_ISSUER": made.provider,
        "DOCGEN_OIDC_CLIENT_ID": "docgen",
        "DOCGEN_OIDC_CLIENT_SECRET": "secret of docgen",
        "DOCGEN_OIDC_ROLES": "chef=school,agent=region",
        "NO_PROXY": "127.0.0.1",
    }
    schools = (
        "from docgen.backoffice.models import School\n"
        f"for uai in ('{UAI}', '0940002B'): School.objects.create(uai=uai, name='Lycée ' + uai)\n"
    )
    manage = [sys.executable, "manage.py"]
    for command in (["migrate", "-v0"], ["shell", "-v0", "-c", schools]):
        subprocess.run([*manage, *command], cwd=ROOT, env=env, check=True)
    back, goodbye = f"{docgen}/connexion/fournisseur/retour", f"{docgen}/deconnexion/faite"
    at = [str(folder), str(ports[1]), back, goodbye]
    server = ["gunicorn", "docgen.backoffice.wsgi", f"-b127.0.0.1:{ports[0]}", "--threads=4"]
    with (folder / "log").open("wb") as log:
        processes = [
            subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=env, stderr=log)
            for command in (["tests.service.provider", *at], server)
        ]
        try:
            wait_for(provider, processes[0])
            wait_for(f"{docgen}/connexion", processes[1])
            yield made
        finally:
            for process in processes:
                process.terminate()
                process.wait(20)
