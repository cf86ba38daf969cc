"""A table for a person at a terminal, folded to its width."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table as Grid

from reports.render import words_of
from reports.table import Table


def to_grid(table: Table) -> Grid:
    """The table as `rich` draws it: cells fold instead of lines breaking; best values are bold."""
    words = words_of(table, escape, "[bold]{}[/bold]")
    grid = Grid(title=escape(table.caption), title_justify="left", show_lines=True)
    for index, heading in enumerate(words.columns):
        # Numbers can be read in two lines, names cut in two cannot.
        grid.add_column(heading, overflow="fold", no_wrap=index == 0)
    for row in words.itertuples(index=False):
        grid.add_row(*row)
    return grid
