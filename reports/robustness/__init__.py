"""What becomes of the arms of a table when something is missing from test clips, or wrong with them."""
