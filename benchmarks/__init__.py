"""Benchmarks: this project against the alternatives a user has, and against the limit of the machine."""
