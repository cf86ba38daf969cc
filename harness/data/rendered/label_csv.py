"""Sentences, scores and splits of a label.csv, as real data sets come with."""

from __future__ import annotations

import csv
from pathlib import Path

from harness.data.clips.labels import ClipRow, LabelTable, read_labels
from harness.data.parts.checks import SPLITS, check_membership
from harness.data.parts.hashing import file_hash
from harness.data.parts.streams import stream
from harness.data.rendered.config import LABEL_RANGE, Rendering
from harness.data.rendered.real import SEMI_REAL, Remark, label_noise, line, take, whole_videos
from harness.data.rendered.script import Line
from harness.spec import BadInput


class LabelCsv:
    """The sentences of one file; what its labels say is what the faces show."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def identity(self) -> dict[str, str]:
        """The hash of the file."""
        try:
            return {"sentences": "label_csv", "sha256": file_hash(self.file)}
        except BadInput as error:
            raise BadInput(error.message, file=self.file, key="sentences_path") from error

    def lines(self, config: Rendering) -> list[Line]:
        """Whole videos of every split, chosen by the seed, until there are as many as configured."""
        wanted = config.counts()
        return [
            line(config, split, remark, "noisy")
            for split, remarks in self._remarks().items()
            for remark in take(
                whole_videos(remarks, stream(config.seed, "videos", split)), wanted[split]
            )
        ]

    def findings(self, config: Rendering) -> tuple[str, ...]:
        """The file, how much of it is used, and the noise that labels got."""
        there, lines = self._remarks(), self.lines(config)
        used = {split: sum(one.mode == split for one in lines) for split in SPLITS}
        shares = ", ".join(f"{split} {used[split]} of {len(there[split])}" for split in SPLITS)
        return (
            f"{SEMI_REAL}; {self.file.name}, SHA-256 {self.identity()['sha256']}",
            f"sentences of that file: {shares}",
            f"labels of train and valid: simulated annotator noise, {label_noise(lines)}",
        )

    def _remarks(self) -> dict[str, list[Remark]]:
        try:
            table = read_labels(self.file)
            self._check(table)
        except BadInput as error:
            key = error.key if error.key != "path" else "sentences_path"
            raise BadInput(error.message, file=error.file, key=key) from error
        return {
            split: [
                Remark(row.video_id, row.clip_id, _said(row), row.target) for row in table.split(split)
            ]
            for split in SPLITS
        }

    def _check(self, table: LabelTable) -> None:
        low, high = LABEL_RANGE
        for position, row in enumerate(table.rows):
            if not _said(row):
                raise BadInput(f"{self._where(position)}: empty sentence", file=self.file, key="text")
            # Written so that NaN is refused as well.
            if not low <= row.target <= high:
                raise BadInput(
                    f"{self._where(position)}: expected a score in [{low:g}, {high:g}], "
                    f"given {row.target:g}",
                    file=self.file,
                    key="label",
                )
        rows = {split: table.split(split) for split in SPLITS}
        check_membership(
            self.file,
            {split: [row.id for row in rows[split]] for split in SPLITS},
            {split: [row.video_id for row in rows[split]] for split in SPLITS},
            allow_shared_videos=False,
        )

    def _where(self, position: int) -> str:
        """The line of a row: not its position, because a cell may go over several lines."""
        with self.file.open(newline="", encoding="utf-8-sig") as source:
            reader = csv.DictReader(source)
            ends = [reader.line_num for _ in reader]
        return f"line {ends[position]}"


def _said(row: ClipRow) -> str:
    return " ".join(row.text.split())
