"""The site of `make demo`: the demo's service once more, its region filled, until Ctrl+C."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from docgen.cli import output
from samples import service

PORT = 8000  # another one when somebody has it
ROLES = {
    "back_office": "gestionnaire",
    "school": "établissement",
    "region": "Région",
    "print_shop": "imprimeur",
}


def serve(out: Path) -> None:
    """Fill the region, print who can sign in, and serve until somebody stops it."""
    with service.started((out / service.DATA).resolve(), _port()) as (address, environment):
        output.say("\nLa région d’exemple se remplit (trois établissements)…")
        accounts = filled(environment)
        rows = [
            (ROLES[each["role"]], each["login"], each["password"], each["place"])
            for each in accounts
        ]
        output.say()
        output.table(("Rôle", "Identifiant", "Mot de passe", "De"), rows)
        output.say(f"\nLe site\u00a0: {address} (Ctrl+C pour l’arrêter)")
        sys.stdout.flush()
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            output.say()


def filled(environment: dict[str, str]) -> list[dict[str, Any]]:
    """Fill the region of a service that runs; give its accounts."""
    command = [sys.executable, "-m", "samples.region"]
    told = {**environment, "DJANGO_SETTINGS_MODULE": "docgen.backoffice.settings"}
    done = subprocess.run(  # noqa: S603 - our own module
        command, env=told, stdout=subprocess.PIPE, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _port() -> int:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
    return PORT
