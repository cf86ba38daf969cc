"""Results in MLflow, on SQLite, another database or a tracking server."""
