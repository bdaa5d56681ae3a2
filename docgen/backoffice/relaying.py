"""One message handed over by SMTP (RFC 5321), with care for the moment when it is accepted.

Nothing is accepted before the final dot: whatever goes wrong until there is tried again, or is a
refusal in the server's words. After the dot only a whole answer says which of both happened.
smtplib reads an answer for as long as it lasts, so every answer is read here, within bounds.
"""

import base64
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

from docgen.backoffice import reaching
from docgen.backoffice.post import Server

Verdict: TypeAlias = Literal["accepted", "later", "refused", "uncertain"]

MOST_WORDS = 500  # characters of a server's words that are kept
MOST_ANSWER = 1 << 16  # bytes of one answer, all its lines; RFC 5321, 4.5.3.1.5 gives a line 512
GOODBYE = 2  # seconds
BLOCK = 1 << 16  # bytes of the message in memory
# The server wants a password, or another, or TLS (RFC 4954, 6): it says so of us, not of a message.
OF_US = (530, 534, 535, 538)
GARBLED = "sa réponse est illisible."
ASTRAY = "il répond autre chose que ce qui lui est demandé."


@dataclass(frozen=True, slots=True)
class Order:
    """A composed message, by its file, and its envelope; `message_id` has its angle brackets."""

    path: Path
    message_id: str
    sender: str = field(repr=False)
    recipient: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a message: `code` is the server's, 0 without one; `words` are its own.

    accepted: it has it. later: it does not, and may later. refused: it will not. uncertain: the
    connection ended after the final dot, before an answer; either is possible.
    """

    verdict: Verdict
    code: int = 0
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for one answer, for that to the final dot, and for all that comes before it."""

    step: float = 30
    dot: float = 60
    whole: float = 300


