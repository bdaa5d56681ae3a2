"""Real mail servers for tests and measures: Dovecot, and an SMTP server of faults beside it.

Each has a folder of its own and a free port of the loopback; nothing of the system's is touched.
`with mail_house() as house` starts both in processes of their own, the one delivering to the other;
`smtpd.SmtpServer` is the same server in a thread of the test.
"""

import asyncio
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from urllib.parse import quote
from uuid import uuid4

from tests.service.servers import PATIENCE, Server, free_port
from tests.service.smtpd import (
    PASSWORD,
    USER,
    Accepted,
    Fault,
    SmtpServer,
    Weather,
    read_accepted,
    write_weather,
)

__all__ = ["PASSWORD", "USER", "Accepted", "Dovecot", "Fault", "MailHouse", "SmtpProcess"]
__all__ += ["SmtpServer", "certificate", "chatter", "mail_house"]

ROOT = Path(__file__).resolve().parents[2]
REGION, OURS = "attestations@region.example", "docgen@region.example"
MASTER = "/usr/sbin/dovecot"  # not in the PATH of everybody

CONFIGURATION = """
protocols = imap
instance_name = docgen-tests
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
listen = 127.0.0.1
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
disable_plaintext_auth = no
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%u
mail_fsync = never
mail_max_userip_connections = 100
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={mail} gid={group} home={folder}/mail/%u
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
ssl = {ssl}
{certificates}
"""


