"""The doors of trading: the dialect's REST API, the edge that serves it, read models, feeds."""
