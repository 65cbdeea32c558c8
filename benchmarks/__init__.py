"""Measurements of Dragoman, beside a floor or a peer in the same run. `make bench` runs them."""
