"""`--base git:` on repositories that strangers made: nothing in them is run, nothing is fetched.

Each command that a repository names creates the file `marker`, which must not appear.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from repository import BODY, STEM, Repository, checked, net
from support import PACKAGE, run
from tools import needs_git

import convcost
from convcost.sources import git_repository
from convcost.sources.rename_detection import detect_renames

pytestmark = needs_git
BASE = ("--base", "git:HEAD", "--max-growth", "1%")
PARAMS = STEM + BODY


class Hostile(Repository):
    """A repository whose work tree makes git look at everything: a spec is changed and renamed,
    another only touched."""

    def __init__(self, folder):
        super().__init__(folder)
        self.marker = folder.parent / "marker"
        self.attack = folder.parent / "attack"
        self.attack.write_text(f"#!/bin/sh\ntouch '{self.marker}'\nexec cat\n", "utf-8")
        self.attack.chmod(0o755)
        self.write("models/net.yaml", net())
        self.write("models/same.yaml", net(4))
        self.write(".gitattributes", "*.yaml filter=x diff=x\n")
        self.commit("base")
        self.write("models/new.yaml", net(9))
        (folder / "models/net.yaml").unlink()
        os.utime(folder / "models/same.yaml", (1, 1))

    def configure(self, name: str, value: str) -> None:
        self.git("config", name, value.replace("ATTACK", str(self.attack)))

    def statements(self, *arguments: str, **environment: str) -> list[str]:
        asked = arguments or ("models", *BASE)
        ran = run("check", *asked, "--format", "json", cwd=self.folder, **environment)
        assert not self.marker.exists()
        assert ran.stdout, ran.stderr.decode()
        found = json.loads(ran.stdout)["statements"]
        assert (ran.returncode == 2) == any(
            ": growth is not checked without a base: " in statement for statement in found
        )
        return found


RENAMED = ["models/new.yaml was models/net.yaml in HEAD"]
NO_BASE = "models/new.yaml and 1 more: growth is not checked without a base"
MISSING = (
    "growth is not checked without a base: an object of the commit is missing, and convcost "
    "fetches nothing: fetch the commit with its files, without `--filter`"
)


@pytest.fixture
def hostile(tmp_path):
    return Hostile(tmp_path / "hostile")


# Every call

ARGUMENTS = (
    "-c core.fsmonitor=false", f"-c core.hooksPath={os.devnull}", "-c safe.bareRepository=explicit",
    "-c core.warnAmbiguousRefs=true",
)  # fmt: skip
VARIABLES = (
    "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "GIT_NO_REPLACE_OBJECTS=1",
    f"GIT_GRAFT_FILE={os.devnull}", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
)  # fmt: skip

IGNORED = """
GIT_DIR GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_COMMON_DIR GIT_PREFIX GIT_NAMESPACE
GIT_SHALLOW_FILE GIT_REPLACE_REF_BASE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY
GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_CEILING_DIRECTORIES
""".split()  # noqa: SIM905


def test_each_call_of_git_has_all_that_makes_it_safe(hostile, tmp_path):
    log, folder = tmp_path / "log", tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(
        f"#!/bin/sh\n(echo \"$*\"; env; echo) >> '{log}'\nexec '{shutil.which('git')}' \"$@\"\n"
    )
    (folder / "git").chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    assert hostile.statements(PATH=path, **dict.fromkeys(IGNORED, "x")) == RENAMED
    calls = log.read_text().strip().split("\n\n")
    assert len(calls) > 4
    for arguments, *variables in (call.splitlines() for call in calls):
        assert [text for text in ARGUMENTS if text not in arguments] == []
        assert [text for text in VARIABLES if text not in variables] == []
        assert [name for name in IGNORED if f"{name}=x" in variables] == []
        assert " rev-parse --show-prefix " in arguments or "--git-dir=" in arguments


def test_only_one_module_starts_programs():
    starts = ("subprocess", "os.system", "os.popen", "os.exec", "os.spawn", "os.posix_spawn")
    files = {file for file in Path(PACKAGE).rglob("*.py") for text in [file.read_text("utf-8")]
             if any(start in text for start in starts)}  # fmt: skip
    assert {file.name for file in files} == {"git_repository.py"}


# Commands of the configuration


@pytest.mark.parametrize(
    "name",
    [
        "core.fsmonitor", "filter.x.clean", "filter.x.smudge", "filter.x.process", "diff.external",
        "diff.x.command", "diff.x.textconv", "core.pager", "core.editor", "core.askPass",
        "core.sshCommand", "core.gitProxy", "core.alternateRefsCommand", "credential.helper",
        "gpg.program", "sequence.editor", "interactive.diffFilter", "uploadpack.packObjectsHook",
        "trace2.eventTarget",
    ],
)  # fmt: skip
def test_a_command_of_the_configuration_is_not_run(hostile, name):
    hostile.configure("log.showSignature", "true")
    hostile.configure("filter.x.required", "true")
    hostile.configure(name, "ATTACK")
    assert hostile.statements() == RENAMED


@pytest.mark.parametrize("command", ["rev-parse", "ls-tree", "ls-files", "cat-file", "merge-base"])
@pytest.mark.parametrize(("section", "value"), [("alias", "!ATTACK"), ("pager", "ATTACK")])
def test_an_alias_or_a_pager_is_not_run(hostile, command, section, value):
    hostile.configure(f"{section}.{command}", value)
    assert hostile.statements("models", "--base", "git:HEAD...", "--max-growth", "1%") == [
        "models/new.yaml was models/net.yaml in the merge base with HEAD"
    ]


@pytest.mark.parametrize("key", ["include.path", "includeIf.gitdir:**.path"])
def test_a_command_of_an_included_configuration_is_not_run(hostile, key):
    hostile.write("more", f"[core]\n\tfsmonitor = {hostile.attack}\n")
    hostile.configure(key, str(hostile.folder / "more"))
    assert hostile.statements() == RENAMED


def test_a_command_in_the_configuration_of_a_worktree_is_not_run(hostile):
    hostile.git("config", "extensions.worktreeConfig", "true")
    hostile.git("config", "--worktree", "core.fsmonitor", str(hostile.attack))
    assert hostile.statements() == RENAMED


@pytest.mark.parametrize("hooks", [".git/hooks", "models"])
def test_a_hook_is_not_run(hostile, hooks):
    for hook in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        shutil.copy(hostile.attack, hostile.folder / hooks / hook)
    if hooks == "models":
        hostile.configure("core.hooksPath", hooks)
    assert hostile.statements() == RENAMED


def test_a_git_in_a_relative_folder_of_the_path_is_not_run(hostile):
    (hostile.folder / "bin").mkdir()
    shutil.copy(hostile.attack, hostile.folder / "bin/git")
    shutil.copy(hostile.attack, hostile.folder / "git")
    for first in ("bin", ".", ""):
        path = f"{first}{os.pathsep}{os.environ['PATH']}"
        assert hostile.statements(PATH=path) == RENAMED


def test_an_index_with_file_system_monitoring_is_read(hostile):
    hostile.git("update-index", "--fsmonitor")
    hostile.configure("core.fsmonitor", "ATTACK")
    hostile.marker.unlink(missing_ok=True)
    assert hostile.statements() == RENAMED


# Which repository


def make_bare(hostile, folder):
    """Copies the repository to a folder as a bare one, which runs a command."""
    for name in ("HEAD", "objects", "refs"):
        source = hostile.folder / ".git" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    settings = ("repositoryformatversion = 0", "bare = false", "worktree = ..")
    more = (*settings, f"fsmonitor = {hostile.attack}")
    (folder / "config").write_text("\n\t".join(("[core]", *more)), "utf-8")


def test_a_committed_bare_repository_is_not_a_repository(hostile):
    make_bare(hostile, hostile.folder / "models")
    shutil.rmtree(hostile.folder / ".git")
    reason = f"`{hostile.folder}/models` is not in a git repository"
    assert hostile.statements() == [f"{NO_BASE}: {reason}"]


def test_a_bare_repository_beside_a_damaged_one_is_not_read(hostile):
    make_bare(hostile, hostile.folder)
    shutil.rmtree(hostile.folder / ".git/objects")
    (message,) = hostile.statements()
    assert message.startswith(
        "models/new.yaml and 1 more: growth is not checked without a base: git "
    )


def test_in_a_repository_a_committed_bare_one_is_a_folder(hostile):
    make_bare(hostile, hostile.folder / "models")
    assert hostile.statements() == RENAMED


def test_a_git_file_to_a_hostile_repository_runs_nothing(hostile, tmp_path):
    (tmp_path / "other/models").mkdir(parents=True)
    (tmp_path / "other/models/same.yaml").write_text(net(4), "utf-8")
    (tmp_path / "other/.git").write_text(f"gitdir: {hostile.folder}/.git\n", "utf-8")
    hostile.configure("core.fsmonitor", "ATTACK")
    hostile.folder = tmp_path / "other"
    assert hostile.statements() == ["models/net.yaml is deleted; it was in HEAD"]


def test_a_git_file_to_nothing_is_the_reason(hostile, tmp_path):
    shutil.rmtree(hostile.folder / ".git")
    hostile.write(".git", "gitdir: models\n")
    reason = f"fatal: not a git repository: {hostile.folder}/models"
    shown = f"git cannot open the repository of `{hostile.folder}`"
    assert hostile.statements() == [f"{NO_BASE}: {shown}: {reason}"]


def test_a_repository_with_an_unknown_extension_is_refused_with_its_name(hostile):
    hostile.configure("core.repositoryFormatVersion", "1")
    hostile.configure("extensions.new", "true")
    shown = f"git cannot open the repository of `{hostile.folder}`"
    reason = "fatal: unknown repository extension found: new"
    assert hostile.statements() == [f"{NO_BASE}: {shown}: {reason}"]


def test_a_repository_of_another_work_tree_is_refused(hostile, tmp_path):
    hostile.configure("core.worktree", str(tmp_path))
    reason = f"git has no repository with the work tree `{hostile.folder}`"
    assert hostile.statements() == [f"{NO_BASE}: {reason}"]


def test_a_repository_of_another_owner_is_refused(hostile):
    reason = (
        f"git does not trust the owner of `{hostile.folder}`: allow it with `git config --global "
        "--add safe.directory` and the folder of the repository"
    )
    environment = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "LANG": "de_DE.UTF-8"}
    assert hostile.statements(**environment) == [f"{NO_BASE}: {reason}"]


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"])
def test_the_environment_names_no_other_repository(hostile, tmp_path, name):
    other = Repository(tmp_path / "other")
    other.git("config", "core.fsmonitor", str(hostile.attack))
    value = {name: str(tmp_path / "other/.git")}
    assert hostile.statements(**value, GIT_WORK_TREE=str(tmp_path)) == RENAMED
    shutil.rmtree(hostile.folder / ".git")
    (message,) = hostile.statements(**value)
    assert message.endswith(f"`{hostile.folder}/models` is not in a git repository")


def test_a_repository_of_sha_256_has_its_base(tmp_path):
    repository = Repository(tmp_path, "--object-format=sha256")
    repository.write("models/net.yaml", net(4))
    repository.commit()
    repository.git("branch", "base")
    repository.write("models/net.yaml", net(60))
    for base in ("base", "base...", repository.git_output("rev-parse", "base")):
        assert bases(repository.check("models", "--base", f"git:{base}", "--max-growth", "1%")) == (
            1,
            [4],
        )


def test_a_linked_work_tree_has_its_base(hostile, tmp_path):
    hostile.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    hostile.configure("core.fsmonitor", "ATTACK")
    hostile.folder = tmp_path / "linked"
    hostile.write("models/same.yaml", net(2))
    assert hostile.statements() == []


def test_a_submodule_has_its_own_base(hostile, tmp_path):
    outer = Repository(tmp_path / "outer")
    outer.git(
        "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(hostile.folder), "sub"
    )
    outer.git("-C", "sub", "config", "core.fsmonitor", str(hostile.attack))
    outer.commit()
    hostile.folder = outer.folder
    (outer.folder / "sub/models/net.yaml").rename(outer.folder / "sub/models/new.yaml")
    hostile.marker.unlink(missing_ok=True)
    assert hostile.statements("sub", *BASE) == ["sub/models/new.yaml was models/net.yaml in HEAD"]
    assert hostile.statements("sub", "--base", "git:main", "--max-growth", "1%") == [
        "sub/models/new.yaml was models/net.yaml in main"
    ]


def with_submodule(repository, path):
    """Adds a repository with `net.yaml` of 50 filters as a submodule, and returns it."""
    inner = Repository(repository.folder.parent / "inner")
    inner.write("net.yaml", net(50))
    inner.commit()
    inner.git("branch", "base")
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.folder), path
    )
    inner.folder = repository.folder / path
    inner.git("branch", "base", "HEAD")
    inner.git("config", "user.email", "a@b.c")
    inner.git("config", "user.name", "a")
    return inner


def bases(ran):
    """The exit code, and the filters of the first layer of each base."""
    code, answer = ran
    params = [network["base"] and network["base"]["params"] for network in answer["networks"]]
    return code, [found and (found - 8 * 8) // (27 + 8) for found in params]


TO_BASE = ("--base", "git:base", "--max-growth", "1%")


@pytest.fixture
def plain(tmp_path):
    repository = Repository(tmp_path / "plain")
    repository.write("models/net.yaml", net(4))
    repository.commit()
    repository.git("branch", "base")
    return repository


def test_a_folder_replaced_by_a_submodule_keeps_its_base(plain):
    plain.git("rm", "-rq", "models")
    inner = with_submodule(plain, "models")
    plain.commit()
    assert bases(plain.check("models", *TO_BASE)) == (1, [4])
    (inner.folder / "net.yaml").rename(inner.folder / "other.yaml")
    assert bases(plain.check("models", *TO_BASE)) == (1, [4])


def test_the_base_of_a_submodule_is_the_commit_that_the_outer_base_names(plain):
    inner = with_submodule(plain, "sub")
    plain.commit()
    plain.git("branch", "-f", "base")
    inner.write("net.yaml", net(60))
    inner.commit()
    inner.git("branch", "-f", "base")
    plain.commit()
    assert bases(plain.check("sub", *TO_BASE)) == (1, [50])
    lost = "1" * 40
    plain.git("update-index", "--cacheinfo", f"160000,{lost},sub")
    plain.git("commit", "-q", "-m", "a commit that is not there")
    plain.git("branch", "-f", "base")
    code, answer = plain.check("sub", *TO_BASE)
    reason = f"there is no commit `{lost}`: fetch it, or name another"
    assert code == 2
    assert answer["statements"] == [f"sub/net.yaml: growth is not checked without a base: {reason}"]


def test_the_files_of_a_new_submodule_are_new(plain):
    with_submodule(plain, "sub")
    plain.commit()
    code, answer = plain.check("sub", *TO_BASE)
    assert (code, answer["networks"][0]["base"]) == (0, None)
    assert answer["statements"] == [
        "sub/net.yaml is new: it is not in base, so growth is not checked"
    ]


def test_a_folder_that_becomes_a_submodule_keeps_its_budgets(plain):
    plain.write("convcost.yaml", "budgets: [{specs: models/*.yaml, params: {max: 300}}]")
    assert plain.check("models")[0] == 0
    plain.git("rm", "-rq", "models")
    inner = with_submodule(plain, "models")
    code, answer = plain.check("models", "--max-macs", "1G")
    assert code == 1
    assert [(f["file"], f["found"]) for f in answer["findings"]] == [("convcost.yaml", params(50))]
    assert run("check", "net.yaml", "--max-macs", "1G", cwd=inner.folder).returncode == 0


def params(filters):
    """Of `net`."""
    return filters * 27 + filters * 8 + 8 * 8


def test_a_submodule_with_another_path_keeps_its_base(plain):
    inner = with_submodule(plain, "sub")
    plain.commit()
    plain.git("branch", "-f", "base")
    plain.git("mv", "sub", "moved")
    inner.folder = plain.folder / "moved"
    inner.write("net.yaml", net(60))
    assert bases(plain.check("moved", *TO_BASE)) == (1, [50])
    inner.commit()
    plain.commit()
    assert bases(plain.check("moved", *TO_BASE)) == (1, [50])
    plain.write("models/more.yaml", net(9).replace("name: net", "name: more"))
    code, answer = plain.check("models", *TO_BASE)  # only the submodule has another path
    assert (code, answer["statements"]) == (
        0,
        ["models/more.yaml is new: it is not in base, so growth is not checked"],
    )


def test_beside_a_deleted_submodule_a_new_network_has_no_base(plain):
    with_submodule(plain, "sub")
    plain.commit()
    plain.git("branch", "-f", "base")
    plain.git("rm", "-qf", "sub")
    plain.write("models/new.yaml", net(60))
    code, answer = plain.check("models", *TO_BASE)
    reason = "`sub` was a submodule, whose files the commit does not have"
    assert code == 2
    assert answer["statements"] == [
        f"models/new.yaml: growth is not checked without a base: {reason}"
    ]
    code, answer = plain.check(".", *TO_BASE)
    assert answer["statements"][1:] == ["sub is deleted; it was a submodule in base"]
    plain.git("reset", "-q", "--hard")
    assert plain.check("models", *TO_BASE)[0] == 0


def test_a_submodule_that_is_not_checked_out_is_reported(plain):
    with_submodule(plain, "models/sub")
    plain.commit()
    plain.git("submodule", "-q", "deinit", "-f", "models/sub")
    code, answer = plain.check("models", *TO_BASE)
    absent = "is a submodule that is not checked out, so its specs are not checked"
    assert (code, answer["statements"]) == (0, [f"models/sub {absent}"])
    plain.write("nets/net.yaml", net())
    assert absent not in str(plain.check("nets", *TO_BASE)[1]["statements"])


def test_a_network_that_a_submodule_lost_is_the_base_of_a_similar_new_one(plain):
    inner = with_submodule(plain, "sub")
    plain.commit()
    plain.git("branch", "-f", "base")
    inner.git("rm", "-q", "net.yaml")
    inner.git("commit", "-q", "-m", "moved")
    plain.write("models/new.yaml", net(60).replace("name: net", "name: new"))
    plain.commit()
    code, answer = plain.check("models", *TO_BASE)
    assert code == 1
    assert answer["statements"] == ["models/new.yaml: `new` was `net` of net.yaml in base"]


def test_a_deleted_submodule_can_have_a_name_that_no_system_accepts(plain):
    name = "x" * 300
    plain.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},{name}")
    plain.git("commit", "-q", "-m", "submodule")
    plain.git("branch", "-f", "base")
    plain.git("rm", "-q", "--cached", name)
    code, answer = plain.check(".", *TO_BASE)
    assert (code, answer["statements"]) == (
        0,
        [f"{name} is deleted; it was a submodule in base"],
    )


def test_files_in_the_place_of_a_submodule_have_no_base(plain):
    with_submodule(plain, "sub")
    plain.commit()
    plain.git("branch", "-f", "base")
    plain.git("rm", "-qf", "sub")
    plain.write("sub/net.yaml", net(60))
    code, answer = plain.check("sub", *TO_BASE)
    assert code == 2
    reason = "`sub` was a submodule, whose files the commit does not have"
    assert answer["statements"] == [f"sub/net.yaml: growth is not checked without a base: {reason}"]
    (plain.folder / "sub").rename(plain.folder / "other")
    (plain.folder / "sub").symlink_to("other")
    for asked in (["sub"], ["other", "sub"]):
        code, answer = plain.check(*asked, *TO_BASE)
        place = f"{asked[0]}/net.yaml: growth is not checked without a base"
        assert (code, answer["statements"]) == (2, [f"{place}: {reason}"])


def test_a_head_that_is_a_link_to_a_packed_branch_is_a_repository(hostile):
    head = hostile.folder / ".git/HEAD"
    hostile.git("pack-refs", "--all")
    head.unlink()
    head.symlink_to("refs/heads/main")
    assert not head.exists()
    assert hostile.statements() == RENAMED


def test_grafted_parents_do_not_change_the_merge_base(plain):
    plain.write("models/net.yaml", net(60))
    plain.commit()
    plain.git("branch", "change")
    plain.git("reset", "-q", "--hard", "base")
    plain.write("other", "")
    plain.commit()
    plain.git("switch", "-q", "change")
    asked = ("models", "--base", "git:main...", "--max-growth", "1%")
    heads = [(plain.folder / f".git/refs/heads/{name}").read_text() for name in ("main", "change")]
    (plain.folder / ".git/info").mkdir(exist_ok=True)
    (plain.folder / ".git/info/grafts").write_text(" ".join(map(str.strip, heads)) + "\n")
    assert bases(plain.check(*asked)) == (1, [4])


# Objects


@pytest.mark.parametrize(
    "key", ["remote.origin.uploadpack", "remote.origin.url", "core.sshCommand"]
)
def test_a_partial_clone_is_not_fetched_from(hostile, tmp_path, key):
    hostile.git("config", "uploadpack.allowFilter", "true")
    hostile.write("models/same.yaml", net(5))
    hostile.git("commit", "-q", "-m", "more", "models/same.yaml")
    partial = tmp_path / "partial"
    url = f"file://{hostile.folder}"
    command = ["git", "clone", "-q", "--filter=blob:none", url, str(partial)]
    subprocess.run(command, check=True, capture_output=True)
    hostile.folder = partial
    hostile.configure("protocol.allow", "always")
    hostile.configure("protocol.ext.allow", "always")
    hostile.configure("protocol.file.allow", "always")
    hostile.configure(key, "ext::ATTACK" if key.endswith("url") else "ATTACK")
    asked = ("models/same.yaml", "--base", "git:HEAD~1", "--max-growth", "1%")
    packs = sorted((partial / ".git/objects").rglob("*"))
    for environment in ({}, {"GIT_NO_LAZY_FETCH": "0"}):
        assert hostile.statements(*asked, **environment) == [f"models/same.yaml: {MISSING}"]
    assert sorted((partial / ".git/objects").rglob("*")) == packs


def test_objects_of_alternates_are_read(hostile, tmp_path):
    clone = ["git", "clone", "-q", "--shared", str(hostile.folder), str(tmp_path / "shared")]
    subprocess.run(clone, check=True, capture_output=True)
    hostile.folder = tmp_path / "shared"
    hostile.write("models/same.yaml", net(5))
    assert hostile.statements() == []


def test_a_replaced_object_is_not_the_base(hostile):
    hostile.git("switch", "-q", "-c", "larger")
    hostile.write("models/same.yaml", net(50))
    hostile.commit()
    hostile.git("switch", "-q", "main")
    hostile.git("replace", "main", "larger")
    hostile.git("replace", "main:models/same.yaml", "larger:models/same.yaml")
    hostile.write("models/same.yaml", net(8))
    asked = ("models/same.yaml", "--base", "git:main", "--max-growth", "1%")
    code, answer = hostile.check(*asked)
    assert code == 1
    assert answer["networks"][0]["base"]["params"] == 4 * 27 + 4 * 8 + 8 * 8


@pytest.mark.parametrize(
    "ref",
    [
        "--upload-pack=ATTACK", "-", "--", "a b", "a\nb", "HEAD\nHEAD", "^HEAD", "HEAD..HEAD",
        "HEAD^@", "HEAD^!", "HEAD:models", "HEAD^{tree}", "ext::ATTACK", "|ATTACK", "$(ATTACK)",
        "....", "^HEAD...", "...--all", "HEAD...HEAD...HEAD", "\x1b[2J", "@{upstream}", "é",
    ],
)  # fmt: skip
def test_a_hostile_ref_is_not_a_commit(hostile, ref):
    name = ref.replace("ATTACK", str(hostile.attack))
    (message,) = hostile.statements(
        "models/new.yaml", "--base", f"git:{name}", "--max-growth", "1%"
    )
    assert message.startswith("models/new.yaml: growth is not checked without a base: ")
    assert not {"\n", "\x1b"} & set(message)


def test_in_a_shallow_clone_an_older_merge_base_hides_no_growth(plain, tmp_path):
    """The change merges a commit that is older than its own merge base with main, and larger."""
    plain.write("models/net.yaml", net(60))
    plain.commit("large")
    large = plain.git_output("rev-parse", "HEAD")
    plain.write("models/net.yaml", net(4))
    plain.commit("small")
    plain.git("switch", "-q", "-c", "change")
    plain.write("models/net.yaml", net(60))
    plain.commit()
    for number in range(5):
        plain.write("other", str(number))
        plain.commit()
    tree = plain.git_output("rev-parse", "HEAD^{tree}")
    merge = plain.git_output("commit-tree", tree, "-p", "HEAD", "-p", large, "-m", "merge")
    plain.git("reset", "-q", "--hard", merge)
    asked = ("models", "--base", "git:origin/main...", "--max-growth", "1%")
    source, folder = f"file://{plain.folder}", tmp_path / "shallow"
    clone = ("clone", "-q", "--no-single-branch", "--branch", "change", "--depth")
    for depth, found in (("4", (2, [None])), ("8", (1, [4]))):
        plain.git(*clone, depth, source, str(folder))
        assert bases(checked(*asked, cwd=folder)) == found
        shutil.rmtree(folder)


@pytest.mark.parametrize("base", ["origin/main...", "origin/main", "main", "SHORT", "SHORT~0"])
def test_a_tag_with_the_name_of_the_base_does_not_replace_it(plain, base):
    """Who may push a tag could choose the base of a change, and hide growth."""
    plain.git("update-ref", "refs/remotes/origin/main", "main")
    commit = plain.git_output("rev-parse", "main")
    plain.git("switch", "-q", "-c", "change")
    plain.write("models/net.yaml", net(60))
    plain.commit()
    name = base.replace("SHORT", commit[:7])
    ref = name.removesuffix("...")
    plain.git("tag", ref.removesuffix("~0"), "change")
    plain.git("config", "core.warnAmbiguousRefs", "false")
    code, answer = plain.check("models", "--base", f"git:{name}", "--max-growth", "1%")
    whole = "give the whole name of the branch or the tag, such as `refs/remotes/origin/main`"
    reason = f"growth is not checked without a base: `{ref}` is ambiguous: {whole}"
    assert code == 2
    assert answer["statements"] == [f"models/net.yaml: {reason}"]
    plain.git("update-ref", f"refs/tags/{commit}", "change")
    plain.git("update-ref", "refs/tags/HEAD", "base")
    plain.git("update-ref", "refs/tags/refs/remotes/origin/main", "change")
    plain.git("update-ref", "refs/heads/release@2", commit)
    branches = ("refs/remotes/origin/main...", "refs/heads/release@2", "refs/heads/main@{0}^0")
    for clear in (*branches, commit, f"{commit}~0", "HEAD~1", "HEAD^"):
        growth = plain.check("models", "--base", f"git:{clear}", "--max-growth", "1%")
        assert bases(growth) == (1, [4])


@pytest.mark.parametrize(
    ("ref", "tag"),
    [("refs/remotes/origin/main", "refs/remotes/origin/main"), ("HEAD~1", "HEAD")],
)
def test_a_tag_with_the_whole_name_of_a_missing_branch_does_not_replace_it(plain, ref, tag):
    plain.write("models/net.yaml", net(60))
    plain.commit()
    plain.git("update-ref", f"refs/tags/{tag}", "main")
    plain.git("symbolic-ref", "HEAD", "refs/heads/no-commit-yet")
    code, answer = plain.check("models", "--base", f"git:{ref}", "--max-growth", "1%")
    reason = f"there is no commit `{ref}`: fetch it, or name another"
    assert code == 2
    assert answer["statements"] == [
        f"models/net.yaml: growth is not checked without a base: {reason}"
    ]


# Attributes


@pytest.mark.parametrize(
    ("attributes", "text", "changed"),
    [
        ("*.yaml ident", "source: '$Id: 1 $'\n", "ident"),
        ("*.yaml ident", "source: $Id$\n", ""),
        ("*.yaml working-tree-encoding=UTF-7", "", "working-tree-encoding"),
        ("*.yaml working-tree-encoding=utf-8", "", ""),
        ("*.yaml text eol=crlf", "", ""),
    ],
)
def test_a_spec_that_git_changes_on_checkout_has_no_base(plain, attributes, text, changed):
    """The commit can have a larger network, with which a later change would be compared."""
    plain.write(".gitattributes", attributes)
    plain.write("models/net.yaml", net(60) + text)
    code, answer = plain.check("models", "--base", "git:main", "--max-growth", "1%")
    reason = (
        f"growth is not checked without a base: the Git attribute `{changed}` changes the text of "
        "the spec on checkout, so a later base would be another network: remove the attribute, for "
        "example from `.gitattributes`"
    )
    assert code == (2 if changed else 1)
    assert answer["statements"] == [f"models/net.yaml: {reason}"] * bool(changed)


# Links


@pytest.mark.parametrize("link", ["models/same.yaml", "models"])
def test_a_file_replaced_by_a_link_to_a_larger_one_keeps_its_base(hostile, link):
    hostile.write("old/same.yaml", net(50))
    hostile.commit()
    path = hostile.folder / link
    path.unlink() if path.is_file() else shutil.rmtree(path)
    path.symlink_to(hostile.folder / link.replace("models", "old"))
    code, answer = hostile.check("models/same.yaml", *BASE)
    assert code == 1
    assert answer["networks"][0]["base"]["params"] == 4 * 27 + 4 * 8 + 8 * 8
    code, answer = hostile.check("old/same.yaml", *BASE)
    assert (code, answer["statements"]) == (0, [])


@pytest.mark.parametrize("asked", [["models"], ["models/net.yaml", "models/large.yaml"]])
@pytest.mark.parametrize("filters", [4, 50])
def test_a_link_to_another_spec_hides_no_growth_of_either(plain, asked, filters):
    """One of the two specs is replaced by a link to the other, which then has 40 filters."""
    plain.write("models/large.yaml", net(50))
    plain.commit()
    plain.git("branch", "-f", "base")
    link, target = ("net.yaml", "large.yaml") if filters == 4 else ("large.yaml", "net.yaml")
    (plain.folder / "models" / link).unlink()
    (plain.folder / "models" / link).symlink_to(target)
    plain.write(f"models/{target}", net(40))
    code, answer = plain.check(*asked, *TO_BASE)
    found = {network["spec"]: network["base"]["params"] for network in answer["networks"]}
    assert (code, answer["statements"]) == (1, [])
    assert found == {
        "models/net.yaml": 4 * 27 + 4 * 8 + 8 * 8,
        "models/large.yaml": 50 * 27 + 50 * 8 + 8 * 8,
    }


def test_several_links_to_a_spec_of_the_base_are_checked_once(plain):
    for name in ("a.yaml", "z.yaml"):
        (plain.folder / "models" / name).symlink_to("net.yaml")
    plain.write("models/net.yaml", net(60))
    assert bases(plain.check("models", *TO_BASE)) == (1, [4])


@pytest.mark.parametrize("link", ["models/net.yaml", "models"])
def test_a_link_replaced_by_a_file_keeps_its_base(plain, link):
    plain.git("mv", "models", "old")
    plain.write("models/net.yaml", "")
    path = plain.folder / link
    path.unlink() if path.is_file() else shutil.rmtree(path)
    depth = "../" * link.count("/")
    path.symlink_to(f"{depth}{link.replace('models', 'old')}")
    plain.commit()
    plain.git("branch", "-f", "base")
    assert bases(plain.check("models", *TO_BASE)) == (0, [4])
    path.unlink()
    plain.write("models/net.yaml", net(60))
    assert bases(plain.check("models", *TO_BASE)) == (1, [4])


@pytest.mark.parametrize("link", ["used", "used.yaml"])
@pytest.mark.parametrize("target", ["large", "new"])
def test_a_link_that_leads_to_another_spec_keeps_its_base(plain, link, target):
    """Of the base it is the spec with 4 filters; now it leads to one with 50."""

    def point(name: str) -> None:
        (plain.folder / link).unlink(missing_ok=True)
        (plain.folder / link).symlink_to(name if link == "used" else f"{name}/net.yaml")

    plain.write("large/net.yaml", net(50))
    point("models")
    plain.commit()
    plain.git("branch", "-f", "base")
    plain.write("new/net.yaml", net(50))
    assert bases(plain.check(link, "large", "models", *TO_BASE)) == (0, [4, 50])
    point(target)
    assert bases(plain.check(link, *TO_BASE)) == (1, [4])
    code, answer = plain.check(link, "large", "models", *TO_BASE)
    found = {network["spec"]: network["base"]["params"] for network in answer["networks"]}
    name = "used/net.yaml" if link == "used" else link
    assert code == 1
    assert found == {
        name: 4 * 27 + 4 * 8 + 8 * 8,
        "large/net.yaml": 50 * 27 + 50 * 8 + 8 * 8,
        "models/net.yaml": 4 * 27 + 4 * 8 + 8 * 8,
    }


@pytest.mark.parametrize(
    "target", ["linked/../net.yaml", "{}/deep/net.yaml", "{}/deep/er/../net.yaml", "models/up"]
)
def test_a_link_of_a_commit_leads_where_the_system_follows_it(plain, target):
    """A file in the place of such a link has the base that the link had."""
    plain.write("deep/net.yaml", net(5))
    plain.write("deep/er/other.yaml", net(6))
    plain.write("net.yaml", net(60))  # what the link leads to without the link `linked`
    plain.write("models/net.yaml", net(60))
    (plain.folder / "linked").symlink_to("deep/er")
    (plain.folder / "models/up").symlink_to("../linked/../net.yaml")
    (plain.folder / "link.yaml").symlink_to(target.format(plain.folder))
    plain.commit()
    plain.git("branch", "-f", "base")
    plain.git("rm", "-q", "link.yaml")
    plain.write("link.yaml", net(60))
    assert bases(plain.check("link.yaml", *TO_BASE)) == (1, [5])


def test_links_of_a_commit_that_form_a_loop_lead_to_no_base(plain):
    for name, target in (("a.yaml", "b.yaml"), ("b.yaml", "a.yaml"), ("c", "."), ("d", "/etc")):
        (plain.folder / name).symlink_to(target)
    plain.commit()
    plain.git("branch", "-f", "base")
    plain.git("rm", "-qf", "a.yaml", "d")
    plain.write("a.yaml", net(60))
    plain.write("d/net.yaml", net(60))
    assert bases(plain.check("a.yaml", "d", *TO_BASE)) == (0, [None, None])


def test_a_link_of_a_commit_to_a_path_that_no_system_accepts_leads_to_no_base(plain):
    """Each folder of the path costs time in proportion to the path."""
    hashed = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"],
        cwd=plain.folder,
        check=True,
        capture_output=True,
        input=b"x/" * 500_000,
    )
    link = f"120000,{hashed.stdout.decode().strip()},link"
    plain.git("update-index", "--add", "--cacheinfo", link)
    plain.git("commit", "-q", "-m", "link")
    plain.git("branch", "-f", "base")
    plain.write("link/net.yaml", net(60))
    assert bases(plain.check("link", *TO_BASE)) == (0, [None])


@pytest.mark.parametrize("replaced", ["folder", "link", "pipe", "broken link"])
def test_a_moved_file_has_its_base_whatever_is_in_its_place(plain, replaced):
    old = plain.folder / "models/net.yaml"
    old.unlink()
    if replaced == "folder":
        plain.write("models/net.yaml/larger.yaml", net(60))
    else:
        plain.write("models/larger.yaml", net(60))
    if replaced == "pipe":
        os.mkfifo(old)
    elif replaced != "folder":
        old.symlink_to("larger.yaml" if replaced == "link" else "nothing")
    code, answer = plain.check("models", *TO_BASE)
    (network,) = answer["networks"]
    assert answer["statements"] == [f"{network['spec']} was models/net.yaml in base"]
    assert bases((code, answer)) == (1, [4])


@pytest.mark.parametrize("asked", [".", "nets", "models"])
@pytest.mark.parametrize("link", ["models", "models/net.yaml"])
def test_a_link_left_in_the_place_of_a_moved_spec_hides_no_growth(plain, link, asked):
    plain.git("mv", "models", "nets")
    (plain.folder / link).parent.mkdir(exist_ok=True)
    (plain.folder / link).symlink_to(f"{'../' * link.count('/')}{link.replace('models', 'nets')}")
    plain.write("nets/net.yaml", net(60))
    assert bases(plain.check(asked, *TO_BASE)) == (1, [4])


@pytest.mark.parametrize("target", ["../store", "../.hidden", "other"])
def test_specs_of_a_folder_that_a_link_replaces_are_deleted(plain, target):
    """A check of a folder follows no link in it, so it no longer checks them."""
    plain.write("models/sub/a.yaml", net(4))
    plain.write("models/other/a.yaml", net(4))
    plain.commit()
    plain.git("branch", "-f", "base")
    shutil.rmtree(plain.folder / "models/sub")
    (plain.folder / "models/sub").symlink_to(target)
    plain.write(f"models/{target}/a.yaml", net(4))
    _, answer = plain.check("models", *TO_BASE)
    assert answer["statements"] == ["models/sub/a.yaml is deleted; it was in base"]


def test_a_base_larger_than_the_limit_of_a_spec_is_not_read(plain, monkeypatch):
    plain.write("models/deleted.yaml", net(4))
    plain.commit()
    plain.git("branch", "-f", "base")
    plain.git("rm", "-q", "models/deleted.yaml")
    plain.write("models/new.yaml", net(60))
    monkeypatch.setattr("convcost.sources.git.MAX_BYTES", len(net(4)) - 1)
    code, answer = plain.check("models", *TO_BASE)
    reason = "it is larger than the limit of 100 MiB"
    fix = "growth is not checked; fix the base or name another"
    assert code == 2
    why = "`models/deleted.yaml` was deleted, and is larger than the limit of a spec"
    assert answer["statements"] == [
        f"models/new.yaml: growth is not checked without a base: {why}",
        f"models/net.yaml: its base is not a valid spec ({reason}): {fix}",
        "models/deleted.yaml is deleted; it was in base",
    ]


def test_a_commit_with_endlessly_many_files_has_no_base(plain, monkeypatch):
    """A few trees, each with the next one ten times, list 10¹⁰ files: over 13 GB in memory."""
    monkeypatch.setattr(git_repository, "MAX_OUTPUT", 2**20)
    (plain.folder / ("x" * 200)).mkdir()
    for number in range(2**20 // 200):
        (plain.folder / ("x" * 200) / f"{number}").touch()
    plain.commit()
    found = convcost.check(plain.folder / "models/net.yaml", base="git:HEAD", max_growth="0")
    reason = "git lists or prints more than 1 MiB"
    assert not found.ok
    assert found.statements[0].endswith(f": growth is not checked without a base: {reason}")
    found = convcost.check(plain.folder / "models/net.yaml", base="git:HEAD~1", max_growth="0")
    assert found.statements[0].endswith(f": {reason}")  # the index lists them, too


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes there")
@pytest.mark.parametrize(
    "file", ["HEAD", "index", "config", "info/attributes", "../.gitattributes"]
)
def test_a_named_pipe_in_the_place_of_a_file_of_git_ends_within_seconds(plain, monkeypatch, file):
    monkeypatch.setattr(git_repository, "SHORT_TIMEOUT", 1)
    (plain.folder / ".git" / file).unlink(missing_ok=True)
    os.mkfifo(plain.folder / ".git" / file)
    found = convcost.check(plain.folder / "models/net.yaml", base="git:base", max_growth="0")
    assert not found.ok
    assert found.statements[0].endswith(": git did not finish within 1 seconds")


def test_an_interrupt_while_git_starts_leaves_no_thread(plain, monkeypatch):
    class InterruptedThread(threading.Thread):
        def start(self):
            super().start()
            raise KeyboardInterrupt

    monkeypatch.setattr(git_repository, "Thread", InterruptedThread)
    before = threading.enumerate()
    with pytest.raises(KeyboardInterrupt):
        convcost.check(plain.folder / "models/net.yaml", base="git:base", max_growth="0")
    assert threading.enumerate() == before


POINTER = """\
version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 12345
"""


def test_a_pointer_of_git_lfs_in_the_base_has_no_costs(plain):
    plain.write("models/net.yaml", POINTER)
    plain.commit()
    plain.git("branch", "-f", "base")
    plain.write("models/net.yaml", net(60))
    code, answer = plain.check("models", *TO_BASE)
    why = "the commit has a pointer of Git LFS in its place"
    fix = "growth is not checked; fix the base or name another"
    assert code == 2
    assert answer["statements"] == [f"models/net.yaml: its base is not a valid spec ({why}): {fix}"]
    (plain.folder / "models/net.yaml").rename(plain.folder / "models/new.yaml")
    code, answer = plain.check("models", *TO_BASE)
    assert code == 2
    assert answer["statements"] == [
        "models/new.yaml: growth is not checked without a base: `models/net.yaml` was deleted, and "
        + why,
        "models/net.yaml is deleted; it was in base",
    ]


# Renames


@pytest.mark.skipif(sys.platform != "linux", reason="both names are one file there")
@pytest.mark.parametrize("names", [("Large.yaml", "large.yaml"), ("\u00e9.yaml", "e\u0301.yaml")])
@pytest.mark.parametrize("base", ["git:base", "base.json"])
def test_where_case_and_accents_do_not_count_a_file_keeps_its_base(plain, names, base):
    """A hard link is what another spelling of the name is on such a system."""
    old, new = (f"models/{name}" for name in names)
    plain.write(old, net(4))
    plain.commit()
    plain.git("branch", "-f", "base")
    run("check", old, "--base", "base.json", "--update-baseline", cwd=plain.folder)
    plain.write(old, net(60).replace("name: net", "name: other"))
    os.link(plain.folder / old, plain.folder / new)
    assert bases(plain.check(new, "--base", base, "--max-growth", "1%")) == (1, [4])
    (plain.folder / old).unlink()
    plain.write(new, net(60))
    plain.write(old, net(4))
    assert bases(plain.check(new, old, "--base", base, "--max-growth", "1%")) == (0, [None, 4])


def test_a_file_that_a_sparse_checkout_leaves_out_is_not_deleted(hostile):
    hostile.commit("renamed")
    hostile.git("sparse-checkout", "set", "--no-cone", "/models/same.yaml")
    assert not (hostile.folder / "models/new.yaml").exists()
    assert hostile.statements() == []


def test_a_spec_renamed_from_another_suffix_keeps_its_base(hostile):
    hostile.write("models/old.txt", net(7))
    hostile.commit()
    (hostile.folder / "models/old.txt").rename(hostile.folder / "models/late.txt")
    assert hostile.statements("models/late.txt", *BASE) == [
        "models/late.txt was models/old.txt in HEAD"
    ]


@pytest.mark.parametrize(
    ("new", "old", "similar"),
    [
        (b"a: 1\nb: 2\n", b"a: 1\nb: 3\n", True),  # half of the bytes
        (b"a: 1\nb: 2\nc: 3\n", b"a: 1\nb: 3\nc: 4\n", False),
        (b"  a: 1\r\n\r\n", b"a: 1\n", True),
        (b"x" * 64 + b"y" * 64, b"x" * 64 + b"z" * 64, True),  # one line, two pieces
        (b"", b"a: 1\n", False),
    ],
)
def test_files_that_share_half_of_their_bytes_are_similar(new, old, similar):
    assert detect_renames({"new": new}, {"old": old}) == ({"new": "old"} if similar else {})


def test_among_many_large_files_only_equal_contents_are_renames():
    lines = b"".join(b"x%d: 1\n" % number for number in range(1_000))
    deleted = {f"old{n}": lines + b"y: %d\n" % n for n in range(40)}
    new = {f"new{n}": lines + b"y: %d\n" % n for n in range(39, 80)}
    assert detect_renames(new, deleted) == {"new39": "old39"}
