"""`docgen serve`: the whole service on one machine, and nothing to install beside it."""

import fcntl
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated

import typer

from docgen.cli import opening, output
from docgen.cli.worker import PRESS, WORD, command
from docgen.errors import Problem, Unavailable, reason

POLL = 0.25  # seconds between two looks at the children
GRACE = 45.0  # seconds to finish what is in hand; a volume takes 0.3, a conversion up to 60
SETTLED = 60.0  # seconds after which a death is a new story
MOST_DEATHS = 5  # of the web, one after the other: something is wrong with the machine
LONGEST_PAUSE = 30.0
STARTING = 90.0  # seconds for the first answer, on a machine that does other things too


def serve(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port (0\u00a0: un port libre).")
    ] = 8000,
    address: Annotated[str, typer.Option(help="Adresse d’écoute.")] = "127.0.0.1",
    web: Annotated[int, typer.Option(min=1, max=64, help="Processus qui répondent.")] = 1,
    press: Annotated[
        int, typer.Option(min=0, max=64, help="Impressions à la fois (0\u00a0: pas ici).")
    ] = min(4, os.cpu_count() or 1),
    word: Annotated[int, typer.Option(min=0, max=64, help="Conversions Word à la fois.")] = 1,
) -> None:
    """Lance le service : site, API et exécutants. Ctrl+C l’arrête sans rien perdre."""
    with opening.service(needs_tables=False):
        from django.conf import settings

        if settings.IS_SQLITE:
            opening.make_tables()
    with opening.service():
        has_account = _has_account()
    with _alone(settings.DATA), _listening(address, port) as listener:
        place = _place(listener)
        environment = _environment(settings.DATA, place)
        parts = [Part("web", _web(listener.fileno(), web))]
        parts += [Part(line, command([line], n)) for line, n in ((PRESS, press), (WORD, word)) if n]
        _run(parts, listener, environment, place, has_account=has_account)


@dataclass(slots=True)
class Part:
    """A process of the service, begun again when it dies."""

    name: str
    command: Sequence[str]
    process: "subprocess.Popen[bytes] | None" = None
    began: float = 0.0
    deaths: int = 0

    def begin(self, environment: dict[str, str], listener: int) -> None:
        """Start the process, in a session of its own: a Ctrl+C is ours to pass on."""
        self.began = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own modules
            self.command,
            stdin=subprocess.DEVNULL,
            env=environment,
            pass_fds=(listener,) if self.name == "web" else (),
            start_new_session=True,
            preexec_fn=_die_with_us,  # noqa: PLW1509 - no thread runs yet, or only sleeps
        )

    def is_due(self) -> bool:
        """Tell whether the process is to be begun: it never was, or it died and its pause ended."""
        if self.process is None:
            return True
        if self.process.poll() is None:
            return False
        return time.monotonic() >= self.began + (self.pause if self.deaths else 0)

    @property
    def pause(self) -> float:
        """Seconds from one beginning to the next: longer with each death."""
        return min(LONGEST_PAUSE, 2.0**self.deaths)

    def mourn(self) -> None:
        """Count a death, unless the process had lived long."""
        self.deaths = 1 if time.monotonic() - self.began > SETTLED else self.deaths + 1


def _die_with_us() -> None:
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG, linux/prctl.h


def _run(
    parts: list[Part],
    listener: socket.socket,
    environment: dict[str, str],
    place: str,
    *,
    has_account: bool,
) -> None:
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    seen: set[int] = set()
    is_told = False
    try:
        while not asked.wait(POLL):
            for part in parts:
                _look_after(part, seen, environment, listener.fileno())
            if not is_told and _answers(listener):
                is_told = True
                _tell(place, has_account=has_account)
            elif not is_told and time.monotonic() > parts[0].began + STARTING:
                raise Unavailable(_silent(place))
    finally:
        output.say("Arrêt\u00a0: ce qui est en cours se termine…")
        _stop(parts)
    output.say("Le service est arrêté.")


def _look_after(part: Part, seen: set[int], environment: dict[str, str], listener: int) -> None:
    process = part.process
    if process and process.poll() is not None and process.pid not in seen:
        seen.add(process.pid)
        part.mourn()
        code = process.returncode
        output.warn(f"{part.name}\u00a0: arrêt imprévu (code {code}), relance.")
        if part.name == "web" and part.deaths >= MOST_DEATHS:
            raise Unavailable(_silent("web"))
    if part.is_due():
        part.begin(environment, listener)


def _stop(parts: Sequence[Part]) -> None:
    """Ask every process to end, and end those that do not: leases give back what they held."""
    running = [part.process for part in parts if part.process and part.process.poll() is None]
    for process in running:
        process.terminate()
    end = time.monotonic() + GRACE
    for process in running:
        try:
            process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _web(listener: int, processes: int) -> list[str]:
    return [
        *(sys.executable, "-m", "gunicorn", "-c", "python:docgen.backoffice.serving"),
        *("--bind", f"fd://{listener}", "--workers", str(processes)),
    ]


def _environment(data: Path, place: str) -> dict[str, str]:
    measures = data / "metrics"
    shutil.rmtree(measures, ignore_errors=True)
    measures.mkdir(mode=0o700)
    own = {"DOCGEN_LOG_LEVEL": os.environ.get("DOCGEN_SERVE_LOG", "INFO")}
    return {
        "DOCGEN_PUBLIC_URL": place.rstrip("/"),
        **os.environ,
        **own,
        "PROMETHEUS_MULTIPROC_DIR": str(measures),
    }


def _alone(data: Path) -> IO[bytes]:
    """Take the data folder: two services in one would not know each other's measures."""
    lock = (data / "serve.lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        what = "le service est déjà lancé avec ce dossier de données."
        raise Unavailable(Problem(what, "DOCGEN_DATA", "Arrêtez l’autre d’abord.")) from error
    return lock


def _listening(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        what = f"le service ne peut pas écouter à {address}, port {port} ({reason(error)})."
        remedy = "Choisissez un autre --port, ou une autre --address."
        raise Unavailable(Problem(what, "", remedy)) from error


def _place(listener: socket.socket) -> str:
    address, port = listener.getsockname()[:2]
    return f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"


def _answers(listener: socket.socket) -> bool:
    address, port = listener.getsockname()[:2]
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104
    asked = http.client.HTTPConnection(address, port, timeout=2)
    try:
        asked.request("GET", "/health/live", headers={"Host": "localhost"})
        return asked.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except OSError:
        return False
    finally:
        asked.close()


def _tell(place: str, *, has_account: bool) -> None:
    output.say(f"docgen répond à l’adresse {place} (Ctrl+C pour l’arrêter).")
    if not has_account:
        output.say("Aucun compte encore\u00a0: docgen accounts add, ou docgen accounts token.")
    sys.stdout.flush()


def _has_account() -> bool:
    from docgen.backoffice.models import Client, User

    return User.objects.exists() or Client.objects.exists()


def _silent(what: str) -> Problem:
    return Problem("le service ne démarre pas.", what, "Lancez docgen doctor, et lisez ses lignes.")
