"""Rule 16: lists are keyset pages; nothing skips rows and no page counts them."""

import ast
import re

from app.core.query import PageQuery, Query
from tests.rules.sources import modules, sources, told

# OFFSET 0 skips nothing: it keeps PostgreSQL from joining a subquery into its surroundings
SKIPS = re.compile(r"\bOFFSET\s+(\$|:|%|[1-9]|\{)", re.IGNORECASE)
ZERO = {"0", "literal_column('0')"}
COUNTS = re.compile(r"\bcount\s*\(", re.IGNORECASE)


def queries() -> dict[str, Query]:
    return {
        f"{module.__name__.replace('.', '/')}.py {name}": value
        for module in modules()
        for name, value in vars(module).items()
        if isinstance(value, Query)
    }


def test_no_statement_skips_rows() -> None:
    breaches = []
    for source in sources():
        breaches += [
            f"{source.at(call)} {name}(): page by keys, not by offset"
            for name, call in source.calls()
            if name.endswith((".offset", ".slice")) and ast.unparse(call.args[0]) not in ZERO
        ]
        breaches += [
            f"{source.at(node)}: OFFSET in SQL; page by keys"
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SKIPS.search(node.value)
        ]
    breaches += [f"{name}: OFFSET; page by keys" for name, query in queries().items() if SKIPS.search(query.sql)]
    assert not breaches, told(breaches)


def test_no_page_counts_rows() -> None:
    pages = {name: query for name, query in queries().items() if isinstance(query, PageQuery)}
    breaches = [
        f"{name}: count() in a page; keep the count in a column" for name, q in pages.items() if COUNTS.search(q.sql)
    ]
    assert not breaches, told(breaches)
    assert len(pages) > 10, "the pages were not found"
