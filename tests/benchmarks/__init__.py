"""The benchmarks: `make bench`, or `python -m tests.benchmarks [NAME ...]` for some of them."""
