"""What searches tried before the arms of a table were what they are."""
