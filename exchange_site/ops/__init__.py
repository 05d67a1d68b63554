"""Everything that brings the exchange up, keeps it up and takes it down. No Django, no rules."""
