"""Where the exchange serves whom: versioned rules by country and tier, and places of addresses."""
