"""What building and handing over a model costs beside passing the same matrix raw, and where the rest of a solve goes.

Usage: ``python benchmarks/overhead.py [--columns 20000 100000 500000] [--repeats 5] [--stock-up-to 100000]``

Four ways to bring one generated case to HiGHS, interleaved in one process: ours (state the Pyomo model, compile it, pass
the matrix), the same matrix raw (triplets of numpy arrays -> CSC -> ``passModel``), the stock Pyomo interface (the same
Pyomo model through ``pyomo.contrib.solver``), and linopy (the same matrix, where installed). CPU seconds, medians.
Memory is measured in a process of its own, and so is the break-down of a whole solve.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
Seconds = dict[str, float]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the CPU seconds of a call and its result."""
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


def compare(columns: int, repeats: int, stock: bool, linopy: bool) -> dict[str, Any]:
    """Return the size of a generated case and the median CPU seconds of each way to bring it to HiGHS."""
    from generate import Shape, generate

    from diversify.network import Network
    from diversify.solve import Options
    from diversify.solve.highs import configured, hand_over

    instance = generate(Shape().of_size(columns))
    taken: dict[str, list[float]] = {}

    def lap(name: str, work: Callable[[], Any]) -> Any:
        seconds, result = timed(work)
        taken.setdefault(name, []).append(seconds)
        return result

    for _ in range(repeats):
        network = lap("network", lambda: Network.of(instance))
        statement, matrix = build(network, lap)
        lap("hand-over", lambda matrix=matrix: hand_over(configured(Options()), matrix))
        triplets = matrix.scaled().tocsr().tocoo()
        lap("raw", lambda matrix=matrix, triplets=triplets: pass_raw(matrix, triplets))
        lap("pointers", lambda matrix=matrix, triplets=triplets: pass_pointers(matrix, triplets))
        if stock:
            lap("stock", lambda statement=statement: pass_stock(statement.model))
        if linopy:
            lap("linopy", lambda matrix=matrix: pass_linopy(matrix))
    return {**matrix.size, "seconds": {name: statistics.median(each) for name, each in taken.items()}}


def build(network: Any, lap: Callable[[str, Callable[[], Any]], Any]) -> tuple[Any, Any]:
    """State and compile the model of a network; return the statement and the matrix."""
    from diversify.model import state
    from diversify.solve import compile_model

    statement = lap("state", lambda: state(network))
    return statement, lap("compile", lambda: compile_model(statement.model, statement.variables, statement.scale))


def pass_raw(matrix: Any, triplets: Any) -> None:
    """Pass the matrix from numpy arrays as HiGHS documents it: triplets -> CSC -> ``HighsLp`` -> ``passModel``."""
    import highspy
    from scipy.sparse import csc_array

    a = csc_array((triplets.data, (triplets.row, triplets.col)), shape=triplets.shape)
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = a.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = matrix.cost, matrix.lower, matrix.upper
    lp.row_lower_, lp.row_upper_, lp.offset_ = matrix.row_lower, matrix.row_upper, matrix.offset
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = a.indptr, a.indices, a.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[flag] for flag in matrix.integer.astype(int).tolist()]
    silent().passModel(lp)


def pass_pointers(matrix: Any, triplets: Any) -> None:
    """Pass the matrix by the call that takes numpy's memory as it is: the least that any path can take."""
    import numpy as np
    from scipy.sparse import csc_array

    a = csc_array((triplets.data, (triplets.row, triplets.col)), shape=triplets.shape)
    rows, columns = a.shape
    bounds = (matrix.cost, matrix.lower, matrix.upper, matrix.row_lower, matrix.row_upper)
    entries = (a.indptr.astype(np.int32), a.indices.astype(np.int32), a.data)
    silent().passModel(columns, rows, a.nnz, 1, 1, matrix.offset, *bounds, *entries, matrix.integer.astype(np.int32))


def silent() -> Any:
    """Return a HiGHS that prints nothing."""
    import highspy

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    return highs


def pass_stock(model: Any) -> None:
    """Hand the Pyomo model over through Pyomo's own interface to HiGHS."""
    from pyomo.contrib.solver.solvers.highs import Highs

    Highs().set_instance(model)


