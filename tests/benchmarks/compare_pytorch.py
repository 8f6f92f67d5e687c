#!/usr/bin/env python3
"""Training steps of Orrery beside the same networks in PyTorch on this machine's CPU: a Markdown table.

Each pair of measurements is one PyTorch process and one bench_training process, one after the other, so that a slow
spell of the machine hits both; a row gives medians over the pairs and the median of their ratios, PyTorch in the variant
that is best for that row. See README.md beside this file for what makes PyTorch slow without anybody noticing.

Exit status: 0, or 1 when --check is given and a row is below its floor, 2 when something is missing, 3 when --check is
given and the machine is not quiet."""
import argparse
import glob
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
BENCH = HERE.parents[1] / "build" / "release" / "bench_training"
PYTHONS = (sys.executable, "/usr/bin/python3")  # Debian's modules belong to Debian's Python
OPENBLAS = "/usr/lib/*/openblas-openmp"  # Debian package libopenblas0-openmp
QUIET = 0.06  # share by which runs of one loop may differ on a quiet machine (assumed)


@dataclass(frozen=True)
class Row:
    """How many times faster than PyTorch a row should be (goal) and must be (floor), on one and on two threads."""
    network: str
    batch: str
    goal: tuple = (1.0, 1.0)
    floor: tuple = (1.0, 1.0)


ROWS = (
    Row("2nn", "10", (5.0, 5.0), (3.0, 3.0)),
    Row("2nn", "64", (2.0, 2.4), (1.5, 1.8)),
    Row("2nn", "256", (1.4, 1.7), (1.2, 1.4)),
    Row("2nn", "round:10", (5.0, 7.0), (3.0, 4.0)),
    Row("fedavg-cnn", "10", (1.2, 1.3), (0.9, 0.9)),
    Row("fedavg-cnn", "64", (1.1, 1.2), (0.9, 0.9)),
    Row("resnet-small", "64"),
    Row("resnet18", "32"),
    Row("mobilenet-small", "64"),
    Row("yolo-tiny", "32"),
    Row("lstm-rows", "64", (2.0, 3.3), (1.5, 2.3)),
    Row("gru-rows", "64"),
    Row("char-lstm", "32"),
    Row("transformer-small", "16", (1.5, 2.0), (1.2, 1.2)),
    Row("transformer-small", "64", (1.5, 2.0), (1.2, 1.2)),
    Row("gpt-mini", "16", (1.2, 1.3)),
    Row("gpt-mini", "32", (1.2, 1.3)),
    Row("vit-tiny", "64"),
)


def fail(text):
    print(f"compare_pytorch: {text}", file=sys.stderr)
    sys.exit(2)


def run(command, **environment):
    """Standard output of a command, as JSON; its words when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    if done.returncode != 0:
        fail(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def find_python():
    for python in PYTHONS:
        if subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode == 0:
            return python
    return fail("no Python here can import torch (Debian: apt-get install python3-torch)")


def find_openblas():
    found = glob.glob(OPENBLAS)
    return found[0] if found else fail(f"no {OPENBLAS} (Debian: apt-get install libopenblas0-openmp); with any other BLAS "
                                       "PyTorch is slower than it could be")


def blas_environment(python, openblas, flags):
    """OpenBLAS takes a processor younger than itself for a Prescott of 2004, and is then three times slower."""
    ask = (f"import ctypes; f = ctypes.CDLL('{openblas}/libopenblas.so.0').openblas_get_corename; "
           "f.restype = ctypes.c_char_p; print(f'\"{f().decode()}\"')")
    environment = {"LD_LIBRARY_PATH": openblas}
    if run([python, "-c", ask]) == "Prescott" and "avx2" in flags and "OPENBLAS_CORETYPE" not in os.environ:
        environment["OPENBLAS_CORETYPE"] = "SkylakeX" if "avx512vl" in flags else "Haswell"
    return environment


def is_quiet(bench, cores):
    """One loop of multiply-adds per core, all at once, twice: on a quiet machine none waits for its core (the time of the
    clock is the processor's), and all are equally fast."""
    command = [bench, "--benchmark_filter=^multiply_add$", "--benchmark_min_time=0.5", "--benchmark_format=json"]
    loops = []
    for _ in range(2):
        runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(cores)]
        loops += [json.loads(process.communicate()[0])["benchmarks"][0] for process in runs]
    times = [loop["real_time"] for loop in loops]
    waited = max(loop["real_time"] / loop["cpu_time"] for loop in loops) - 1
    return waited < QUIET and min(times) > (1 - QUIET) * max(times)


def measure_pytorch(options, network, batches, threads):
    """{(batch, threads): {variant: ms}} and parameters, each in the instruction set PyTorch picks and in AVX-512."""
    times, about = {}, {}
    for instructions in ("default", "avx512") if "avx512f" in options.flags else ("default",):
        found = run([options.python, HERE / "pytorch_steps.py", network, "--batches", ",".join(batches), "--threads",
                     ",".join(map(str, threads)), "--seconds", str(options.seconds)],
                    ATEN_CPU_CAPABILITY=instructions, PYTHONDONTWRITEBYTECODE="1", **options.blas)
        if not any("openblas-openmp" in library for library in found["blas"]):
            fail(f"PyTorch took {found['blas']} instead of {options.blas['LD_LIBRARY_PATH']}")
        about = {"torch": found["torch"], "parameters": found["rows"][0]["parameters"]}
        for row in found["rows"]:
            variant = row["variant"] + (f", {instructions}" if instructions != "default" else "")
            times.setdefault((row["batch"], row["threads"]), {})[variant] = row["ms"]
    return times, about