class Dovecot(Server):
    """Dovecot, on folders of files: any user has a box, and all have the same password.

    `port` speaks in clear and STARTTLS, `tls_port` TLS, when there is a certificate.
    """

    def __init__(
        self, folder: Path, *, certificate: Path | None = None, password: str = PASSWORD
    ) -> None:
        super().__init__(folder)
        self.password = password
        self.port, self.tls_port = free_port(), free_port() if certificate else 0
        is_root = os.geteuid() == 0
        me = pwd.getpwuid(os.geteuid())
        # As root it gives its rights up to its own accounts, as anybody else it has none to give.
        self.owner = pwd.getpwnam("dovecot") if is_root else me
        group = subprocess.check_output(["id", "-gn", self.owner.pw_name], text=True).strip()
        given = f"ssl_cert = <{certificate}\nssl_key = <{certificate}" if certificate else ""
        text = CONFIGURATION.format(
            folder=folder,
            internal=self.owner.pw_name,
            login="dovenull" if is_root else me.pw_name,
            mail=self.owner.pw_name,
            group=group,
            password=password,
            port=self.port,
            tls_port=self.tls_port,
            ssl="yes" if certificate else "no",
            certificates=given,
        )
        (folder / "dovecot.conf").write_text(text)
        (folder / "mail").mkdir()
        for path in (folder, folder / "mail"):
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def command(self) -> list[str]:
        program = shutil.which("dovecot") or shutil.which(MASTER)
        if program is None:
            raise FileNotFoundError("dovecot is missing: install Debian's dovecot-imapd")
        return [program, "-F", "-c", str(self.folder / "dovecot.conf")]

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                line.settimeout(2)
                return line.recv(100).startswith(b"* OK")
        except OSError:
            return False

    def url(self, user: str = OURS, folder: str = "INBOX") -> str:
        """Give the address of a box, its password in it."""
        who = f"{quote(user, safe='')}:{quote(self.password, safe='')}"
        return f"imap://{who}@127.0.0.1:{self.port}/{quote(folder, safe='')}"

    def environment(self) -> dict[str, str]:
        return {"DOCGEN_IMAP_URL": self.url()}

    def box(self, user: str, folder: str = "INBOX") -> Path:
        """Give the Maildir of a user's folder, made when it is not there."""
        return maildir(self.folder / "mail", user, folder, self.owner)

    def deliver(self, user: str, content: bytes, folder: str = "INBOX") -> None:
        """Put a message into a user's folder, as a delivery agent does."""
        deliver(self.box(user, folder), content, self.owner)

    def messages(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """Give the messages of a user's folder, oldest first."""
        box = self.box(user, folder)
        paths = [path for part in ("new", "cur") for path in (box / part).iterdir()]
        return [path.read_bytes() for path in sorted(paths, key=lambda path: path.name)]


def maildir(root: Path, user: str, folder: str, owner: pwd.struct_passwd) -> Path:
    """Give a Maildir++ folder: those beside INBOX are in it, under names that begin with a dot."""
    box = root / user.lower()  # as Dovecot names it
    place = box if folder == "INBOX" else box / f".{folder}"
    for path in (box, place, *(place / part for part in ("tmp", "new", "cur"))):
        if not path.exists():
            path.mkdir(mode=0o700, exist_ok=True)
            os.chown(path, owner.pw_uid, owner.pw_gid)
    return place


def deliver(box: Path, content: bytes, owner: pwd.struct_passwd) -> None:
    """Deliver a message into a Maildir."""
    stamp = len(list((box / "new").iterdir())) + len(list((box / "cur").iterdir()))
    aside = box / "tmp" / f"{stamp:09}.{uuid4().hex}.tests"
    aside.write_bytes(content.replace(b"\r\n", b"\n"))  # Dovecot gives CRLF back
    os.chown(aside, owner.pw_uid, owner.pw_gid)
    aside.rename(box / "new" / aside.name)


class SmtpProcess(Server):
    """SmtpServer in a process of its own, which outlives whoever is killed around it.

    Its faults are drawn by chance (`weather`); stopped, it is a server that is down.
    """

    def __init__(self, folder: Path, box: "Dovecot | None" = None, *, seed: int = 1) -> None:
        super().__init__(folder)
        self.port = free_port()
        options: dict[str, int | str] = {"port": self.port, "seed": seed}
        if box:
            options |= {"mail": str(box.folder / "mail"), "owner": box.owner.pw_name}
        (folder / "options.json").write_text(json.dumps(options))

    def command(self) -> list[str]:
        module = [sys.executable, "-m", "tests.service.mailservers", str(self.folder)]
        return ["env", f"PYTHONPATH={ROOT}", *module]

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def environment(self) -> dict[str, str]:
        where = f"smtp://127.0.0.1:{self.port}"
        return {"DOCGEN_SMTP_URL": where, "DOCGEN_MAIL_FROM": OURS}

    def weather(self, faults: dict[Fault, float]) -> None:
        """Say how often each fault comes, from 0 to 1 of all connections; {}: never any."""
        write_weather(self.folder / "weather.json", faults)

    def accepted(self) -> list[Accepted]:
        """Give what was kept."""
        return read_accepted(self.folder)


class MailHouse:
    """Both servers: what the one accepts is in the boxes of the other."""

    def __init__(self, dovecot: Dovecot, smtp: SmtpProcess) -> None:
        self.dovecot, self.smtp = dovecot, smtp

    def environment(self) -> dict[str, str]:
        """Give what docgen must be told: it sends, looks messages up, and has a box of its own."""
        proof = {"DOCGEN_MAIL_PROOF": self.dovecot.url(REGION)}
        return self.dovecot.environment() | self.smtp.environment() | proof


@contextmanager
def mail_house(*, seed: int = 1) -> Iterator[MailHouse]:
    """Run both servers, each in a process and a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="docgen-mail-") as place:
        Path(place).chmod(0o755)  # Dovecot's own account goes through it
        folders = [Path(place, name) for name in ("dovecot", "smtp")]
        for folder in folders:
            folder.mkdir()
        dovecot = Dovecot(folders[0])
        smtp = SmtpProcess(folders[1], dovecot, seed=seed)
        try:
            dovecot.start()
            smtp.start()
            yield MailHouse(dovecot, smtp)
        finally:
            smtp.stop()
            dovecot.stop()


@contextmanager
def chatter(line: bytes, polite: int = 0) -> Iterator[int]:
    """Run an IMAP server that answers so many commands, then says the same for ever; its port."""
    over = Event()
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(PATIENCE)

        def talk() -> None:
            visitor, _ = door.accept()
            visitor.settimeout(PATIENCE)
            with visitor, visitor.makefile("rb") as said, suppress(OSError):  # who listened leaves
                if polite:
                    visitor.sendall(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
                for _ in range(polite):
                    visitor.sendall(said.readline().split()[0] + b" OK done\r\n")
                while not over.wait(0.001):
                    visitor.sendall(line)

        thread = Thread(target=talk)
        thread.start()
        try:
            yield door.getsockname()[1]
        finally:
            over.set()
            thread.join()


def certificate(folder: Path, *, days: int = 1) -> Path:
    """Make a certificate of localhost, signed by itself, and its key: one file."""
    path = folder / "localhost.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", str(days), "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")),
        ],
        check=True,
        capture_output=True,
    )
    parts = (folder / name for name in ("certificate.pem", "key.pem"))
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def main(folder: Path) -> None:
    """Serve as the options of a folder say, until SIGTERM."""
    options = json.loads((folder / "options.json").read_text())
    server = SmtpServer(folder)
    server.draw = Weather(folder / "weather.json", options["seed"])
    if "mail" in options:
        owner = pwd.getpwnam(options["owner"])

        def keep(user: str, content: bytes) -> None:
            deliver(maildir(Path(options["mail"]), user, "INBOX", owner), content, owner)

        server.deliver = keep

    async def serve() -> None:
        over = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
        await server.serve(options["port"], lambda: None, over)

    asyncio.run(serve())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