def pass_linopy(matrix: Any) -> None:
    """State the same matrix in linopy, rows of like length together, and hand it over."""
    import linopy
    import numpy as np
    import xarray as xr

    model = linopy.Model()
    position = np.empty(len(matrix.cost), dtype=np.int64)
    for whole in (False, True):
        chosen = np.flatnonzero(matrix.integer == whole)
        if len(chosen):
            bounds = [xr.DataArray(side[chosen], dims="column") for side in (matrix.lower, matrix.upper)]
            position[chosen] = model.add_variables(*bounds, integer=whole).labels.to_numpy()
    a = matrix.a.tocsr()
    length = np.diff(a.indptr)
    buckets = np.ceil(np.log2(np.maximum(length, 1)))
    for bucket in np.unique(buckets):
        rows = np.flatnonzero(buckets == bucket)
        part, widths = a[rows], length[rows]
        place = np.repeat(np.arange(len(rows)), widths), np.arange(part.nnz) - np.repeat(part.indptr[:-1], widths)
        variables, factors = np.full((len(rows), widths.max()), -1), np.full((len(rows), widths.max()), np.nan)
        variables[place], factors[place] = position[part.indices], part.data
        both = ("row", "_term")
        terms = xr.Dataset({"coeffs": (both, factors), "vars": (both, variables), "const": ("row", np.zeros(len(rows)))})
        left = linopy.LinearExpression(terms, model)
        equal = np.isfinite(matrix.row_lower[rows])
        sign = np.where(matrix.row_lower[rows] == matrix.row_upper[rows], "=", np.where(equal, ">=", "<="))
        side = np.where(equal, matrix.row_lower[rows], matrix.row_upper[rows])
        model.add_constraints(left, xr.DataArray(sign, dims="row"), xr.DataArray(side, dims="row"))
    order = np.argsort(position)
    objective = xr.Dataset({"coeffs": ("_term", matrix.cost[order]), "vars": ("_term", position[order]), "const": 0.0})
    model.add_objective(linopy.LinearExpression(objective, model))
    built = model.matrices
    a, signs = built.A.tocsc(), built.sense
    low, high = np.where(signs == "<", -np.inf, built.b), np.where(signs == ">", np.inf, built.b)
    whole = (built.vtypes != "C").astype(np.int32)
    rows, columns = a.shape
    entries = (a.indptr.astype(np.int32), a.indices.astype(np.int32), a.data)
    silent().passModel(columns, rows, a.nnz, 1, 1, 0.0, built.c, built.lb, built.ub, low, high, *entries, whole)


