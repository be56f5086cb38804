"""Links in a repository that lead out of it: nothing is read or written through them."""

import os

import pytest
from repository import BODY, STEM, net
from support import run

SECRET = "password: hunter2\n"
FIX = "help: name that file itself, or copy it into the repository\n"


@pytest.fixture
def project(tmp_path):
    """A repository as far as links are concerned, beside a file with a secret."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git/HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    (folder / ".git/config").write_text(SECRET, "utf-8")
    (folder / "models").mkdir()
    (folder / "models/net.yaml").write_text(net(), "utf-8")
    (tmp_path / "secret").write_text(SECRET, "utf-8")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/a.yaml").write_text(SECRET, "utf-8")
    return folder


def error_output(project, *arguments):
    ran = run(*arguments, cwd=project)
    assert (ran.returncode, ran.stdout) == (2, b"")
    return ran.stderr.decode()


def out(name, target):
    return f"error: `{name}` is a link out of its repository: it leads to `{target}`\n{FIX}"


@pytest.mark.parametrize(
    "command", [("check", "--max-params", "1"), ("verify",), ("analyze",), ("compare", "lenet5")]
)
def test_a_link_out_of_the_repository_is_not_read(project, command):
    (project / "link.yaml").symlink_to("../secret")
    assert out("link.yaml", project.parent / "secret") in error_output(
        project, *command, "link.yaml"
    )


@pytest.mark.parametrize("target", ["../secrets", "models/../../secrets", "{}/secrets"])
@pytest.mark.parametrize("name", ["new/a.yaml", "models/../new/a.yaml", "new"])
def test_a_linked_folder_out_of_the_repository_is_not_read(project, name, target):
    (project / "new").symlink_to(target.format(project.parent))
    file = "" if name == "new" else "a.yaml"
    message = error_output(project, "check", name, "--max-params", "1")
    assert message == out(name, project.parent / "secrets" / file)


def test_a_chain_of_links_is_followed_to_its_end(project):
    (project / "one").symlink_to("models/two")
    (project / "models/two").symlink_to("../../secret")
    assert error_output(project, "check", "one", "--max-params", "1") == out(
        "one", project.parent / "secret"
    )


def test_a_link_back_into_the_repository_is_read(project):
    (project.parent / "way").symlink_to("project/models/net.yaml")
    (project / "link.yaml").symlink_to("../way")
    ran = run("check", "link.yaml", "--max-params", str(STEM + BODY), cwd=project)
    assert ran.returncode == 0


def test_a_link_to_a_folder_above_does_not_lead_out_of_the_repository(project):
    """`link/..` is the folder above the target, not the folder of the link."""
    (project / "link").symlink_to("models")
    (project / "deep").symlink_to("../secrets")
    assert (
        run("check", "link/../models/net.yaml", "--max-params", "1M", cwd=project).returncode == 0
    )
    message = error_output(project, "check", "deep/../secret", "--max-params", "1")
    assert message == out("deep/../secret", project.parent / "secret")


@pytest.mark.parametrize("name", [".git/config", "models/../.git/config"])
def test_a_link_into_the_data_of_git_is_not_read(project, name):
    """`.git/config` can have the token of a job."""
    (project / "link.yaml").symlink_to(name)
    message = error_output(project, "check", "link.yaml", "--max-params", "1")
    assert message == out("link.yaml", project / os.path.normpath(name))


def test_a_link_in_a_submodule_stays_in_the_submodule(project):
    inner = project / "inner"
    inner.mkdir()
    (inner / ".git").write_text("gitdir: ../.git/modules/inner\n", "utf-8")
    (inner / "link.yaml").symlink_to("../models/net.yaml")
    message = error_output(project, "check", "inner/link.yaml", "--max-params", "1")
    assert message == out("inner/link.yaml", project / "models/net.yaml")


def test_a_link_outside_of_all_repositories_is_read(project):
    (project.parent / "link.yaml").symlink_to("project/models/net.yaml")
    ran = run("check", "link.yaml", "--max-params", "1M", cwd=project.parent)
    assert ran.returncode == 0


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("convcost.yaml", ("models/net.yaml",)),
        ("budgets.yaml", ("models/net.yaml", "--config", "budgets.yaml")),
        ("base.json", ("models/net.yaml", "--base", "base.json", "--max-growth", "1%")),
        ("base.yaml", ("models/net.yaml", "--base", "base.yaml", "--max-growth", "1%")),
        ("board.yaml", ("models/net.yaml", "--device", "board.yaml")),
    ],
)
def test_budgets_bases_and_devices_are_not_read_through_a_link_out(project, name, arguments):
    (project / name).symlink_to("../secret")
    assert error_output(project, "check", *arguments) == out(name, project.parent / "secret")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("report.md", ("analyze", "lenet5", "-o", "report.md")),
        ("new.yaml", ("reduce", "vgg16", "--channels", "1/4", "--write", "new.yaml")),
        ("points.csv", ("search", "lenet5", "--vary", "size=32,64", "--points", "points.csv")),
    ],
)
def test_nothing_is_written_through_a_link_out(project, name, arguments):
    (project / name).symlink_to("../secret")
    message = error_output(project, *arguments)
    assert message == out(name, project.parent / "secret")
    assert (project.parent / "secret").read_text("utf-8") == SECRET


@pytest.mark.parametrize("target", ["../secrets", ".git"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze", "lenet5", "-o", "csv:out/new.json"),
        ("analyze", "lenet5", "--plot", "out/new.svg"),
        ("reduce", "vgg16", "--channels", "1/4", "--write", "out/new.yaml"),
        ("check", "lenet5", "--base", "out/new.json", "--update-baseline"),
        ("search", "lenet5", "--vary", "size=32", "--points", "out/new.csv"),
        ("search", "lenet5", "--vary", "size=32", "--resume", "out/new.json"),
        ("init", "out/new.yaml"),
    ],
)
def test_nothing_is_written_through_a_linked_folder(project, arguments, target):
    (project / "out").symlink_to(target)
    file = next(part for part in arguments if "out/" in part).removeprefix("csv:")
    folder = (project / target).resolve()
    before = sorted(folder.iterdir())
    ran = run(*arguments, cwd=project)
    assert ran.returncode == 2
    assert ran.stderr.decode() == out(file, folder / file.removeprefix("out/"))
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("file", ["nowhere/../models/net.yaml", "link.csv"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze", "models/net.yaml", "-o", "csv:{}"),
        ("search", "models/net.yaml", "--vary", "size=32", "--points", "{}"),
        ("init", "{}"),
    ],
)
def test_a_spec_is_not_overwritten_through_a_missing_folder(project, arguments, file):
    (project / "link.csv").symlink_to("nowhere/../models/net.yaml")
    before = (project / "models/net.yaml").read_bytes()
    message = f"error: cannot write `{file}`: No such file or directory\n"
    assert error_output(project, *(part.format(file) for part in arguments)) == message
    assert (project / "models/net.yaml").read_bytes() == before


def test_a_link_to_a_device_is_not_written_to(project):
    (project / "report.csv").symlink_to("/dev/null")
    assert error_output(project, "analyze", "lenet5", "-o", "report.csv") == out(
        "report.csv", "/dev/null"
    )


def test_a_report_is_written_through_a_link_in_the_repository(project):
    (project / "report.md").symlink_to("models/report.md")
    assert run("analyze", "lenet5", "-o", "report.md", cwd=project).returncode == 0
    assert (project / "report.md").is_symlink()
    assert (project / "models/report.md").read_text("utf-8").startswith("**LeNet-5 ")


def test_a_link_that_leads_to_no_file_is_called_a_link(tmp_path):
    for name, target in (("lost", "nothing"), ("self", "self")):
        (tmp_path / f"{name}.yaml").symlink_to(f"{target}.yaml")
    for command in ("analyze", "check"):
        for name in ("lost.yaml", "self.yaml"):
            done = run(command, name, cwd=tmp_path)
            message = f"error: `{name}` is a link that leads to no file\n"
            assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", message)
