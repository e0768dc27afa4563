"""Benchmarks: our work beside a peer or a physical limit, as ratios. `make bench NAME=d1,flow` runs them."""
