"""What holds for every test: no network, a data folder of its own, patience on a busy machine."""

import ipaddress
import os
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

SENDING = {"socket.connect", "socket.sendto", "socket.sendmsg"}


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep keys and compiled forms of tests out of the developer's own data folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCGEN_DATA", str(tmp_path_factory.mktemp("data")))
        patch.delenv("DOCGEN_KEY", raising=False)
        yield


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Take back the handlers that a command set in this process: it hears one Ctrl-C only."""
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in handlers.items():
        signal.signal(each, handler)


class NetworkRefused(RuntimeError):
    """A test spoke to another machine; the loopback alone is allowed."""


def refuse_network(event: str, args: tuple[object, ...]) -> None:
    """Refuse, from Python's audit events, to look up or reach anything but this machine."""
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event in SENDING and isinstance(args[1], tuple):
        host = args[1][0]  # a path, not a pair, is a socket of this machine
    else:
        return
    if not _is_here(host):
        raise NetworkRefused(f"a test asked for {host!r}: tests use no network")


def _is_here(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


sys.addaudithook(refuse_network)
if "CI" not in os.environ:  # there, hypothesis has a profile of its own: same examples each time
    settings.register_profile("house", deadline=None)  # a busy machine is no fault of the code
    settings.load_profile("house")
