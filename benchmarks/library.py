"""What the library costs the program it is in, beside peers and floors of the same run.

    bench-library EVERPROF [handler] [overhead] [heap] [labels] [locks] [custom] [threads]
                           [runs=5] [seconds=20]

Without names: all of them.  Each row: everprof, then what stands beside it, then the goal and
whether it is met.  Workloads are in benchmarks/library; runs of all take turns, and figures are
medians of their runs (least to most), or, where two sides take turns inside one process, means
with their 95 % interval.  Samples are pushed to a listener of this script, so the library does
all it does in service.
"""

import http.server
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading

LIBS = pathlib.Path("/usr/lib/x86_64-linux-gnu")
PROFILER = LIBS / "libprofiler.so.0"
ALLOCATORS = {"glibc": ("", "libc.so.6"), "jemalloc": (LIBS / "libjemalloc.so.2", "libjemalloc.so.2"),
              "tcmalloc": (LIBS / "libtcmalloc.so.4", "libtcmalloc.so.4")}
BUILD = pathlib.Path(sys.argv[1]).resolve().parent if len(sys.argv) > 1 else None
WORK = BUILD and BUILD / "benchmarks"
EVERPROF = BUILD and BUILD / "libeverprof.so"


class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def listen():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return {"EVERPROF_SERVER": f"http://127.0.0.1:{server.server_port}", "EVERPROF_NAME": "bench",
            "XDG_STATE_HOME": str(WORK)}


def run(program, *options, preload=(), **env):
    """The RESULT lines of a run, each a dict; the lines of one run that have the same keys stay apart."""
    env = {**os.environ, **{k: str(v) for k, v in env.items()}}
    env.pop("LD_PRELOAD", None)
    if preload := [str(p) for p in preload if p]:
        env["LD_PRELOAD"] = ":".join(preload)
    done = subprocess.run([str(WORK / program), *map(str, options)], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600)
    results = [dict(p.split("=", 1) for p in line.split() if "=" in p)
               for line in done.stdout.splitlines() if line.startswith("RESULT")]
    if not results:
        sys.exit(f"bench: {program} {' '.join(map(str, options))} ended with {done.returncode}: {done.stderr[-300:]}")
    return [{k: number(v) for k, v in r.items()} for r in results]


def number(text):
    try:
        return float(text)
    except ValueError:
        return text


def interleave(configs, times):
    """configs: name -> function that runs once.  By turns; name -> list of what it returned."""
    got = {name: [] for name in configs}
    names = list(configs)
    for i in range(times):
        for name in names[i % len(names):] + names[:i % len(names)]:
            got[name].append(configs[name]())
    return got


def merged(results):
    return {k: v for r in results for k, v in r.items()}


def median(results, key):
    return statistics.median(r[key] for r in results)


def spread(results, key, fmt="{:.0f}"):
    v = [r[key] for r in results]
    return f"{fmt.format(statistics.median(v))} ({fmt.format(min(v))}–{fmt.format(max(v))})"


def title(text, *columns):
    print(f"\n### {text}\n", flush=True)
    print("| " + " | ".join(("", *columns)) + " |")
    print("|" + "---|" * (len(columns) + 1))


def row(*cells):
    print("| " + " | ".join(str(c) for c in cells) + " |", flush=True)


def goal(value, most):
    return "yes" if value <= most else "**no**"


# ---- CPU ------------------------------------------------------------------------------------


def handler_runs(service, seconds, hz):
    def ours(program):
        return lambda: merged(run(program, f"steady={seconds}", preload=[WORK / "sigtime.so"],
                                  EVERPROF_HZ=hz, EVERPROF_TYPES="cpu", **service))

    def theirs(program, library, **env):
        return lambda: merged(run(program, f"steady={seconds}", "plain=1",
                                  preload=[WORK / "sigtime.so", library], **env))

    configs = {"everprof": ours("library-cpu"), "everprof, frame pointers": ours("library-cpu-fp"),
               "floor: frame pointers followed": theirs("library-cpu-fp", WORK / "floor_cpu.so", FLOOR_HZ=hz)}
    if PROFILER.exists():
        gp = {"CPUPROFILE": "/dev/null", "CPUPROFILE_FREQUENCY": hz}
        configs["gperftools"] = theirs("library-cpu", PROFILER, **gp)
        configs["gperftools, frame pointers"] = theirs("library-cpu-fp", PROFILER, **gp)
    return configs


