"""Shared by all tests: where the builds are, what is skipped, and the closing line."""

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


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


def pytest_unconfigure(config):
    """End in `N passed, N failed, N skipped`, whatever pytest printed before."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly:
        return
    count = {k: len(v) for k, v in reporter.stats.items()}
    failed = count.get("failed", 0) + count.get("error", 0)
    line = f"{count.get('passed', 0)} passed, {failed} failed"
    if count.get("skipped"):
        line += f", {count['skipped']} skipped"
    print(line)