class Stopped(Exception):
    """The conversation ended before the final dot."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.verdict)
        self.answer = answer


def relay(
    server: Server, order: Order, say: Callable[[int], object] | None, patience: Patience
) -> Answer:
    """Hand a message over; `say(1)` is called right before the final dot.

    Raises:
        OSError: the file of the message cannot be read; nothing was accepted.
    """
    with order.path.open("rb") as stream, closing(Talk(server, patience)) as talk:
        try:
            talk.begin()
            talk.envelope(order)
            for block in stuffed(stream):
                talk.send(block)
            talk.listen()
        except Stopped as stop:
            return stop.answer
        if say:
            say(1)
        try:
            code, words = talk.end()
        except Stopped as stop:
            return Answer("uncertain", 0, stop.answer.words)
        talk.leave()
    if 200 <= code < 300:
        return Answer("accepted", code, words)
    return _turned_away(code, words) if code >= 400 else Answer("uncertain", code, words)


def reach(server: Server, patience: Patience) -> str:
    """Connect, greet and authenticate, and send nothing; say what is wrong, "" when nothing is."""
    with closing(Talk(server, patience)) as talk:
        try:
            talk.begin()
        except Stopped as stop:
            return stop.answer.words
        talk.leave()
    return ""


def stuffed(stream: BinaryIO) -> Iterator[bytes]:
    """Read a message as it travels: lines end in CRLF, and a dot that begins one is doubled."""
    is_start, held = True, b""
    while block := stream.read(BLOCK):
        block = held + block
        held = b"\r" if block.endswith(b"\r") else b""  # its LF may begin the next block
        text = block[: len(block) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        text = text.replace(b"\n", b"\r\n")
        before = b"\r\n" if is_start else b""
        yield (before + text).replace(b"\r\n.", b"\r\n..")[len(before) :]
        is_start = text.endswith(b"\r\n") if text else is_start
    if held or not is_start:
        yield b"\r\n"


class Talk(smtplib.SMTP):
    """A conversation: every step bounded, and anything unexpected ends it with Stopped."""

    line: socket.socket  # that of smtplib, which closes it

    def __init__(self, server: Server, patience: Patience) -> None:
        super().__init__(local_hostname="", timeout=patience.step)
        self.server, self.patience = server, patience
        self.until = time.monotonic() + patience.whole
        self._read = b""

    def begin(self) -> None:
        """Connect, be greeted, secure the line and authenticate."""
        try:
            self.line = reaching.connected(self.server.host, self.server.port, self.patience.step)
            self.sock = self.line
            if self.server.security == "tls":
                self._secure()
        except OSError as error:
            raise _lost(error) from None
        self._wants(220, *self.answer(), of_message=False)
        # The address itself (RFC 5321, 4.1.3): what this machine is called concerns nobody, and
        # asking a name server for it may take for ever.
        address = self.line.getsockname()[0].partition("%")[0]
        self.local_hostname = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
        self._wants(250, *self.ehlo(), of_message=False)
        if self.server.security == "starttls":
            self._start_tls()
        if self.server.user:
            self._log_in()

    def envelope(self, order: Order) -> None:
        """Say from whom, to whom and how much, up to where the message itself begins."""
        size = order.path.stat().st_size
        options = [f"SIZE={size}"] if self.has_extn("size") else []
        notify = []
        if self.has_extn("dsn"):  # RFC 3461: a bounce tells these digits, and the headers alone
            digits = re.sub(r"[^A-Za-z0-9.-]", "", order.message_id.partition("@")[0])
            options += ["RET=HDRS", f"ENVID={digits[:100]}"]
            notify = ["NOTIFY=SUCCESS,FAILURE,DELAY"]
        self._wants(250, *self.mail(order.sender, options))
        self._wants(250, *self.rcpt(order.recipient, notify))
        self._wants(354, *self.docmd("DATA"))

    def send(self, s: str | bytes) -> None:  # type: ignore[override] # nothing else is sent
        """Send bytes, or a command."""
        try:
            self.line.settimeout(self._left(self.patience.step))
            self.line.sendall(s.encode("ascii") if isinstance(s, str) else s)
        except OSError as error:
            raise self._last_word() or _lost(error) from None

    def listen(self) -> None:
        """Make sure that the server has said nothing yet, for its next word is about the dot."""
        if not self._read:
            try:
                self.line.settimeout(0)
                self._read = self.line.recv(BLOCK)
            except (BlockingIOError, ssl.SSLWantReadError):
                return
            except OSError as error:
                raise _lost(error) from None
            if not self._read:
                raise _lost(ConnectionError())
        code, words = self.answer()
        self._refuses(code, words)
        raise Stopped(Answer("later", code, ASTRAY))

    def end(self) -> tuple[int, str]:
        """Send the final dot, and read the answer to the message."""
        self.until = time.monotonic() + self.patience.dot
        self.send(b".\r\n")
        return self.answer(self.patience.dot)

    def answer(self, seconds: float | None = None) -> tuple[int, str]:
        """Read one answer: its code, and its words as they are kept."""
        code, said = self._reply(seconds or self.patience.step)
        return code, _cleaned(said, self.server.password)

    def getreply(self) -> tuple[int, bytes]:
        """Read one answer, for smtplib."""
        return self._reply(self.patience.step)

    def leave(self) -> None:
        """Say goodbye; whatever is answered changes nothing any more."""
        with suppress(Stopped):
            self.until = time.monotonic() + GOODBYE
            self.docmd("QUIT")

    def _reply(self, seconds: float) -> tuple[int, bytes]:
        end = min(time.monotonic() + seconds, self.until)
        lines, room = [], MOST_ANSWER
        while True:
            line = self._line(end, room)
            room -= len(line)
            lines.append(line[4:].strip())
            # The same code on every line (RFC 5321, 4.2.1); an answer begins with 2, 3, 4 or 5.
            if not re.match(rb"[2-5]\d\d(?:[ -]|\r?\n)", line):
                raise Stopped(Answer("later", 0, GARBLED))
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)

    def _line(self, end: float, room: int) -> bytes:
        while b"\n" not in self._read:
            if len(self._read) > room:
                raise Stopped(Answer("later", 0, GARBLED))
            try:
                self.line.settimeout(max(end - time.monotonic(), 0.001))
                came = self.line.recv(4096)
            except OSError as error:
                raise _lost(error) from None
            if not came:
                raise _lost(ConnectionError())
            self._read += came
        line, _, self._read = self._read.partition(b"\n")
        if len(line) > room:
            raise Stopped(Answer("later", 0, GARBLED))
        return line + b"\n"

    def _last_word(self) -> Stopped | None:
        """Read what a server said that turned a message away in the middle, and hung up."""
        with suppress(Stopped):
            code, words = self.answer(min(2, self.patience.step))
            return Stopped(_turned_away(code, words)) if code >= 400 else None
        return None

    def _left(self, seconds: float) -> float:
        left = min(seconds, self.until - time.monotonic())
        if left <= 0:
            raise TimeoutError
        return left

    def _start_tls(self) -> None:
        if not self.has_extn("starttls"):
            raise Stopped(Answer("later", 0, "il ne propose pas STARTTLS."))
        self._wants(220, *self.docmd("STARTTLS"), of_message=False)
        if self._read:  # said in clear, to be believed as if it had been said under TLS
            raise Stopped(Answer("later", 0, ASTRAY))
        try:
            self._secure()
        except OSError as error:
            raise _lost(error) from None
        self._wants(250, *self.ehlo(), of_message=False)

    def _secure(self) -> None:
        self.line.settimeout(self._left(self.patience.step))
        context = ssl.create_default_context()
        self.line = context.wrap_socket(self.line, server_hostname=self.server.host)
        self.sock = self.line

    def _log_in(self) -> None:
        """Authenticate; a password that is wrong is nobody's message's fault: it is tried later."""
        ways = self.esmtp_features.get("auth", "").upper().split()
        user, password = self.server.user, self.server.password
        if "PLAIN" in ways:
            code, said = self.docmd("AUTH", f"PLAIN {_coded(f'{chr(0)}{user}{chr(0)}{password}')}")
        elif "LOGIN" in ways:
            code, said = self.docmd("AUTH", "LOGIN")
            for each in (user, password):
                if code == 334:
                    code, said = self.docmd(_coded(each))
        else:
            told = "il ne propose aucune identification connue (PLAIN, LOGIN)."
            raise Stopped(Answer("later", 0, told))
        self._wants(235, code, said, of_message=False)

    def _wants(self, wanted: int, code: int, said: str | bytes, *, of_message: bool = True) -> None:
        if code // 100 == wanted // 100:  # the first digit decides (RFC 5321, 4.3.2)
            return
        words = _cleaned(said, self.server.password)
        if of_message:
            self._refuses(code, words)
        raise Stopped(Answer("later", code, words if code >= 400 else ASTRAY))

    def _refuses(self, code: int, words: str) -> None:
        if code >= 400:
            raise Stopped(_turned_away(code, words))


def _turned_away(code: int, words: str) -> Answer:
    return Answer("refused" if code >= 500 and code not in OF_US else "later", code, words)


def _lost(error: OSError) -> Stopped:
    return Stopped(Answer("later", 0, reaching.why(error)))


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _cleaned(said: str | bytes, password: str) -> str:
    """Give a server's words without what is no text, and without our password if it tells it."""
    text = said if isinstance(said, str) else said.decode("utf-8", "replace")
    if password:
        text = text.replace(password, "…")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MOST_WORDS]
