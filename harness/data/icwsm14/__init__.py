"""Movie-review sentences with every human rating, as VADER (Hutto and Gilbert, ICWSM 2014) made them."""
