#!/usr/bin/env python3
"""Clusters of addresses by GraphSense's own package, on the inputs of one of our stores.

    python3 -m venv env && env/bin/pip install -r cluster-requirements.txt
    cargo xtask bench clustering STORE --python env/bin/python3

The sub-command writes INPUTS and runs `cluster.py INPUTS`. The package joins the inputs of every
transaction that it is given: it has no rule for CoinJoins. RAYON_NUM_THREADS says on how many
threads. Union and mapping are done anew each time; the median counts, on the wall and in processor
time of all threads.
"""

import argparse
import json
import statistics
import struct
import sys
import time
from importlib.metadata import version
from pathlib import Path

HEADER = struct.Struct("<8sIIQ")
MAGIC = b"CHINPUT1"
REPEATS = 5


def load(path):
    """Number of addresses, and the addresses of each transaction's inputs as an Arrow list."""
    import numpy
    import pyarrow

    with open(path, "rb") as file:
        header = file.read(HEADER.size)
    if len(header) < HEADER.size:
        sys.exit(f"{path}: too short for a file of inputs")
    magic, addresses, transactions, inputs = HEADER.unpack(header)
    if magic != MAGIC:
        sys.exit(f"{path}: not a file of inputs: `cargo xtask bench clustering` writes one")
    if Path(path).stat().st_size != HEADER.size + 4 * (transactions + 1 + inputs):
        sys.exit(f"{path}: has not the length that its header asks for")
    if inputs >= 2**31:
        sys.exit(f"{path}: {inputs:,} inputs do not fit into one Arrow list")
    numbers = numpy.fromfile(path, dtype="<u4", offset=HEADER.size)
    starts = pyarrow.array(numbers[: transactions + 1].astype("<i4"))
    values = pyarrow.array(numbers[transactions + 1 :])
    return addresses, inputs, pyarrow.ListArray.from_arrays(starts, values)


def measure(path):
    import numpy
    from gs_clustering import Clustering

    addresses, inputs, transactions = load(path)
    times = []
    for _ in range(REPEATS + 1):
        before_cpu = time.process_time()
        clustering = Clustering(max_address_id=addresses - 1)
        start, start_cpu = time.perf_counter(), time.process_time()
        clustering.process_transactions_arrow(transactions)
        united, united_cpu = time.perf_counter(), time.process_time()
        mapping = clustering.get_mapping()
        end, end_cpu = time.perf_counter(), time.process_time()
        spans = (united - start, united_cpu - start_cpu, end - united, end_cpu - united_cpu)
        times.append((start_cpu - before_cpu, *spans))
    # The first run warms up.
    table_cpu, union, union_cpu, mapped, mapped_cpu = map(statistics.median, zip(*times[1:]))
    clusters = numpy.unique(mapping.column("cluster_id").to_numpy()[:addresses]).size
    return {
        "version": version("graphsense-clustering"),
        "addresses": addresses,
        "transactions": len(transactions),
        "inputs": inputs,
        "table_cpu_s": table_cpu,
        "union_s": union,
        "union_cpu_s": union_cpu,
        "mapping_s": mapped,
        "mapping_cpu_s": mapped_cpu,
        "clusters": int(clusters),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("inputs", type=Path, help="file written by `cargo xtask bench clustering`")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    options = parser.parse_args()
    try:
        answer = measure(options.inputs)
    except ModuleNotFoundError as missing:
        answer = {"skipped": f"{missing}: pip install -r bench/peers/cluster-requirements.txt"}
    if options.json:
        print(json.dumps(answer))
    else:
        for name, value in answer.items():
            print(f"{name:14} {value:,}" if isinstance(value, int) else f"{name:14} {value}")


if __name__ == "__main__":
    main()
