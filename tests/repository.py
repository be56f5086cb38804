"""What tests of a check share: a small network, a real repository of git, the command's answer."""

import json
import subprocess
from pathlib import Path

from report_forms import validator
from support import run
from tools import MISSING_GIT, require

NET = """\
name: net
input: {{channels: 3, size: 8}}
layers:
  - {{conv: {filters}, kernel: 3, name: stem}}
  - sequence: [{{conv: 8, kernel: 1, name: a}}, {{conv: 8, kernel: 1, name: b}}]
    name: body
"""
STEM, BODY = 8 * 3 * 3 * 3, 8 * 8 + 8 * 8


def net(filters: int = 8, budget: str = "") -> str:
    return NET.format(filters=filters) + (f"budget: {budget}\n" if budget else "")


def checked(*arguments: str, cwd: Path | None = None, text: str | None = None):
    """The exit code and the answer of a check that comes to one."""
    ran = run("check", *arguments, "--format", "json", cwd=cwd, text=text)
    assert ran.stdout, ran.stderr.decode()
    answer = json.loads(ran.stdout)
    validator("convcost.check/1").validate(answer)
    return ran.returncode, answer


class Repository:
    def __init__(self, folder: Path, *options: str):
        require(MISSING_GIT)
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.git("init", "-q", "-b", "main", *options)
        self.git("config", "user.email", "a@b.c")
        self.git("config", "user.name", "a")

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True)

    def git_output(self, *arguments: str) -> str:
        run = ["git", *arguments]
        return subprocess.check_output(run, cwd=self.folder, text=True).strip()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def commit(self, message: str = "change") -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def check(self, *arguments: str):
        return checked(*arguments, cwd=self.folder)
