"""Rule 17 and the directions of imports: importing a file only registers."""

import ast
import json
import subprocess
import sys
import tomllib

from tests.rules.sources import APP, ROOT, Source, sources, told

WATCHER = '''
import importlib, json, os, sys

ROOT, MODULES = sys.argv[1], json.loads(sys.argv[2])
sys.path.insert(0, ROOT)
breaches = []
WRITES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "os.chmod", "os.chown"}
LEAVES = {"socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.fork"}


def culprit():
    """The line of the program that runs because its file is imported."""
    frame = sys._getframe(2)
    while frame is not None and "importlib" not in frame.f_code.co_filename:
        if frame.f_code.co_filename.startswith(ROOT + "/app/"):
            return f"{frame.f_code.co_filename[len(ROOT) + 1:]}:{frame.f_lineno}"
        frame = frame.f_back
    return None


def watch(event, arguments):
    if event == "open":
        _, mode, flags = arguments
        writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (flags or 0) & (os.O_WRONLY | os.O_RDWR)
        if not writes:
            return
    elif event not in WRITES | LEAVES:
        return
    if place := culprit():
        breaches.append(f"{place} {event} {arguments[:1]}")


class Environment(type(os.environ)):
    def __getitem__(self, key):
        # What libraries read when they are called is their own affair.
        frame = sys._getframe(1)
        while frame.f_code.co_filename.endswith(("os.py", "os>", "_collections_abc.py", "_collections_abc>")):
            frame = frame.f_back
        if frame.f_code.co_filename.startswith(ROOT + "/app/") and (place := culprit()):
            breaches.append(f"{place} reads the environment: {key}")
        return super().__getitem__(key)


os.environ.__class__ = Environment
sys.addaudithook(watch)
for name in MODULES:
    importlib.import_module(name)
print(json.dumps(sorted(set(breaches))))
'''


def test_importing_does_nothing() -> None:
    names = json.dumps([source.module for source in sources()])
    child = subprocess.run(
        [sys.executable, "-B", "-c", WATCHER, str(ROOT), names], capture_output=True, text=True, check=False, cwd="/"
    )
    assert child.returncode == 0, child.stderr
    breaches = json.loads(child.stdout.splitlines()[-1])
    assert not breaches, told(breaches)


def test_every_module_has_its_layer_and_imports_point_down() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    layers = {name.strip(" ()") for layer in contract["layers"] for name in layer.split("|")}
    there = {path.stem for path in APP.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert contract["exhaustive"] is True
    assert there - {"__init__"} <= layers, f"without a layer: {there - {'__init__'} - layers}"
    linter = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    child = subprocess.run(linter, cwd=ROOT, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stdout + child.stderr


def test_only_the_api_imports_routers() -> None:
    breaches = [
        f"{source.at(node)} imports a router of another module"
        for source in sources()
        if source.name not in {"app/api.py", "app/compat/router.py", "app/main.py"}
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and is_router(node) and not is_near(source, node)
    ]
    assert not breaches, told(breaches)


def is_router(node: ast.ImportFrom) -> bool:
    return (node.module or "").endswith("router") or any(name.name == "router" for name in node.names)


def is_near(source: Source, node: ast.ImportFrom) -> bool:
    return source.module.rpartition(".")[0] == (node.module or "").rpartition(".")[0]
