"""Students: models that see one modality."""
