"""The harness: what runs a study, and the contracts a variant plugs into."""
