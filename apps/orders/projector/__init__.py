"""The projector: a process that follows the partitions' logs and writes the read models."""
