"""Tables from stored trials; no torch is imported below this package."""
