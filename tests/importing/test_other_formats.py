"""Files of formats that are not read: the message says what they hold and how to go on."""

import pytest
from support import run

from convcost.importing.other_formats import FILE_CONTENTS, FOLDER_CONTENTS


@pytest.mark.parametrize("suffix", FILE_CONTENTS)
@pytest.mark.parametrize("command", ["import", "analyze"])
def test_a_file_of_another_format_is_refused_with_a_way_on(command, suffix, tmp_path):
    (tmp_path / f"net{suffix.upper()}").write_bytes(b"\0")
    done = run(command, f"net{suffix.upper()}", cwd=tmp_path)
    holds, way = FILE_CONTENTS[suffix]
    message = f"net{suffix.upper()}: convcost cannot read this file: it contains {holds}"
    assert done.returncode == 2
    assert done.stderr.decode() == f"error[CC401]: {message}\nhelp: {way}\n"


@pytest.mark.parametrize("name", FOLDER_CONTENTS)
@pytest.mark.parametrize("command", ["import", "analyze"])
def test_so_is_a_folder(command, name, tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / name).write_bytes(b"")
    done = run(command, "net", cwd=tmp_path)
    holds, way = FOLDER_CONTENTS[name]
    assert (done.returncode, done.stderr.decode()) == (
        2,
        f"error[CC401]: net: convcost cannot read this folder: it contains {holds}\nhelp: {way}\n",
    )


def test_a_file_that_is_not_there_is_missing_whatever_its_suffix(tmp_path):
    done = run("import", "net.pt", cwd=tmp_path)
    assert b"the name is not that of a model" in done.stderr
