#!/usr/bin/env python3
"""Forward reach in the spending graph, by programs that anyone can install.

    python3 -m venv env && env/bin/pip install -r requirements.txt
    env/bin/python3 run.py EDGES

EDGES is written by `cargo xtask bench dump-edges`. The graph: a vertex per transaction, an edge
from a transaction to each one that spends an output of it. The question: how many transactions
can be reached from one of them in at most so many hops (itself included)?

Each peer runs in a process of its own, answers once to warm up and then several times; the
quickest counts, since whatever else the machine does only makes an answer slower. Loading is reported apart, since some programs keep their graph between runs.
graph-tool is no Python package: it is used where a system Python has it (Debian:
python3-graph-tool).
"""

import argparse
import json
import resource
import struct
import subprocess
import sys
import time
from pathlib import Path

HEADER = struct.Struct("<8sIIIIQ")
MAGIC = b"CHEDGES1"
REPEATS = 5


class Graph:
    """The edge file: little-endian, header, then all sources, then all targets, as u32."""

    def __init__(self, path):
        import numpy

        with open(path, "rb") as file:
            header = file.read(HEADER.size)
        if len(header) < HEADER.size:
            sys.exit(f"{path}: too short for an edge file")
        magic, self.vertices, self.root, self.hops, self.expected, self.edges = HEADER.unpack(header)
        if magic != MAGIC:
            sys.exit(f"{path}: not an edge file: write one with `cargo xtask bench dump-edges`")
        size = HEADER.size + 8 * self.edges
        if Path(path).stat().st_size != size:
            sys.exit(f"{path}: is not {size} bytes long, as {self.edges} edges ask for")
        ends = numpy.memmap(path, dtype="<u4", mode="r", offset=HEADER.size)
        self.sources, self.targets = ends[: self.edges], ends[self.edges :]


def numpy_csr(graph):
    """What one writes by hand in an afternoon: compressed rows, one frontier after the other."""
    import numpy

    order = numpy.argsort(graph.sources, kind="stable")
    targets = numpy.asarray(graph.targets)[order]
    first = numpy.searchsorted(
        numpy.asarray(graph.sources)[order], numpy.arange(graph.vertices + 1, dtype="u4")
    )

    def query():
        seen = numpy.zeros(graph.vertices, dtype=bool)
        seen[graph.root] = True
        frontier = numpy.array([graph.root])
        for _ in range(graph.hops):
            begin, end = first[frontier], first[frontier + 1]
            counts = end - begin
            offsets = numpy.repeat(begin - numpy.cumsum(counts) + counts, counts)
            found = targets[offsets + numpy.arange(counts.sum())]
            frontier = numpy.unique(found[~seen[found]])
            if not frontier.size:
                break
            seen[frontier] = True
        return int(seen.sum())

    return numpy.__version__, query


def igraph_neighborhood(graph):
    import igraph
    import numpy

    edges = numpy.column_stack((graph.sources, graph.targets)).astype("i8")
    loaded = igraph.Graph(n=graph.vertices, edges=edges, directed=True)
    del edges

    def query():
        return loaded.neighborhood_size(graph.root, order=graph.hops, mode="out")

    return igraph.__version__, query


def graph_tool_distance(graph):
    import graph_tool
    import graph_tool.topology
    import numpy

    loaded = graph_tool.Graph(directed=True)
    loaded.add_vertex(graph.vertices)
    loaded.add_edge_list(numpy.column_stack((graph.sources, graph.targets)))
    root = loaded.vertex(graph.root)

    def query():
        _, reached = graph_tool.topology.shortest_distance(
            loaded, source=root, max_dist=graph.hops, return_reached=True
        )
        # The root is not always among them.
        return int((reached != graph.root).sum()) + 1

    return graph_tool.__version__.split(" ")[0], query