def measure_orrery(options, network, batches, threads):
    """{(batch, threads): ms} and the number of parameters."""
    names = {}
    for batch in batches:
        kind = "fedavg_round" if batch.startswith("round:") else "step"
        for count in threads:
            name = f"{kind}/{network}/batch:{batch.removeprefix('round:')}/threads:{count}/real_time"
            names[name] = (batch, count)
    found = run([options.bench, f"--benchmark_filter=^({'|'.join(names)})$", f"--benchmark_min_time={options.seconds}",
                 "--benchmark_format=json"])
    times, parameters = {}, 0
    for row in found["benchmarks"]:
        if row.get("error_occurred"):
            fail(f"{row['name']}: {row['error_message']}")
        times[names[row["name"]]] = row["real_time"]
        parameters = int(row["parameters"])
    return times, parameters


def measure(options, rows, threads):
    """{(row, threads): ([variants of each pair], [ms of Orrery of each pair])} and PyTorch's version."""
    pairs, version = {}, ""
    for number in range(options.pairs):
        for network in dict.fromkeys(row.network for row in rows):
            print(f"pair {number + 1} of {options.pairs}: {network}", file=sys.stderr)
            group = [row for row in rows if row.network == network]
            batches = [row.batch for row in group]
            theirs, about = measure_pytorch(options, network, batches, threads)
            ours, parameters = measure_orrery(options, network, batches, threads)
            if parameters != about["parameters"]:
                fail(f"{network}: {parameters} parameters here, {about['parameters']} in PyTorch: not the same network")
            version = about["torch"]
            for row in group:
                for count in threads:
                    pair = pairs.setdefault((row, count), ([], []))
                    pair[0].append(theirs[row.batch, count])
                    pair[1].append(ours[row.batch, count])
    return pairs, version


@dataclass(frozen=True)
class Result:
    row: Row
    threads: int
    torch_ms: float
    orrery_ms: float
    ratio: float
    lowest: float
    variant: str

    @property
    def goal(self):
        return self.row.goal[self.threads - 1]

    @property
    def floor(self):
        return self.row.floor[self.threads - 1]

    @property
    def verdict(self):
        if self.ratio < self.floor:
            return "below floor"
        return "goal" if self.ratio >= self.goal else "floor"


def judge(row, threads, theirs, ours):
    variant = min(theirs[0], key=lambda name: statistics.median(pair[name] for pair in theirs))
    ratios = [pair[variant] / mine for pair, mine in zip(theirs, ours)]
    return Result(row, threads, statistics.median(pair[variant] for pair in theirs), statistics.median(ours),
                  statistics.median(ratios), min(ratios), variant)


def table(results):
    yield "| network | batch | threads | PyTorch ms | Orrery ms | ratio (lowest pair) | goal | floor | reached | PyTorch's best |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for r in results:
        batch = f"FedAvg round, {r.row.batch.removeprefix('round:')}" if r.row.batch.startswith("round:") else r.row.batch
        yield (f"| {r.row.network} | {batch} | {r.threads} | {r.torch_ms:.3g} | {r.orrery_ms:.3g} | "
               f"{r.ratio:.2f} ({r.lowest:.2f}) | {r.goal:g} | {r.floor:g} | {r.verdict} | {r.variant} |")


def scaling(results):
    """Two threads against one, of Orrery itself."""
    alone = {result.row: result.orrery_ms for result in results if result.threads == 1}
    yield "| network | batch | two threads against one |"
    yield "|---|---|---|"
    for result in results:
        if result.threads == 2 and result.row in alone:
            yield f"| {result.row.network} | {result.row.batch} | {alone[result.row] / result.orrery_ms:.2f} |"


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        facts = dict(line.split(":", 1) for line in info.read().split("\n\n")[0].splitlines())
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    return facts.get("model name", "unknown processor"), facts.get("flags", "").split()


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="pairs of processes per network")
    parser.add_argument("--seconds", type=float, default=0.5, help="of measurement per row and variant")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--only", default="", help="comma-separated networks")
    parser.add_argument("--check", action="store_true", help="fail below a floor, or where the machine is not quiet")
    parser.add_argument("--bench", type=Path, default=BENCH, help="program built from training.cpp")
    parser.add_argument("-o", "--output", type=Path, help="file of the table (default: standard output)")
    options = parser.parse_args()
    if not options.bench.exists():
        fail(f"{options.bench} is not there (./dev build makes it)")
    options.python = find_python()
    options.processor, options.flags = processor()
    options.blas = blas_environment(options.python, find_openblas(), options.flags)
    return options


def main():
    options = read_options()
    threads = [int(count) for count in options.threads.split(",")]
    only = set(filter(None, options.only.split(",")))
    unknown = only - {row.network for row in ROWS}
    if unknown:
        fail(f"no rows for {', '.join(sorted(unknown))}")
    quiet = is_quiet(options.bench, len(os.sched_getaffinity(0)))
    if not quiet:
        print("compare_pytorch: something else is running: figures are not to be trusted", file=sys.stderr)
        if options.check:
            sys.exit(3)
    pairs, version = measure(options, [row for row in ROWS if not only or row.network in only], threads)
    results = [judge(row, count, *pair) for (row, count), pair in pairs.items()]
    both = {1, 2} <= set(threads)
    lines = [*table(results), "", *(scaling(results) if both else ()), *([""] if both else ()),
             f"{options.processor}, PyTorch {version}, {options.pairs} pairs, OpenBLAS for "
             f"{options.blas.get('OPENBLAS_CORETYPE', 'the processor it found')}" + ("" if quiet else "; the machine was busy")]
    text = "\n".join(lines) + "\n"
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    if options.check and any(result.ratio < result.floor for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
