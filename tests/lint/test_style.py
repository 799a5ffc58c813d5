# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""What HACKING forbids and a machine can see."""

import re

import pytest

from tree import TOP, c_files, files, shipped_c_files

LINES_MAX = 600
FUNCTION_MAX = 60


def code(path):
    """The text without comments, strings and character constants, line for
    line."""
    text = (TOP / path).read_text()
    return re.sub(
        r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
        lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


@pytest.mark.parametrize("path", shipped_c_files())
def test_file_length(path):
    """Rule 2: past 600 lines, split or say why at the top.  A unit test is one
    program for a folder and may be longer."""
    text = (TOP / path).read_text()
    n = text.count("\n")
    head = text.split("*/")[0] if "*/" in text else ""
    assert n <= LINES_MAX or re.search(r"longer than \d+ lines|past 600", head), \
        f"{path}: {n} lines"


@pytest.mark.parametrize("path", shipped_c_files())
def test_function_length(path):
    """Rule 2: one screen; tables and flat switches may be longer."""
    start = None
    lines = code(path).splitlines()
    for i, line in enumerate(lines):
        if line.startswith("{"):
            start = i
        elif line.startswith("}") and start is not None:
            body = lines[start:i]
            is_flat = sum(x.lstrip().startswith(("case ", "default:"))
                          for x in body) > 12
            assert i - start - 1 <= FUNCTION_MAX or is_flat, \
                f"{path}:{start + 1}: {i - start - 1} lines"
            start = None


@pytest.mark.parametrize("path", c_files())
def test_line_length(path):
    for i, line in enumerate((TOP / path).read_text().splitlines(), 1):
        width = len(line.expandtabs(8))
        assert width <= 80, f"{path}:{i}: {width} columns"
        assert line == line.rstrip(), f"{path}:{i}: blanks at the end"


FORBIDDEN = (
    "strcpy strcat sprintf vsprintf strncpy strncat strtok strtok_r atoi atol "
    "atoll strtol strtoul strtoll strtoull sscanf gets alloca setjmp longjmp "
    "setlocale isalpha isdigit isalnum isspace isupper islower isprint "
    "isxdigit toupper tolower ispunct iscntrl mktemp tmpnam system popen "
    "localtime gmtime ctime asctime inet_ntoa gethostbyname signal rand "
    "srand strcasecmp strncasecmp readdir_r bcopy bzero").split()


@pytest.mark.parametrize("path", shipped_c_files())
def test_forbidden_functions(path):
    """Rule 13."""
    text = code(path)
    for m in re.finditer(r"(?<![\w.>])(\w+)\s*\(", text):
        if m.group(1) in FORBIDDEN:
            line = text.count("\n", 0, m.start()) + 1
            raise AssertionError(f"{path}:{line}: {m.group(1)}()")
    for header in ("ctype.h", "locale.h", "setjmp.h", "alloca.h"):
        assert not re.search(rf"#\s*include\s+<{header}>",
                             (TOP / path).read_text()), f"{path}: {header}"


@pytest.mark.parametrize("path", shipped_c_files())
def test_return_type_on_its_own_line(path):
    """Rule 1: grep -n '^name' finds the definition."""
    text = code(path)
    for m in re.finditer(
            r"(?m)^(?!static_assert|_Static_assert)[a-z][\w ]*[ *](\w+)\("
            r"[^;{]*\)\s*\n\{", text):
        line = text.count("\n", 0, m.start()) + 1
        raise AssertionError(f"{path}:{line}: {m.group(1)}")


@pytest.mark.parametrize("path", c_files())
def test_licence_and_words(path):
    text = (TOP / path).read_text()
    assert "SPDX-License-Identifier: ISC" in text.split("*/")[0], path
    assert "typedef struct" not in text, f"{path}: rule 6"
    for word in ("TODO", "FIXME"):
        assert word not in text, f"{path}: {word}"


# Put together so that this file does not find itself.
MACHINE = re.compile(
    "/ro" "ot/|/wo" r"rk/|npm" r"js\.|registry\." r"[a-z]|deb\.debian|"
    "py" r"pi\.org")


@pytest.mark.parametrize("path", files())
def test_no_machine_paths(path):
    try:
        text = (TOP / path).read_text()
    except UnicodeDecodeError:
        return
    found = MACHINE.search(text)
    assert not found, f"{path}: {found.group()}"
