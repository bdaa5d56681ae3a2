"""Real servers for tests and measures: PostgreSQL, Redis, and moto's threaded S3 server.

`python -m tests.service.servers COMMAND...` starts all three in a temporary folder, on a socket of
its own and on free ports of the loopback, tells the command where they are, and ends them by their
process identifiers. moto is a stand-in that speaks S3, not a store that is used anywhere.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg

PATIENCE = 30  # seconds for a server to start or to end, on a busy machine
POSTGRES_PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql")
BUCKET = "artifacts"


class Server:
    """A server process: started, frozen, stopped and started again on what it left."""

    stopping = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.account: str | None = None

    def command(self) -> list[str]:
        """Give the command that runs the server in the foreground."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Tell whether the server answers."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Give what the service must be told to use this server."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the server and wait until it answers."""
        log = self.folder / "log"
        with log.open("ab") as stream:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                user=self.account,
                group=self.account,
                extra_groups=[] if self.account else None,
                env={**os.environ, **self.environment()},
            )
        process = self.process
        _wait(lambda: process.poll() is not None or self.is_ready(), type(self).__name__)
        if process.poll() is not None:
            last = log.read_text(errors="replace")[-800:]
            raise RuntimeError(f"{type(self).__name__} did not start: {last}")

    def stop(self, how: signal.Signals | None = None) -> None:
        """End the server as asked, or gently, and wait for its end."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(how or self.stopping)
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Stop the clock of the server: its port still takes connections, and nothing answers."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        assert self.process
        self.process.send_signal(signal.SIGCONT)


class Postgres(Server):
    """PostgreSQL on a socket in its own folder, as its own account: it refuses to be root."""

    stopping = signal.SIGINT  # "fast": clients are sent away
    IMMEDIATE = signal.SIGQUIT  # as if the machine had lost power

    def __init__(self, folder: Path, *, is_durable: bool = False) -> None:
        super().__init__(folder)
        self.is_durable = is_durable  # tests that stop no database save the time of its disk
        if os.geteuid() == 0:
            self.account = "postgres"
            entry = pwd.getpwnam(self.account)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        if (folder / "data").exists():  # what it held before is there again
            return
        command = [_postgres("initdb"), "-D", "data", "-U", "docgen", "-A", "trust"]
        command += ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        subprocess.run(
            command,
            cwd=folder,
            check=True,
            capture_output=True,
            user=self.account,
            group=self.account,
            extra_groups=[] if self.account else None,
        )

    def start(self) -> None:
        super().start()
        with self.connected("postgres") as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'docgen'")
            if not found.fetchone():
                connection.execute("CREATE DATABASE docgen")

    def command(self) -> list[str]:
        options = {"listen_addresses": "", "max_connections": "60", "shared_buffers": "64MB"}
        options["fsync"] = "on" if self.is_durable else "off"
        told = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [_postgres("postgres"), "-D", "data", "-k", str(self.folder), *told]

    def connected(self, database: str = "docgen") -> "psycopg.Connection[tuple[object, ...]]":
        """Connect to a database of the server."""
        return psycopg.connect(
            host=str(self.folder), user="docgen", dbname=database, autocommit=True
        )

    def is_ready(self) -> bool:
        try:
            self.connected("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def environment(self) -> dict[str, str]:
        place = str(self.folder).replace("/", "%2F")
        return {"DATABASE_URL": f"postgres://docgen@{place}/docgen"}


class Redis(Server):
    """Redis on a port of the loopback, behind a password, on no disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.password = secrets.token_urlsafe(16)
        settings = f'requirepass {self.password}\nsave ""\nbind 127.0.0.1\nport {self.port}\n'
        (folder / "redis.conf").write_text(settings)

    def command(self) -> list[str]:
        # Debian's redis-tools brings the server under the name of a tool: one program, whose name
        # when it is started says what it is. No package then starts a daemon.
        if program := shutil.which("redis-server"):
            return [program, "redis.conf"]
        link = self.folder / "redis-server"
        if not link.exists():
            link.symlink_to(_found("redis-check-aof", "redis-tools"))
        return [str(link), "redis.conf"]

    def say(self, *words: str) -> bytes:
        """Send a command, and give the first bytes of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), 2) as line:
            line.settimeout(2)
            for command in (("AUTH", self.password), words):
                parts = b"".join(b"$%d\r\n%b\r\n" % (len(w), w.encode()) for w in command)
                line.sendall(b"*%d\r\n%b" % (len(command), parts))
                answer = line.recv(1 << 16)
        return answer

    def is_ready(self) -> bool:
        try:
            return self.say("PING") == b"+PONG\r\n"
        except OSError:
            return False

    def environment(self) -> dict[str, str]:
        return {"BROKER_URL": f"redis://:{self.password}@127.0.0.1:{self.port}/0"}


class S3(Server):
    """moto's server; what it was given lives in its memory and ends with it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()

    def command(self) -> list[str]:
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]

    def start(self) -> None:
        super().start()
        _bucket(self.environment()).create()

    def contents(self) -> dict[str, bytes]:
        """Give all that the bucket holds."""
        return {
            each.key: each.get()["Body"].read()
            for each in _bucket(self.environment()).objects.all()
        }

    @property
    def address(self) -> str:
        """The address that the service calls."""
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def environment(self) -> dict[str, str]:
        return {
            "DOCGEN_S3_BUCKET": BUCKET,
            "DOCGEN_S3_ENDPOINT": self.address,
            "AWS_ACCESS_KEY_ID": "docgen",
            "AWS_SECRET_ACCESS_KEY": "a secret of the tests",
            "AWS_DEFAULT_REGION": "us-east-1",
        }


