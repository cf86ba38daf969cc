"""Shipped studies; each YAML file is a study that `adviserbench run` takes."""
