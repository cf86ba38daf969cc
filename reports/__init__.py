"""Tables of a study, from its records alone; nothing that trains is imported here."""

from reports.collect import Observation, Records, collect
from reports.compare import build_table
from reports.table import Cell, Row, Table
from reports.write import Report, write_report

__all__ = [
    "Cell",
    "Observation",
    "Records",
    "Report",
    "Row",
    "Table",
    "build_table",
    "collect",
    "write_report",
]
