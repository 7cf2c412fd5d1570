"""Mutated payloads of every publisher against its parser and contract: `python -m tests.fuzz --count 10000`.

Each case is a payload of the replay with one seeded mutation, parsed in a separate process with a memory limit. The
result must be a typed error, a breach of the contract, or rows that satisfy the contract and equal those of the
unchanged payload wherever the mutation did not touch them.
"""
