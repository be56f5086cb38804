"""docs/limits.md has each limit with its number: one that is raised or removed is seen there."""

import re
import unicodedata

import pytest
from support import ROOT

from convcost.commands import formula, match, verify
from convcost.design_space import space, trace
from convcost.importing.frontends.keras import archive, model, stored_weights
from convcost.importing.frontends.onnx import constants, file, inlining, shape_inference
from convcost.importing.frontends.tflite import file as tflite_file
from convcost.importing.frontends.tflite import lower_graph, shape_numbers
from convcost.language import (
    arithmetic,
    budget_config,
    expressions,
    load,
    network_builder,
    patterns,
    problems,
    scalars,
    size_estimate,
    variants,
    yaml_nodes,
)
from convcost.model import execution_order, figures, options, suggestions
from convcost.reports.check import evaluate as check_evaluate
from convcost.reports.check import moved_networks
from convcost.sources import budget_config as found_config
from convcost.sources import git_repository, rename_detection, spec_files

# The beginning of each row, and its numbers.
LIMITS = {
    "a file, or standard input": [spec_files.MAX_BYTES],
    "YAML: levels of nesting": [yaml_nodes.MAX_DEPTH],
    "YAML: entries that `<<` adds": [yaml_nodes.MAX_MERGED],
    "entries of lists and mappings that aliases repeat": [problems.MAX_REPEATED],
    "inputs of all layers and block calls": [network_builder.MAX_FURTHER_INPUTS],
    "layers that `when` or `repeat: 0` leaves out": [network_builder.MAX_LEFT_OUT],
    "characters of all expressions": [network_builder.MAX_EVALUATED],
    "blocks that call each other": [size_estimate.MAX_CALL_DEPTH],
    "layers, or groups, of a network": [network_builder.MAX_LAYERS],
    "layers and groups of all networks of a file": [load.MAX_LAYERS_IN_ALL],
    "variants of a document": [variants.MAX_VARIANTS],
    "values of a document, times its variants": [variants.MAX_VALUES],
    "values of a spec, times the settings": [verify.MAX_VALUES],
    "layers nested in each other": [yaml_nodes.MAX_DEPTH],
    "characters of all paths": [network_builder.MAX_PATH_CHARACTERS],
    "values of the options of all block calls": [network_builder.MAX_OPTION_VALUES],
    "a number in an option": [options.MAX_NUMBER],
    "channels or a side of an output": [network_builder.MAX_SIDE],
    "params or macs that a `custom` layer declares": [options.MAX_STATED],
    "axes of the input of a window": [options.MAX_WINDOW_AXES],
    "axes of a tensor": [options.MAX_TENSOR_AXES],
    "characters of an expression": [expressions.MAX_LENGTH],
    "parentheses of an expression": [expressions.MAX_PARENTHESES],
    "bits of a numerator or denominator": [arithmetic.MAX_BITS],
    "exponent of a number": [scalars.MAX_EXPONENT],
    "characters of a published figure or a limit": [figures.MAX_DIGITS],
    "comparisons of the patterns of a budget": [patterns.MAX_COMPARISONS],
    "comparisons of the globs of `convcost.yaml`": [patterns.MAX_COMPARISONS],
    "`**/` in a glob": [budget_config.MAX_RECURSIVE],
    "files below a folder": [found_config.MAX_FILES],
    "limits of the budgets for a spec": [check_evaluate.MAX_FINDINGS],
    "layers of all `groups` of the budgets": [check_evaluate.MAX_GROUPED],
    "layers of a spec, over all settings": [verify.MAX_LAYERS],
    "branches and layers of a part": [execution_order.MAX_SEGMENTS],
    "comparisons of the layers of new or changed networks": [moved_networks.MAX_COMPARISONS],
    "a file of the commit of `--base`": [spec_files.MAX_BYTES],
    "what one call of Git prints": [git_repository.MAX_OUTPUT],
    "seconds of one call of Git": [git_repository.TIMEOUT, git_repository.SHORT_TIMEOUT],
    "comparisons of the lines of new and deleted files": [rename_detection.MAX_COMPARISONS],
    "values of a range in `search --vary`": [space.MAX_VALUES],
    "terms and factors of a formula": [formula.MAX_LENGTH],
    "terms and factors of all numbers": [trace.MAX_DEGREES],
    "nested floors": [trace.MAX_DEPTH],
    "layers of all settings that `match` tries": [match.MAX_LAYERS],
    "different layers of these settings": [match.MAX_DIFFERENT],
    "values of the spec, times these settings": [match.MAX_VALUES],
    "the configuration of a Keras model": [archive.MAX_BYTES, archive.MAX_VALUES],
    "the levels of nesting of that configuration": [archive.MAX_NESTING],
    "the weights of a Keras model": [stored_weights.MAX_BYTES],
    "the layers of a Keras model": [model.MAX_LAYERS],
    "an ONNX file": [file.MAX_BYTES + 1],
    "nodes that the calls of its own functions": [inlining.MAX_ADDED_NODES],
    "nodes that the steps of all its loops": [inlining.MAX_ADDED_NODES],
    "elements of the constants that convcost computes in an ONNX": [constants.MAX_TOTAL],
    "axes of an ONNX tensor": [shape_inference.MAX_AXES],
    "the operators of a TensorFlow Lite model": [lower_graph.MAX_OPERATORS],
    "the entries of its file": [tflite_file.MAX_ENTRIES],
    "elements of a shape that convcost computes": [shape_numbers.MAX_ELEMENTS],
}
ROW = re.compile(r"^\| ([^|]+) \| (\d[^|]*) \|", re.MULTILINE)
PAGE = (ROOT / "docs" / "limits.md").read_text("utf-8")
ROWS = ROW.findall(PAGE)
NUMBER = re.compile(r"(\d[\d,]*)([⁰¹²³⁴-⁹]*)(?: (MiB|GiB))?")
POWERS = {"": 1, "MiB": 2**20, "GiB": 2**30}


def numbers(text: str) -> list[int]:
    """`100 MiB, 1,000,000 values` as two numbers, `2²⁴` as one."""
    return [
        int(base.replace(",", "")) ** int(unicodedata.normalize("NFKC", power) or 1) * POWERS[unit]
        for base, power, unit in NUMBER.findall(text.replace(", ", "; "))
    ]


@pytest.mark.parametrize(("what", "limit"), ROWS)
def test_a_limit_of_the_page_is_that_of_the_code(what, limit):
    known = [found for beginning, found in LIMITS.items() if what.startswith(beginning)]
    assert [numbers(limit)] == known


def test_the_page_has_all_limits():
    assert len(ROWS) == len(LIMITS)


def test_the_page_has_the_limits_for_names_that_are_compared():
    names = f"compared with at most {suggestions.MAX_COMPARED:,} known names, those of all files"
    assert f"{names} of a command with at most {suggestions.MAX_COMPARED_IN_CALL:,}. After" in PAGE
