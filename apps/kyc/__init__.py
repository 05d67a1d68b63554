"""Who people are: what they say, what their papers say, and what that lets them do."""
