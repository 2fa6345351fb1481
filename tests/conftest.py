"""Shared by all tests: where the builds are, what is skipped, and the closing line."""

import contextlib
import os
import shutil
import tempfile

import pytest

from harness import ROOT, Server


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also run tests that take hours")
    parser.addoption("--clients", action="store_true", help="also run every real client")


def pytest_collection_modifyitems(config, items):
    for mark in ("long", "clients"):
        if config.getoption(f"--{mark}"):
            continue
        skip = pytest.mark.skip(reason=f"runs with ./test {mark}")
        for item in items:
            if mark in item.keywords:
                item.add_marker(skip)


def pytest_configure(config):
    """Unwind tables of a session are its own: none of another build, none left behind."""
    config.unwind_tables = tempfile.mkdtemp(prefix="everprof-tables-")
    os.chmod(config.unwind_tables, 0o755)  # for tests that run as another user
    os.environ["EVERPROF_CACHE"] = config.unwind_tables


@pytest.fixture(scope="session")
def build():
    """The folder of the normal build: everprof, libeverprof.so."""
    return ROOT / os.environ.get("EVERPROF_BUILD", "build-test")


@pytest.fixture(scope="session")
def everprof(build):
    return build / "everprof"


@pytest.fixture(scope="session")
def data():
    return ROOT / "tests" / "data"


@pytest.fixture
def data_dir(tmp_path):
    """A folder that an unprivileged server can enter too."""
    for p in [tmp_path, *tmp_path.parents]:
        with contextlib.suppress(PermissionError):
            if p.stat().st_uid == os.getuid() and p.name and p.name != "tmp":
                p.chmod(p.stat().st_mode | 0o055)
    return tmp_path / "data"


@pytest.fixture
def server(everprof, data_dir):
    """A running `everprof serve`."""
    s = Server(everprof, data_dir).start()
    yield s
    if s.process.poll() is None:
        s.stop()


def pytest_unconfigure(config):
    """End in `N passed, N failed, N skipped`, whatever pytest printed before."""
    shutil.rmtree(config.unwind_tables, ignore_errors=True)
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly:
        return
    count = {k: len(v) for k, v in reporter.stats.items()}
    failed = count.get("failed", 0) + count.get("error", 0)
    line = f"{count.get('passed', 0)} passed, {failed} failed"
    if count.get("skipped"):
        line += f", {count['skipped']} skipped"
    print(line)
