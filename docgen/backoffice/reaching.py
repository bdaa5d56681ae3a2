"""Reaching a mail server of the settings: in bounded time, and saying in French why it failed.

What is said never holds an address, a password or a server's own words.
"""

import imaplib
import socket
import ssl
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from imap_tools.errors import ImapToolsError, MailboxLoginError

from docgen.errors import reason

NAME = 10  # seconds for a name server
ADDRESSES = 3  # of those that a name leads to, tried in turn
NBSP = "\u00a0"
Result = TypeVar("Result")

# Codes of OpenSSL (X509_V_ERR_…, x509_vfy.h).
CERTIFICATES = {
    9: "il n’est pas encore valable",
    10: "il a expiré",
    18: "il n’est signé que par lui-même",
    19: "son autorité n’est pas connue de cette machine",
    20: "son autorité n’est pas connue de cette machine",
    21: "son autorité n’est pas connue de cette machine",
    62: "il est au nom d’un autre serveur",
    64: "il est au nom d’un autre serveur",
}


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Do what only reads or asks, and wait so long for it.

    It runs in a thread, for nothing else ends a name server that does not answer or an answer in
    drips: whatever changes something must not be given here.

    Raises:
        TimeoutError: the thread is left behind.
    """
    told: SimpleQueue[Result | Exception] = SimpleQueue()

    def run() -> None:
        try:
            told.put(work())
        except Exception as error:  # raised below, in the thread that waits
            told.put(error)

    Thread(target=run, daemon=True).start()
    try:
        result = told.get(timeout=max(seconds, 0))
    except Empty:
        raise TimeoutError from None
    if isinstance(result, Exception):
        raise result
    return result


def connected(host: str, port: int, seconds: float) -> socket.socket:
    """Connect to a server; `seconds` for each of its addresses."""
    found = within(
        min(NAME, seconds), lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    )
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    failure: OSError = ConnectionError("no address")
    for address in addresses[:ADDRESSES]:
        try:
            line = socket.create_connection((address, port), seconds)
            # The final dot is three bytes: it must not wait for the answer to what came before.
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return line
        except OSError as error:
            failure = error
    raise failure


def why(error: Exception) -> str:
    """Say what went wrong with a server."""
    if isinstance(error, ssl.SSLCertVerificationError):
        told = CERTIFICATES.get(error.verify_code, f"code {error.verify_code}")
        return f"son certificat est refusé{NBSP}: {told}."
    if isinstance(error, ssl.SSLError):
        return "la connexion n’a pas pu être chiffrée (TLS)."
    if isinstance(error, socket.gaierror):
        return "son nom est introuvable."
    if isinstance(error, TimeoutError):
        return "il n’a pas répondu à temps."
    if isinstance(error, ConnectionRefusedError):
        return "il refuse la connexion."
    if isinstance(error, ConnectionError | imaplib.IMAP4.abort):
        return "il a rompu la connexion."
    if isinstance(error, MailboxLoginError):
        return "il refuse l’identifiant ou le mot de passe."
    if isinstance(error, imaplib.IMAP4.error | ImapToolsError):
        return "il refuse ce qui lui est demandé."
    if isinstance(error, OSError):
        return f"il est injoignable ({reason(error)})."
    return f"sa réponse est illisible ({type(error).__name__})."