def handler(service, runs, seconds):
    got = interleave(handler_runs(service, max(2, seconds // 4), 100), runs)
    title("A CPU sample: the handler, ns, reading the clock taken off", "median", "p90", "p99", "p99.9", "first", "goal", "met")
    for name, r in got.items():
        least = {"everprof": 700, "everprof, frame pointers": 200}.get(name)
        met = least and (median(r, "median") <= least and median(r, "p999") <= 15000 and median(r, "first") <= 20000)
        row(name, *(spread(r, k) for k in ("median", "p90", "p99", "p999", "first")),
            f"≤ {least}; 15,000; 20,000" if least else "", "" if met is None else "yes" if met else "**no**")


def overhead(service, runs, seconds):
    delivery = statistics.median(run("library-cpu", "delivery=1")[0]["delivery_ns"] for _ in range(5))
    title(f"CPU overhead of a CPU-bound program, two threads; a signal's delivery and return: {delivery:.0f} ns",
          "samples a CPU second", "handler, mean ns", "own thread", "sum", "on and off in one run", "goal", "met")
    for hz, most in (100, 0.05), (250, 0.12):
        env = {"EVERPROF_HZ": hz, "EVERPROF_TYPES": "cpu", **service}
        got = interleave(handler_runs(service, seconds, hz), max(1, runs // 2))
        if hz == 100:
            toggled = run("library-cpu", f"phases={seconds * 20}", **env)[0]
            null = run("library-cpu", f"phases={seconds * 20}", "null=1", **env)[0]
            row("off and off: the method's own error", "", "", "", "", interval(null), "", "")
        else:
            toggled = run("library-cpu", f"phases={seconds * 20}", **env)[0]
        for name, results in got.items():
            parts = [(r["n"] / r["cpu_s"], r["mean"], r.get("own_pct", 0)) for r in results if "cpu_s" in r]
            rate, mean, own = (statistics.median(p[i] for p in parts) for i in range(3))
            total = (mean + delivery) * rate / 1e7 + own
            ours = name == "everprof"
            row(f"{name}, {hz} Hz", f"{rate:.0f}", f"{mean:.0f}", f"{own:.4f} %" if "everprof" in name else "",
                f"{total:.3f} %", interval(toggled) if ours else "", f"≤ {most} %" if "everprof" in name else "",
                goal(total, most) if "everprof" in name else "")


def interval(r):
    return f"{r['mean_pct']:.3f} % ± {1.96 * r['error_pct']:.3f} ({r['pairs']:.0f} pairs)"


# ---- heap -----------------------------------------------------------------------------------


def ns(r):
    return f"{r['more_ns']:+.2f} ± {1.96 * r['error_ns']:.2f}"


def pooled(results):
    """Runs of one paired measurement as one."""
    n = len(results)
    return {"base_ns": sum(r["base_ns"] for r in results) / n, "more_ns": sum(r["more_ns"] for r in results) / n,
            "error_ns": sum(r["error_ns"] ** 2 for r in results) ** 0.5 / n}


def paired(option, preload, next_file="libc.so.6", program="library-heap", **env):
    return lambda: run(program, option, f"next={next_file}", preload=preload, **env)[0]


def heap(service, runs, seconds):
    on = {"EVERPROF_TYPES": "heap", **service}
    configs = {}
    for name, (library, file) in ALLOCATORS.items():
        if not library or library.exists():
            configs[f"everprof over {name}"] = paired("paired=1", [EVERPROF, library], file, **on)
    configs["floor: frame pointers followed"] = paired("paired=1", [WORK / "floor_heap3.so"])
    got = {name: pooled(r) for name, r in interleave(configs, runs).items()}
    title("Mixed malloc and free (W2), 512 KiB between samples: CPU ns a pair, both sides in one process",
          "without", "more", "%", "goal", "met")
    for name, r in got.items():
        percent = 100 * r["more_ns"] / r["base_ns"]
        row(name, f"{r['base_ns']:.1f}", ns(r), f"{percent:+.1f} ± {196 * r['error_ns'] / r['base_ns']:.1f}",
            *(("≤ +3 %", goal(percent, 3)) if "everprof" in name else ("", "")))

    configs = {"everprof": paired("hot=1", [EVERPROF], EVERPROF_HEAP_BYTES=1 << 30, **on),
               "floor: a countdown and a filter": paired("hot=1", [WORK / "floor_heap2.so"]),
               "floor: a countdown": paired("hot=1", [WORK / "floor_heap1.so"])}
    hot = {name: pooled(r) for name, r in interleave(configs, runs).items()}
    title("A hot malloc(64) and free that are not sampled, CPU ns", "without", "more", "goal", "met")
    for name, r in hot.items():
        row(name, f"{r['base_ns']:.2f}", ns(r), *(("≤ 1", goal(r["more_ns"], 1)) if name == "everprof" else ("", "")))

    each = [run("library-heap-in", "run=1", "turns=60", EVERPROF_TYPES="heap", **service)[-1] for _ in range(runs)]
    title("One heap sample where it happens, ns, stack and all", "median", "p90", "p99", "free of a sampled object", "goal", "met")
    row("everprof", *(spread(each, k) for k in ("sample", "sample90", "sample99", "free")), "≤ 1,500",
        goal(median(each, "sample"), 1500))
    heap_peers(service, runs)


def heap_peers(service, runs):
    configs = {"glibc": lambda: run("library-heap", "run=1")[0],
               "everprof over glibc": lambda: run("library-heap", "run=1", preload=[EVERPROF],
                                                  EVERPROF_TYPES="heap", **service)[0]}
    for name, off, on in (("jemalloc", {"MALLOC_CONF": "prof:false"}, {"MALLOC_CONF": "prof:true,lg_prof_sample:19"}),
                          ("tcmalloc", {"TCMALLOC_SAMPLE_PARAMETER": 0}, {"TCMALLOC_SAMPLE_PARAMETER": 524288})):
        library = ALLOCATORS[name][0]
        if library.exists():
            configs[name] = lambda library=library, off=off: run("library-heap", "run=1", preload=[library], **off)[0]
            configs[f"{name}, sampling"] = lambda library=library, on=on: run("library-heap", "run=1", preload=[library], **on)[0]
    got = interleave(configs, runs)
    title("The same load in processes of their own, by turns: CPU ns a pair", "median (least–most)", "of the same without")
    for name, r in got.items():
        base = got.get(name.split(",")[0].removeprefix("everprof over "))
        ratio = statistics.median(a["cpu_ns"] / b["cpu_ns"] for a, b in zip(r, base))
        row(name, spread(r, "cpu_ns", "{:.1f}"), "" if r is base else f"{100 * (ratio - 1):+.1f} %")


# ---- the rest -------------------------------------------------------------------------------


def peer(name):
    return run("library-peer", name) if (WORK / "library-peer").exists() else []


def labels(service, runs, seconds):
    got, go = [], []
    for _ in range(runs):
        got.append({r["form"]: r for r in run("library-labels")})
        go.append({r["form"]: r for r in peer("labels")})
    title("Three labels set and restored, ns; entries are counted", "everprof", "Go", "its allocations", "goal", "met")
    for form, text, most in (("floor", "floor: a pointer stored, and one back", None), ("prebuilt", "prebuilt", 3),
                             ("attach", "attached and detached", None), ("strings", "from strings", 40),
                             ("task", "a task begun and ended", None)):
        ours = [g[form] for g in got]
        theirs = [g[form] for g in go if form in g]
        row(text, spread(ours, "ns", "{:.2f}"), spread(theirs, "ns", "{:.1f}") if theirs else "",
            f"{theirs[0]['allocations']:.0f}" if theirs else "", f"≤ {most}" if most else "",
            goal(median(ours, "ns"), most) if most else "")
    row("memory taken meanwhile, bytes", spread([g["strings"] for g in got], "grown_bytes"), "", "", "0",
        goal(median([g["strings"] for g in got], "grown_bytes"), 0))


def locks(service, runs, seconds):
    on = {"EVERPROF_TYPES": "mutex,block", **service}
    configs = {}
    for threads in 2, 0:
        option = f"threads={threads}"
        configs["everprof", threads] = lambda o=option: run("library-locks", o, preload=[EVERPROF], **on)[0]
        configs["floor: tried first", threads] = lambda o=option: run("library-locks", o, preload=[WORK / "floor_lock.so"])[0]
        configs["nothing in front", threads] = lambda o=option: run("library-locks", o)[0]
    got = {name: pooled(r) for name, r in interleave(configs, runs).items()}
    title("An uncontended pthread_mutex_lock and unlock, CPU ns, both sides in one process", "libc's own there", "more", "goal", "met")
    for (name, threads), r in got.items():
        most = 1.5 if threads else 4
        alone = got["nothing in front", threads]["base_ns"]
        more = r["base_ns"] + r["more_ns"] - alone
        row(f"{name}, {'two threads' if threads else 'one thread'}", f"{r['base_ns']:.2f}", ns(r),
            *((f"≤ +{most}", goal(r["more_ns"], most)) if name == "everprof" else ("", "")))
        if name == "everprof" and not threads:
            row("  beside a process that has no other thread", f"{alone:.2f}", f"{more:+.2f}", f"≤ +{most}", goal(more, most))


def custom(service, runs, seconds):
    got, go = [], []
    for _ in range(runs):
        got.append(run("library-custom"))
        go.append(peer("custom"))
    title("A custom profile: add and remove, 27 frames deep, ns", "everprof", "two threads", "floor of two threads", "Go", "two threads", "goal", "met")
    for i, live in enumerate((0, 1000, 100000)):
        ours, theirs = [g[i] for g in got], [g[i] for g in go if g]
        met = live < 100000 or (median(ours, "ns") <= 100 and median(ours, "two") >= 1.8)
        row(f"{live:,} live", spread(ours, "ns"), spread(ours, "two", "{:.2f}") + " x", spread(ours, "floor_two", "{:.2f}") + " x",
            spread(theirs, "ns") if theirs else "", spread(theirs, "two", "{:.2f}") + " x" if theirs else "",
            "≤ 100, ≥ 1.8 x" if live == 100000 else "", ("yes" if met else "**no**") if live == 100000 else "")
    ours, theirs = [g[3] for g in got], [g[3] for g in go if g]
    row("100,000 written, ms of CPU", spread(ours, "write_cpu_ms", "{:.1f}"), "", "",
        spread(theirs, "write_cpu_ms", "{:.1f}") if theirs else "", "", "≤ 15", goal(median(ours, "write_cpu_ms"), 15))


def threads(service, runs, seconds):
    forms = {"first": ("the first look", 12), "ran": ("after all have run", 12), "again": ("none has run since", 12),
             "interrupt": ("a signal to each (interrupt=1)", None), "floor": ("floor: a signal to each, frame pointers followed", None)}
    configs = {f: lambda f=f: merged(run("library-threads", f"form={f}", preload=[WORK / "sigtime.so"])) for f in forms}
    got, go = interleave(configs, runs), [peer("threads") for _ in range(runs)]
    title("Stacks of 1,000 threads at once, ms", "all stacks", "CPU", "written as a profile", "held by us at most, µs", "goal", "met")
    for form, (text, most) in forms.items():
        r = got[form]
        held = [x for x in r if "most" in x]
        row(text, spread(r, "ms", "{:.1f}"), spread(r, "cpu_ms", "{:.1f}"), "" if form == "floor" else spread(r, "write_ms", "{:.1f}"),
            spread([{"us": x["most"] / 1000} for x in held], "us", "{:.1f}") if held else "none" if form != "floor" else "",
            f"≤ {most}, 50" if most else "≤ 50" if form == "interrupt" else "",
            goal(median(r, "ms"), most) if most else goal(max(x["most"] for x in held), 50000) if form == "interrupt" else "")
    for i, text in enumerate(("Go: 1,000 goroutines, the world stopped", "Go: as text")):
        theirs = [g[i] for g in go if g]
        if theirs:
            row(text, spread(theirs, "ms", "{:.1f}"), spread(theirs, "cpu_ms", "{:.1f}"), "", "", "", "")


SECTIONS = {f.__name__: f for f in (handler, overhead, heap, labels, locks, custom, threads)}


def build_peer():
    go = shutil.which("go")
    source = pathlib.Path(__file__).resolve().parent / "library" / "peer.go"
    if not go:
        print("Go beside it: not installed")
    elif subprocess.run([go, "build", "-o", WORK / "library-peer", source]).returncode:
        sys.exit("bench: peer.go can't be built")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    chosen = [a for a in sys.argv[2:] if "=" not in a] or list(SECTIONS)
    options = dict(a.split("=", 1) for a in sys.argv[2:] if "=" in a)
    if unknown := set(chosen) - set(SECTIONS) or set(options) - {"runs", "seconds"}:
        sys.exit(f"bench: {', '.join(unknown)}: there are {', '.join(SECTIONS)}, runs=N, seconds=N")
    build_peer()
    if not PROFILER.exists():
        print("gperftools beside it: apt-get install libgoogle-perftools4")
    service = listen()
    print(f"load before: {os.getloadavg()[0]:.1f}")
    for name in chosen:
        SECTIONS[name](service, int(options.get("runs", 5)), int(options.get("seconds", 20)))
    print(f"\nload after: {os.getloadavg()[0]:.1f}")


main()
