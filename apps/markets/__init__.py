"""What is traded here, by which numbers: assets, markets, filters, fee tiers."""