def duckdb_connection(graph):
    """A table of edges, sorted by source, so that its zone maps can help."""
    import duckdb
    import numpy

    connection = duckdb.connect()
    sources, targets = numpy.asarray(graph.sources), numpy.asarray(graph.targets)
    connection.register("ends", {"source": sources, "target": targets})
    connection.execute("create table edge as select source, target from ends order by source")
    connection.unregister("ends")
    return duckdb.__version__, connection


def duckdb_recursive(graph):
    """One recursive query; a pair of transaction and hop counts once."""
    version, connection = duckdb_connection(graph)

    def query():
        return connection.execute(
            """
            with recursive reach(tx, hop) as (
                select ?::uinteger, 0
                union
                select edge.target, hop + 1 from reach join edge on edge.source = reach.tx
                where hop < ?
            )
            select count(distinct tx) from reach
            """,
            [graph.root, graph.hops],
        ).fetchone()[0]

    return version, query


def duckdb_loop(graph):
    """A frontier table, hop by hop, as one scripts it for speed."""
    version, connection = duckdb_connection(graph)

    def query():
        run = connection.execute
        run("create or replace temp table seen as select ?::uinteger as tx", [graph.root])
        run("create or replace temp table frontier as select * from seen")
        for _ in range(graph.hops):
            run(
                """
                create or replace temp table frontier as
                select distinct edge.target as tx
                from frontier join edge on edge.source = frontier.tx
                where edge.target not in (select tx from seen)
                """
            )
            run("insert into seen select tx from frontier")
        return run("select count(*) from seen").fetchone()[0]

    return version, query


PEERS = {
    "igraph": igraph_neighborhood,
    "graph-tool": graph_tool_distance,
    "DuckDB, recursive query": duckdb_recursive,
    "DuckDB, table per hop": duckdb_loop,
    "numpy, by hand": numpy_csr,
}


def measure(name, path):
    """Runs one peer in this process and prints what it needed."""
    graph = Graph(path)
    start = time.perf_counter()
    version, query = PEERS[name](graph)
    load = time.perf_counter() - start
    reached = query()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        query()
        times.append(time.perf_counter() - start)
    return {
        "name": name,
        "version": version,
        "load_s": load,
        "query_s": min(times),
        "memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "reached": int(reached),
    }


def python_for(name):
    """The Python that has a peer."""
    return "/usr/bin/python3" if name == "graph-tool" else sys.executable


def run(name, path):
    """Runs one peer in a process of its own."""
    command = [python_for(name), __file__, "--one", name, str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return json.loads(done.stdout)
    reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    if "ModuleNotFoundError" in reason and name == "graph-tool":
        reason = "not installed (Debian: apt-get install python3-graph-tool)"
    return {"name": name, "skipped": reason}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("edges", type=Path, help="file written by `cargo xtask bench dump-edges`")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--one", choices=PEERS, help="only this peer, in this process")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.edges)))
        return
    graph = Graph(options.edges)
    answers = [run(name, options.edges) for name in PEERS]
    if options.json:
        print(
            json.dumps(
                {
                    "vertices": graph.vertices,
                    "edges": graph.edges,
                    "root": graph.root,
                    "hops": graph.hops,
                    "expected": graph.expected,
                    "peers": answers,
                }
            )
        )
        return
    print(
        f"{graph.vertices:,} transactions, {graph.edges:,} edges; from {graph.root}, "
        f"{graph.hops} hops: {graph.expected:,} transactions expected\n"
    )
    print(f"{'':32} {'query':>10} {'loading':>10} {'memory':>10} {'reached':>12}")
    for answer in answers:
        if "skipped" in answer:
            print(f"{answer['name']:32} not measured: {answer['skipped']}")
            continue
        print(
            f"{answer['name'] + ' ' + answer['version']:32}"
            f" {answer['query_s'] * 1e3:7,.1f} ms {answer['load_s']:8,.1f} s"
            f" {answer['memory_bytes'] / 1e6:7,.0f} MB {answer['reached']:12,}"
            f"{'' if answer['reached'] == graph.expected else '  DIFFERS'}"
        )


if __name__ == "__main__":
    main()
