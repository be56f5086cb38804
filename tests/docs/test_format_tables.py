"""The tables of formats in docs/ are complete."""

import re

import pytest
from support import ROOT

from convcost.render import all_formats


def listed_formats(page):
    """The formats in the table of a page, each with its suffixes."""
    table = page.split("| format | suffix | for |\n")[1].split("\n\n")[0].splitlines()[1:]
    found = {}
    for row in table:
        formats, suffixes = (re.findall(r"`(.*?)`", cell) for cell in row.split("|")[1:3])
        # If a row has several formats, each has one suffix.
        several = len(formats) > 1
        for number, name in enumerate(formats):
            found[name] = tuple(suffixes[number : number + 1] if several else suffixes)
    return found


@pytest.mark.parametrize(("name", "lacks"), [("reports.md", "findings"), ("ci.md", "charts")])
def test_a_page_lists_the_formats_with_their_suffixes(name, lacks):
    listed = listed_formats((ROOT / "docs" / name).read_text("utf-8"))
    known = {form.name: form.suffixes for form in all_formats() if form.needs != lacks}
    table = f"the table of formats in docs/{name}"
    for form in known.keys() - listed.keys():
        pytest.fail(f"add a row for `{form}` to {table}")
    assert listed == known, f"change {table}"


def test_the_page_of_reports_lists_the_formats_for_readers():
    page = (ROOT / "docs" / "reports.md").read_text("utf-8")
    sentence = page.split("in the formats for readers: ")[1].split(". ")[0]
    readers = {form.name for form in all_formats() if form.for_readers}
    assert set(re.findall("`(.*?)`", sentence)) == readers, "docs/reports.md, `formats for readers`"
