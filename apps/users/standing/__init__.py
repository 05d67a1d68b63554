"""Standing: the one answer to what an account may do now, and why not.

`codes`       the reasons, and which acts each forbids
`computing`   rows → `contracts.Standing`
`publishing`  the process that keeps every account's standing on `cache`, and beats
`following`   what an edge knows of it, and how it narrows what a way in opens
"""
