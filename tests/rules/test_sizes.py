"""Rules 20 and 21: small functions, small files, names that say what something does."""

import ast
import re
from statistics import median

from tests.rules.sources import APP, sources, told

MOST_LINES, MOST_MEDIAN, MOST_IN_FILE = 50, 10, 300
VAGUE = re.compile(r"^(utils?|helpers?|common|managers?|base|misc|tools)$|_(utils?|helpers?|manager|common)$")
UNDONE = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b|\bfor now\b", re.IGNORECASE)


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_functions_are_small() -> None:
    lengths = {f"{s.at(f)} {f.name}": length(f) for s in sources() for f in s.functions()}
    breaches = [
        f"{name} has {lines} lines, {MOST_LINES} at most" for name, lines in lengths.items() if lines > MOST_LINES
    ]
    assert not breaches, told(breaches)
    assert median(lengths.values()) <= MOST_MEDIAN


def test_files_are_small() -> None:
    lengths = {source.name: len(source.path.read_text().splitlines()) for source in sources()}
    breaches = [
        f"{name}:1 has {lines} lines, {MOST_IN_FILE} at most" for name, lines in lengths.items() if lines > MOST_IN_FILE
    ]
    assert not breaches, told(breaches)


def test_files_say_what_they_are() -> None:
    breaches = [
        f"{source.name}:1 needs a docstring that says what the file is for"
        for source in sources()
        if source.path.read_text().strip() and not ast.get_docstring(source.tree)
    ]
    assert not breaches, told(breaches)


def test_public_classes_and_functions_say_what_they_do() -> None:
    breaches = []
    for source in sources():
        public = {name for node in source.tree.body for name in exported(node)}
        breaches += [
            f"{source.at(node)} {node.name} stands in __all__ and needs a docstring"
            for node in source.tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name in public
            and not ast.get_docstring(node)
        ]
    assert not breaches, told(breaches)


def exported(node: ast.stmt) -> list[str]:
    named = isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]
    return ast.literal_eval(node.value) if named else []


def test_names_are_the_fields_own() -> None:
    paths = [path for path in APP.rglob("*") if "__pycache__" not in path.parts and path.suffix in {"", ".py"}]
    breaches = [
        f"{path.relative_to(APP.parent)}: name it after what it does" for path in paths if VAGUE.search(path.stem)
    ]
    assert not breaches, told(breaches)
    assert len(paths) > 50


def test_nothing_is_put_off() -> None:
    breaches = [
        f"{source.name}:{number} {line.strip()}"
        for source in sources()
        for number, line in enumerate(source.path.read_text().splitlines(), 1)
        if UNDONE.search(line)
    ]
    assert not breaches, told(breaches)
