"""What risk partitions hear and say: frozen, versioned messages.

What passes between partitions and books stands in `matching_worker.contracts`.
"""
