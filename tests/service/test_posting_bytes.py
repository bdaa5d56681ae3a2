"""The bytes of a message on their way: whole, however they are cut, and never all in memory."""

import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docgen.backoffice import relaying
from tests.service.mailservers import SmtpServer

pytestmark = pytest.mark.embedded

BODY = b"Message-ID: <a@b>\r\n\r\n.\r\n..\r\n"
LINES = (b"." + b"x" * 900 + b"\r\n") * 1000


@given(st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"a"])), st.integers(1, 5))
def test_a_message_travels_whole_however_it_is_cut(parts: list[bytes], block: int) -> None:
    content = b"".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relaying, "BLOCK", block)
        travels = b"".join(relaying.stuffed(BytesIO(content)))
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    lines += b"" if not lines or lines.endswith(b"\r\n") else b"\r\n"
    came = (b"\r\n" + travels).replace(b"\r\n.", b"\r\n")[2:]
    assert came == lines
    assert b"\r\n.\r\n" not in b"\r\n" + travels  # nothing ends it before its end
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", travels)


MEASURE = """
import re, sys
from pathlib import Path
from docgen.backoffice.post import Post, Server
from docgen.backoffice.posting import Order, send
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
post = Post(Path("/nowhere"), Server("127.0.0.1", int(sys.argv[1]), ""))
for name in sys.argv[2:]:
    answer = send(post, Order(Path(name), "<a@b>", "a@b.example", "c@d.example"))
    print(answer.verdict, peak())
"""


def test_a_message_of_50_megabytes_takes_no_memory(tmp_path: Path) -> None:
    small, large = tmp_path / "small.eml", tmp_path / "large.eml"
    small.write_bytes(BODY)
    large.write_bytes(BODY + LINES * 59)
    with SmtpServer(tmp_path / "smtp") as server:
        command = [sys.executable, "-c", MEASURE, str(server.port), str(small), str(large)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    before, after = (line.split() for line in done.stdout.splitlines())
    assert before[0] == after[0] == "accepted"
    assert large.stat().st_size > 50 << 20
    assert int(after[1]) - int(before[1]) < 4096  # kilobytes
    assert server.content(2) == large.read_bytes()
