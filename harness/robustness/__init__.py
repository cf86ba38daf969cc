"""Taking something from clips before a model sees them: modalities, steps, or what noise covers."""