def memory(columns: int) -> dict[str, float]:
    """Return kB per column: the most that building and handing over take beyond the network, and the whole process's most."""
    import resource

    from generate import Shape, generate

    from diversify.network import Network
    from diversify.solve import Options
    from diversify.solve.highs import configured, hand_over

    network = Network.of(generate(Shape().of_size(columns)))
    before = resident_kb("VmRSS")
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")  # forget the peak of building the network
    _, matrix = build(network, lambda _, work: work())
    hand_over(configured(Options()), matrix)
    peak = resident_kb("VmHWM")
    count = matrix.size["columns"]
    return {"build_kb": (peak - before) / count, "process_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / count}


def resident_kb(field: str) -> float:
    """Return a field of the kernel's account of this process's memory in kB (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(field)))


def breakdown(source: str, gap: float) -> dict[str, Any]:
    """Solve a case in this fresh process as the command does and return CPU and wall seconds of each step."""
    wall = time.perf_counter()
    steps: dict[str, list[float]] = {"interpreter": [time.process_time(), 0.0]}
    with lapped(steps, "imports"):
        import diversify as dv
        from diversify import planning
        from diversify.planning import program
        from diversify.solve import highs, prices
    with lapped(steps, "read and check"):
        instance = dv.load(source)
    watched = [
        ("network", planning.Network, "of"),
        ("state", planning, "state"),
        ("compile", program, "compile_model"),
        ("HiGHS", planning, "run"),
        ("hand-over", highs, "hand_over"),
        ("fix and price", planning, "fixed_program"),
        ("HiGHS", prices, "run_to_end"),
        ("audit", planning, "audit"),
    ]
    for step, owner, name in watched:
        watch(steps, step, owner, name)
    with lapped(steps, "tables and summary"):
        plan = planning.solve(instance, gap=gap)
    with lapped(steps, "write"), TemporaryDirectory() as folder:
        plan.save(Path(folder) / "plan")
    own = [sum(seconds[kind] for step, seconds in steps.items() if step != "HiGHS") for kind in (0, 1)]
    total = [time.process_time(), time.perf_counter() - wall]
    return {"size": plan.summary["size"], "steps": {**steps, "all but HiGHS": own, "total": total}}


@contextmanager
def lapped(steps: dict[str, list[float]], name: str) -> Iterator[None]:
    """Add the CPU and wall seconds of a block to a step, less what steps inside it took."""
    inner = [sum(seconds[kind] for seconds in steps.values()) for kind in (0, 1)]
    begun = time.process_time(), time.perf_counter()
    yield
    passed = time.process_time() - begun[0], time.perf_counter() - begun[1]
    now = [sum(seconds[kind] for seconds in steps.values()) for kind in (0, 1)]
    entry = steps.setdefault(name, [0.0, 0.0])
    for kind in (0, 1):
        entry[kind] += passed[kind] - (now[kind] - inner[kind])


def watch(steps: dict[str, list[float]], step: str, owner: Any, name: str) -> None:
    """Have every call of ``owner.name`` counted as a step."""
    work = getattr(owner, name)

    def counted(*arguments: Any, **options: Any) -> Any:
        with lapped(steps, step):
            return work(*arguments, **options)

    setattr(owner, name, counted)


def elsewhere(*arguments: str) -> dict[str, Any]:
    """Run this script in a fresh process and return the JSON object that it prints."""
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True, cwd=HERE.parent)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def comparison_table(columns: list[int], repeats: int, stock_up_to: int, linopy: bool) -> Iterator[str]:
    """Yield the lines of the comparison, one a size."""
    heads = "columns, rows, nonzeros, network s, state s, compile s, hand-over s, raw s, raw by pointers s"
    yield "| " + " | ".join(f"{heads}, ours / raw, ours / pointers, stock / raw, linopy / raw, kB a column".split(", ")) + " |"
    yield "|" + "---:|" * 14
    for count in columns:
        found = compare(count, repeats, count <= stock_up_to, linopy)
        took = found["seconds"]
        ours = took["state"] + took["compile"] + took["hand-over"]
        stock = f"{(took['state'] + took['stock']) / took['raw']:.0f}" if "stock" in took else ""
        rival = f"{took['linopy'] / took['raw']:.0f}" if "linopy" in took else ""
        used = elsewhere("--memory-of", str(count))["build_kb"]
        sizes = " | ".join(f"{found[name]:,}" for name in ("columns", "rows", "nonzeros"))
        parts = " | ".join(f"{took[name]:.3f}" for name in ("network", "state", "compile", "hand-over", "raw", "pointers"))
        yield f"| {sizes} | {parts} | {ours / took['raw']:.0f} | {ours / took['pointers']:.0f} | {stock} | {rival} | {used:.2f} |"


def breakdown_table(source: str, gap: float) -> Iterator[str]:
    """Yield the lines of the break-down of a whole solve."""
    found = elsewhere("--breakdown-of", source, "--gap", str(gap))
    yield ", ".join(f"{count:,} {what}" for what, count in found["size"].items())
    yield ""
    yield "| step | CPU s | wall s |"
    yield "|---|---:|---:|"
    for step, (cpu, wall) in found["steps"].items():
        yield f"| {step} | {cpu:.2f} | {wall:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the cost of building, handing over and everything else around HiGHS.")
    parser.add_argument("--columns", type=int, nargs="*", default=[20_000, 100_000, 500_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--stock-up-to", type=int, default=100_000, help="largest size at which the stock interface is measured too")
    parser.add_argument("--linopy", action="store_true", help="measure linopy too (extra 'bench')")
    parser.add_argument("--instance", default=str(HERE / "instances" / "synthetic-trilateral"), help="case of the break-down")
    parser.add_argument("--gap", type=float, default=0.5, help="gap of the break-down's solve: its subject is not HiGHS")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--breakdown-of", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory_of:
        print(json.dumps(memory(given.memory_of)))
    elif given.breakdown_of:
        print(json.dumps(breakdown(given.breakdown_of, given.gap)))
    else:
        for line in breakdown_table(given.instance, given.gap):
            print(line, flush=True)
        print(flush=True)
        for line in comparison_table(given.columns, given.repeats, given.stock_up_to, given.linopy):
            print(line, flush=True)


if __name__ == "__main__":
    sys.path[:0] = [str(HERE), str(HERE.parent)]
    main()
