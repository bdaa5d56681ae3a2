"""What is told of deploying is what the program knows: commands, variables, packages, units."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SOURCES = (
    *("docgen/backoffice/settings.py", "docgen/datafolder.py", "docgen/backoffice/keeping.py"),
    "docgen/backoffice/post.py",
)
# Read by Compose, by the unit, by boto3 and by Python: none of ours.
OTHERS = {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "DOCGEN_CONCURRENCY"}


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8")))


def ours() -> dict[str, dict[str, Any]]:
    return {
        name: service
        for name, service in compose()["services"].items()
        if service["image"] == "docgen"
    }


def help_of(command: str) -> str:
    script = "from docgen.cli import main; main()"
    asked = [sys.executable, "-c", script, command, "--help"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_every_variable_that_is_told_is_one_that_is_read() -> None:
    known = "".join((ROOT / name).read_text(encoding="utf-8") for name in SOURCES)
    pages = [path for path in DEPLOY.rglob("*") if path.is_file()]
    told = "".join(path.read_text(encoding="utf-8") for path in [*pages, *GUIDES])
    names = set(re.findall(r"\bDOCGEN_[A-Z0-9_]*[A-Z0-9]\b", told)) - OTHERS
    assert len(names) > 8
    kept = {name for name in names if name.startswith("DOCGEN_KEEP_")}
    assert [name for name in sorted(names - kept) if name not in known] == []
    periods = known.lower()
    missing = [name for name in kept if f"{name[12:].lower()}: int" not in periods]
    assert missing == []


GUIDES = [ROOT / "docs" / "guide" / f"{name}.md" for name in ("exploitation", "envois", "region")]


def test_the_services_of_compose_run_commands_that_exist() -> None:
    services = ours()
    assert services.keys() == {"migrate", "web", "press", "word"}
    for service in services.values():
        command, *options = service["command"]
        shown = help_of(command)
        assert [each for each in options if each.startswith("--") and each not in shown] == []


def test_the_services_of_compose_wait_for_the_tables_and_write_nowhere_else() -> None:
    for name, service in ours().items():
        wanted = "postgres" if name == "migrate" else "migrate"
        assert wanted in service["depends_on"]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    volumes = compose()["volumes"].keys()
    used = {
        each.split(":")[0] for s in compose()["services"].values() for each in s.get("volumes", ())
    }
    assert used == volumes


def test_the_image_has_the_packages_that_the_machine_must_have() -> None:
    lines = (ROOT / "scripts/system-packages").read_text(encoding="utf-8").splitlines()
    rows = [line.split(None, 3) for line in lines if line and not line.startswith("#")]
    to_run = {row[0] for row in rows if row[1] == "run"} - {"python3-venv"}
    image = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert [package for package in sorted(to_run) if package not in image] == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this machine")
def test_the_units_are_understood_by_systemd(tmp_path: Path) -> None:
    assert len(UNITS) == 2
    names = []
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/docgen/.venv/bin/docgen", "/bin/true")
        text = re.sub(r"^(User|Group)=.*$", r"\1=root", text, flags=re.M)
        text = text.replace("WorkingDirectory=/opt/docgen", "WorkingDirectory=/")
        names.append(tmp_path / unit.name.replace("@", "@press"))
        names[-1].write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", *map(str, names)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