def set_apart(number: int) -> None:
    """Have this process use a queue and a bucket of its own on the servers that it was told of."""
    os.environ["BROKER_URL"] = f"{os.environ['BROKER_URL'].removesuffix('/0')}/{number}"
    os.environ["DOCGEN_S3_BUCKET"] = f"{BUCKET}-{number}"
    _bucket(os.environ).create()


def _bucket(told: Mapping[str, str]) -> Any:  # noqa: ANN401 - boto3 has no types
    import boto3

    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
    access, secret, region = (told[name] for name in names)
    store = boto3.resource(
        "s3",
        endpoint_url=told["DOCGEN_S3_ENDPOINT"],
        aws_access_key_id=access,
        aws_secret_access_key=secret,
        region_name=region,
    )
    return store.Bucket(told["DOCGEN_S3_BUCKET"])


@contextmanager
def running(*kinds: Callable[[Path], Server]) -> Iterator[list[Server]]:
    """Run servers, each in a folder of its own; all end with the block."""
    with ExitStack() as stack:
        servers = []
        for kind in kinds:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="docgen-server-"))
            server = kind(Path(folder))
            stack.callback(server.stop)
            server.start()
            servers.append(server)
        yield servers


def main(command: list[str]) -> int:
    """Run a command beside the three servers; give its exit code."""
    if not command:
        sys.stderr.write("usage: python -m tests.service.servers COMMAND...\n")
        return 2
    signal.signal(signal.SIGTERM, _interrupted)
    if command[0] == "pytest":
        command = [sys.executable, "-m", *command]
    with running(Postgres, Redis, S3) as servers:
        told = {name: text for each in servers for name, text in each.environment().items()}
        return subprocess.run(command, env={**os.environ, **told}, check=False).returncode


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _wait(is_so: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} does not answer")
        time.sleep(0.05)


def free_port() -> int:
    """Give a port of the loopback that nobody uses now."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        port: int = line.getsockname()[1]
    return port


def _postgres(program: str) -> str:
    for place in POSTGRES_PLACES:
        for path in sorted(Path(place).glob(f"**/bin/{program}"), reverse=True):
            return str(path)
    return _found(program, "postgresql")


def _found(program: str, package: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise FileNotFoundError(f"{program} is missing: install Debian's {package}")
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
