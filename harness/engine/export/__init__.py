"""A trained model leaves: as a folder that is checked against it before it is said to be there."""
