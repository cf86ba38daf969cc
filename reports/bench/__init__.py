"""What using trained models costs: tables, figures and the numbers behind them."""

from reports.bench.files import to_markdown, write_bench

__all__ = ["to_markdown", "write_bench"]
