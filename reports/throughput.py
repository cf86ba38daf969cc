"""What searching with an arm costs, as a table and as the samples behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from harness.spec import BadInput, IndexCost, SearchCost
from reports.text import markdown

MIB = 2**20
APPROXIMATE = ("faiss_ivf", "faiss_hnsw")


def write_throughput(cost: SearchCost, folder: Path) -> tuple[Path, ...]:
    """Writes ``throughput.md``, ``throughput.csv`` and, with every sample, ``throughput.json``.

    Raises:
        BadInput: the folder cannot be written.
    """
    contents = {
        "throughput.md": to_markdown(cost),
        "throughput.csv": to_csv(cost),
        "throughput.json": cost.model_dump_json(indent=1) + "\n",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_text(content, encoding="utf-8")
    except OSError as error:
        raise BadInput(
            f"cannot be written: {error.strerror or error}", file=folder, key="--out"
        ) from error
    return tuple(folder / name for name in contents)


def to_markdown(cost: SearchCost) -> str:
    """A row per gallery, index and batch size, with what the numbers are about below it."""
    k = cost.workload.k
    rows = [
        {
            "gallery": f"{index.gallery:,}",
            "index": index.index,
            "build (s)": f"{index.build_seconds:.3g}",
            "size (MiB)": f"{index.index_bytes / MIB:.1f}",
            f"recall@{k}": f"{index.recall:.4f}",
            "batch": str(batch),
            "encode (ms/query)": f"{encode:.4f}",
            "search (ms/query)": f"{search:.4f}",
            "sum (ms/query)": f"{cost.total_ms(index, batch):.4f}",
            "searches/s": f"{1e3 / search:,.0f}",
            "queries/s": f"{1e3 / cost.total_ms(index, batch):,.0f}",
        }
        for index, batch, encode, search in _parts(cost)
    ]
    body = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    notes = "\n".join(f"- {markdown(note)}" for note in _notes(cost))
    caption = f"What searching costs: {cost.arm} of {cost.study}, seed {cost.seed}"
    return f"## {markdown(caption)}\n\n{body}\n\n{notes}\n"


def to_csv(cost: SearchCost) -> str:
    """The numbers of the table, unrounded."""
    rows = [
        {
            "study": cost.study,
            "arm": cost.arm,
            "seed": cost.seed,
            "gallery": index.gallery,
            "made": index.made,
            "index": index.index,
            "settings": index.settings,
            "build_seconds": index.build_seconds,
            "index_bytes": index.index_bytes,
            "recall": index.recall,
            "k": cost.workload.k,
            "batch_size": batch,
            "encode_ms": encode,
            "search_ms": search,
            "sum_ms": cost.total_ms(index, batch),
        }
        for index, batch, encode, search in _parts(cost)
    ]
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")


def _parts(cost: SearchCost) -> Iterator[tuple[IndexCost, int, float, float]]:
    """Index, batch size, milliseconds a query of encoding and of searching."""
    for index in cost.indices:
        for encode, search in zip(cost.encoding, index.search, strict=True):
            yield index, search.batch_size, encode.median_ms, search.median_ms


def _notes(cost: SearchCost) -> Iterator[str]:
    load, machine = cost.workload, cost.environment
    yield (
        f"{cost.model}, {cost.parameters:,} parameters, vectors of width {cost.width}; sounds are the "
        "queries, pictures the gallery. Encoding is one forward pass over clips that are ready as "
        "tensors, and gives a clip's sound and its pictures alike."
    )
    yield (
        f"There are {cost.test_clips:,} test clips. A larger gallery has all of them and copies, each "
        f"moved in a random direction by {load.jitter:g} mean lengths (root mean square); so have the "
        f"{load.queries:,} queries."
    )
    if any(index.made and index.index in APPROXIMATE for index in cost.indices):
        # A graph whose neighbours are all copies of one clip is hard to leave; a list holds them all.
        yield (
            "Copies lie closer together than as many real clips would: the recall of indices that are "
            "not exact is that of this gallery at this jitter, and of no other of its size."
        )
    settings = {index.index: index.settings for index in cost.indices}
    yield "; ".join(f"{name}: {words}" for name, words in settings.items())
    yield (
        f"Times are medians of {load.repeats} repeats, in turns, of about {load.seconds:g} s at most; "
        f"an index is built once. recall@{load.k} is against the exact search by torch."
    )
    threads = ", ".join(f"{name} {count}" for name, count in cost.threads.items())
    yield (
        f"Threads: {threads}. Searching is on the CPU ({machine.cpu}, {machine.cores} cores), encoding "
        f"on {machine.accelerator}. Code {machine.code_revision}."
    )
