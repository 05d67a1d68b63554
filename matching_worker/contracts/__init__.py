"""What books say and hear: frozen, versioned messages, shared with risk partitions and the site.

A change of meaning is a new tag; kept journals decode for ever. Amounts in minor units may pass 64
bits and are `Wide`; ticks and lots never do.
"""
