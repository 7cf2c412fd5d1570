"""Mutated payloads of every publisher against its parser and contract: `python -m tests.fuzz --count 10000`.

Each case is a payload of the replay, changed by one seeded mutation, parsed in a process of its own with a limit on
memory. It must end in a typed error, in a breach of the contract, or in rows that hold the contract and agree with
those of the unchanged payload wherever the mutation did not touch them.
"""
