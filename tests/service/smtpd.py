"""An SMTP server that keeps mail and errs as it is told: aiosmtpd, with a fault at any step.

It is stricter than most: a line that is too long, a bare CR or LF, a command sent before its turn
are refused. What it accepted is in files, so that any process can count it.
"""

import asyncio
import hashlib
import json
import random
import re
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from aiosmtpd.smtp import Session as SmtpSession

# Where a fault can be. "connect" is before the greeting, "data" before 354, "body" in the middle
# of the message, "dot" after the final dot.
STEPS = ("connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "quit")
USER, PASSWORD = "docgen", "a-secret:of@the/tests"
CRLF = b"\r\n"
END = CRLF + b"." + CRLF
LONGEST_LINE = 998  # bytes, without CRLF (RFC 5321, 4.5.3.1.6)


@dataclass(frozen=True)
class Fault:
    """What happens at a step: `wait` seconds, then `reply`.

    `reply` None is the usual answer (late), "" a lost connection, and text is sent instead of the
    answer; `is_endless` sends it for ever, each `wait` seconds. `after` are the bytes of the body
    that come before a fault in it. `is_kept`: the message was accepted, whatever is answered.
    """

    at: str
    reply: str | None = ""
    wait: float = 0.0
    is_endless: bool = False
    after: int = 0
    is_kept: bool = False

    def __post_init__(self) -> None:
        assert self.at in STEPS, self.at


@dataclass
class Attempt:
    """One connection, as far as it came."""

    number: int
    fault: Fault | None = None
    user: str = ""
    sender: str = ""
    recipient: str = ""
    message_id: str = ""
    options: dict[str, str] = field(default_factory=dict)  # ENVID, RET, NOTIFY, SIZE...
    commands: list[str] = field(default_factory=list)
    came: int = 0  # bytes of the body
    is_tls: bool = False


Script = Callable[[str, Attempt], Fault | None]  # a step, and who is at it


@dataclass(frozen=True)
class Accepted:
    """One message that was kept; its bytes are in the file `kept/<number>.eml`."""

    number: int
    message_id: str
    sender: str
    recipient: str
    sha256: str
    options: dict[str, str]


class Weather:
    """Faults drawn by chance, one for each connection, from a file that may change."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path, self.chance = path, random.Random(seed)  # noqa: S311 - bad weather, no secret

    def __call__(self) -> Fault | None:
        rows = json.loads(self.path.read_text()) if self.path.exists() else []
        drawn = self.chance.random()
        for row in rows:
            drawn -= row["chance"]
            if drawn < 0:
                return Fault(**row["fault"])
        return None


def write_weather(path: Path, faults: dict[Fault, float]) -> None:
    """Tell how often each fault comes: chances from 0 to 1, of each connection."""
    rows = [{"chance": chance, "fault": asdict(fault)} for fault, chance in faults.items()]
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(rows))
    aside.rename(path)


class Session(SMTP):
    """One connection to the server."""

    def __init__(self, house: "SmtpServer") -> None:
        super().__init__(
            house,
            hostname="smtp.docgen.example",
            ident="tests",
            data_size_limit=house.most,
            tls_context=house.tls if house.security == "starttls" else None,
            auth_require_tls=house.security == "starttls",
            auth_exclude_mechanism=house.unknown,
            authenticator=self.authenticate,
            loop=asyncio.get_running_loop(),
        )
        self.house = house
        self._auth_required = house.needs_password
        self.attempt = house.begin()
        house.sessions.add(self)
        self.is_over = False
        for name in ("EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"):
            self._smtp_methods[name] = partial(self.at, name.lower(), self._smtp_methods[name])

    async def _handle_client(self) -> None:
        if not await self.errs(self.fault("connect")):
            await super()._handle_client()

    async def at(self, step: str, method: Callable[[Any], Awaitable[None]], arg: str) -> None:
        """Follow a command, or err."""
        self.note(step, arg or "")
        if not await self.errs(self.fault(step)):
            await method(arg)

    def note(self, step: str, arg: str) -> None:
        """Remember what a command says."""
        self.attempt.commands.append(f"{step} {arg}".strip())
        self.attempt.is_tls = bool(self._tls_protocol) or self.house.security == "tls"
        address = re.search(r"<(.*?)>", arg)
        if step in ("mail", "rcpt"):
            options = (each.partition("=") for each in arg.split()[1:] if "=" in each)
            self.attempt.options |= {name.upper(): value for name, _, value in options}
            setattr(
                self.attempt, "sender" if step == "mail" else "recipient", address and address[1]
            )

    def fault(self, step: str) -> Fault | None:
        """Say what goes wrong at this step."""
        if self.house.script:
            return self.house.script(step, self.attempt)
        fault = self.attempt.fault
        return fault if fault and fault.at == step else None

    async def errs(self, fault: Fault | None) -> bool:
        """Err; False when the usual answer is still to be given."""
        if fault is None or self.is_over:
            return self.is_over
        await asyncio.sleep(fault.wait)
        if fault.reply is None:
            return False
        while fault.is_endless:
            await self.say(fault.reply)
            await asyncio.sleep(fault.wait)
        if fault.reply:
            await self.say(fault.reply)
        if not fault.reply or fault.reply.startswith("421") or fault.at == "connect":
            self.hang_up()
        return True

    async def say(self, text: str) -> None:
        """Answer; without the end of a line when it ends in a backslash."""
        if text.endswith("\\"):
            self._writer.write(text[:-1].encode("latin-1"))
            await self._writer.drain()
        else:
            await self.push(text.encode("latin-1"))

    def hang_up(self) -> None:
        """Close the connection after what was said."""
        self.is_over = True
        if self.transport:
            self.transport.close()

    def authenticate(self, *facts: Any) -> AuthResult:  # noqa: ANN401 - five, of aiosmtpd
        """Know one user, by either mechanism."""
        given = facts[-1]
        assert isinstance(given, LoginPassword)
        is_known = (given.login, given.password) == (USER.encode(), self.house.password.encode())
        self.attempt.user = USER if is_known else ""
        return AuthResult(success=is_known, handled=False, auth_data=given)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_MAIL(self.without(arg, "RET", "ENVID"))

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_RCPT(self.without(arg, "NOTIFY", "ORCPT"))

    def without(self, arg: str | None, *names: str) -> str | None:
        """Take the options of RFC 3461 away, which aiosmtpd does not know."""
        known = names if self.house.has_dsn else ()
        words = (arg or "").split()
        return " ".join(each for each in words if each.partition("=")[0].upper() not in known)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        assert self.envelope
        if not self.envelope.rcpt_tos or arg:
            await self.push("503 5.5.1 no recipient")
            return
        await self.push("354 go on")
        content = await self.body()
        if content is None:
            return
        rest, content = content[content.index(END) + len(END) :], content[: content.index(END)]
        body = bytes(content + CRLF).replace(CRLF + b".", CRLF)[len(CRLF) :]
        found = re.search(rb"(?im)^message-id:\s*(<[^>\r]*>)", body)
        self.attempt.message_id = found[1].decode() if found else ""
        self.envelope = self._create_envelope()
        if wrong := _wrong(body, bytes(rest)):
            await self.push(wrong)
            return
        fault = self.fault("dot")
        if fault is None or fault.reply is None or fault.is_kept:
            self.house.keep(self.attempt, body)
        if not await self.errs(fault):
            await self.push(f"250 2.0.0 Ok: queued as {self.attempt.number:08X}")

    async def body(self) -> bytearray | None:
        """Read the message to its final dot; None when something went wrong on the way."""
        fault = self.fault("body")
        content = bytearray(CRLF)
        while END not in content[-(1 << 17) :]:
            block = await self._reader.read(1 << 16)
            content += block
            self.attempt.came = len(content)
            self._reset_timeout()
            if fault and len(content) > fault.after:
                if await self.errs(fault):
                    return None
                fault = None
        return content


def _wrong(body: bytes, rest: bytes) -> str:
    if rest:
        return "503 5.5.1 commands came before their turn"
    alone = body.replace(CRLF, b"")
    if b"\r" in alone or b"\n" in alone:
        return "550 5.6.11 a bare CR or LF"
    if any(len(line) > LONGEST_LINE for line in body.split(CRLF)):
        return "500 5.6.0 line too long"
    return ""


class SmtpServer:
    """The server: in a thread (`with`), or in a process of its own (mailservers.SmtpProcess).

    `faults` come one for each connection, then none; `script`, if any, is asked at each step.
    `deliver` is given what is kept: a recipient and bytes. `security` is "", starttls or tls,
    `unknown` are mechanisms of AUTH that it does not have.
    """

    def __init__(
        self,
        folder: Path,
        *,
        script: Script | None = None,
        security: str = "",
        certificate: Path | None = None,
        needs_password: bool = False,
        password: str = PASSWORD,
        unknown: tuple[str, ...] = (),
        has_dsn: bool = True,
        most: int = 80 << 20,
        deliver: Callable[[str, bytes], None] | None = None,
    ) -> None:
        self.folder, self.script, self.security = folder, script, security
        self.needs_password, self.has_dsn, self.most = needs_password, has_dsn, most
        self.deliver, self.password, self.unknown = deliver, password, unknown
        self.faults: deque[Fault | None] = deque()
        self.draw: Callable[[], Fault | None] = lambda: (
            self.faults.popleft() if self.faults else None
        )
        self.attempts: list[Attempt] = []
        self.sessions: WeakSet[Session] = WeakSet()
        self.port = 0
        self.tls: ssl.SSLContext | None = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate)
        (folder / "kept").mkdir(parents=True, exist_ok=True)

    def begin(self) -> Attempt:
        """Take a connection."""
        self.attempts.append(Attempt(len(self.attempts) + 1, self.draw()))
        return self.attempts[-1]

    async def handle_EHLO(  # noqa: N802
        self, server: Session, at: SmtpSession, _mail: object, name: str, told: list[str]
    ) -> list[str]:
        """Advertise DSN (RFC 3461) too."""
        at.host_name = name
        return [*told[:-1], "250-DSN", told[-1]] if server.house.has_dsn else told

    def keep(self, attempt: Attempt, body: bytes) -> None:
        """Accept a message: its bytes, a line of ours, the relay's log, the mailbox."""
        number = len(list((self.folder / "kept").iterdir())) + 1
        (self.folder / "kept" / f"{number}.eml").write_bytes(body)
        told = Accepted(
            number,
            attempt.message_id,
            attempt.sender,
            attempt.recipient,
            hashlib.sha256(body).hexdigest(),
            attempt.options,
        )
        if self.deliver:
            self.deliver(attempt.recipient, body)
        with (self.folder / "accepted.jsonl").open("a") as stream:
            stream.write(json.dumps(asdict(told)) + "\n")
        with self.log.open("a") as stream:
            stream.write(postfix_lines(told, datetime.now(UTC).astimezone()))

    @property
    def log(self) -> Path:
        """A log in Postfix's manner."""
        return self.folder / "mail.log"

    def accepted(self) -> list[Accepted]:
        """Give what was kept, from any process."""
        return read_accepted(self.folder)

    def content(self, number: int = 1) -> bytes:
        """Give the bytes of what was kept."""
        return (self.folder / "kept" / f"{number}.eml").read_bytes()

    async def serve(self, port: int, is_ready: Callable[[], None], over: asyncio.Event) -> None:
        """Serve a port of the loopback (0: a free one) until it is over."""
        loop = asyncio.get_running_loop()
        tls = self.tls if self.security == "tls" else None
        server = await loop.create_server(partial(Session, self), "127.0.0.1", port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        is_ready()
        await over.wait()
        server.close()
        for each in self.sessions:
            for line in (each._original_transport, each.transport):
                if isinstance(line, asyncio.Transport):
                    line.abort()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await asyncio.sleep(0.01)  # for what hangs up to have hung up

    def __enter__(self) -> "SmtpServer":
        ready = Event()

        async def main() -> None:
            self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
            await self.serve(self.port, ready.set, self._over)

        self._thread = Thread(target=asyncio.run, args=(main(),), daemon=True)
        self._thread.start()
        assert ready.wait(30), "the SMTP server did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(30)


def read_accepted(folder: Path) -> list[Accepted]:
    """Read what a server kept in a folder."""
    path = folder / "accepted.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [Accepted(**json.loads(line)) for line in lines]


def postfix_lines(told: Accepted, at: datetime) -> str:
    """Write what Postfix logs of a message that it takes and hands on."""
    start, queue = f"{at:%b %e %H:%M:%S} relay postfix", f"{told.number:08X}"
    return (
        f"{start}/cleanup[11]: {queue}: message-id={told.message_id}\n"
        f"{start}/qmgr[12]: {queue}: from=<{told.sender}>, size=1, nrcpt=1 (queue active)\n"
        f"{start}/smtp[13]: {queue}: to=<{told.recipient}>, relay=mx[192.0.2.1]:25, delay=1, "
        f"delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n"
        f"{start}/qmgr[12]: {queue}: removed\n"
    )
