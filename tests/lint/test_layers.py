"""src/layers.txt is the map of the rooms; no include may leave it."""

import re

from harness import ROOT

SRC = ROOT / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)


def read_map():
    rooms, foreign = {}, {}
    for line in (SRC / "layers.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        name, _, rest = line.partition(":")
        name = name.strip()
        if name.startswith("<"):
            foreign[name[1:-1]] = rest.split()
        else:
            above = set(rest.split())
            unknown = above - set(rooms)
            assert not unknown, f"{name} names rooms that do not stand above it: {sorted(unknown)}"
            rooms[name] = above | {name}
    return rooms, foreign


def room_of(path, rooms):
    folder = path.parent
    while folder != SRC and folder.is_relative_to(SRC):
        name = str(folder.relative_to(SRC))
        if name in rooms:
            return name
        folder = folder.parent
    return None


def sources():
    return sorted(p for p in SRC.rglob("*") if p.suffix in (".c", ".h"))


def test_every_include_stays_within_the_map():
    rooms, _ = read_map()
    faults = []
    for path in sources():
        room = room_of(path, rooms)
        assert room, f"{path.relative_to(ROOT)} is in no room of layers.txt"
        for kind, target in INCLUDE.findall(path.read_text()):
            if kind != '"' or not (SRC / target).exists():
                continue
            other = room_of(SRC / target, rooms)
            if other not in rooms[room]:
                faults.append(f"{path.relative_to(SRC)} includes {target}: {room} may not use {other}")
    assert not faults, "\n".join(faults)


def test_internal_includes_are_written_from_src():
    faults = []
    for path in sources():
        for kind, target in INCLUDE.findall(path.read_text()):
            if kind == '"' and not (SRC / target).exists() and (path.parent / target).exists():
                faults.append(f"{path.relative_to(SRC)}: write {target} from src/")
    assert not faults, "\n".join(faults)


def test_a_foreign_header_has_one_door():
    _, foreign = read_map()
    faults = []
    for path in sources():
        here = str(path.relative_to(SRC))
        for kind, target in INCLUDE.findall(path.read_text()):
            doors = foreign.get(target) if kind == "<" else None
            if doors and not any(here == d or (d.endswith("/") and here.startswith(d)) for d in doors):
                faults.append(f"{here} includes <{target}>; only {', '.join(doors)} may")
    assert not faults, "\n".join(faults)


def test_file_names_are_unique_across_rooms():
    seen, twice = {}, []
    for path in sources():
        if path.name in seen:
            twice.append(f"{path.relative_to(SRC)} and {seen[path.name].relative_to(SRC)}")
        seen[path.name] = path
    assert not twice, "\n".join(twice)
