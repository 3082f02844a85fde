"""How fast everything is beside other programs, and how much memory it takes: ``python -m benchmarks``."""
