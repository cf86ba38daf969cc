"""One trial: build, train, select on validation, evaluate, measure."""
