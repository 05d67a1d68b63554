"""The trading dialect as pure functions: parameters in, signatures, filters, codes, answers out.

Nothing here knows Django or a server; what is now comes in as an argument.
"""
