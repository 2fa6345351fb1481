"""What keeps the tree in order: links that lead somewhere, files of one idea."""

import re
import subprocess

import pytest

from harness import ROOT

LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
LONGEST_FILE = 800


def tracked(*patterns):
    done = subprocess.run(["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / p for p in done.stdout.splitlines() if (ROOT / p).exists()]


def test_links_in_the_documents_lead_somewhere():
    faults = []
    for page in tracked("*.md"):
        for target in LINK.findall(page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                faults.append(f"{page.relative_to(ROOT)}: {target}")
    assert not faults, "\n".join(faults)


def test_no_file_holds_more_than_one_idea():
    lengths = {p: len(p.read_text().splitlines()) for p in tracked("*.c", "*.h", "*.ts", "*.tsx", "*.py")}
    faults = [f"{p.relative_to(ROOT)}: {n} lines" for p, n in lengths.items() if n > LONGEST_FILE]
    assert not faults, "\n".join(faults)


def test_every_page_has_a_title():
    for page in tracked("docs/*.md"):
        assert page.read_text().startswith("# "), page.relative_to(ROOT)
