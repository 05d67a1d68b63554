"""JSON under /api/v1/kyc, by what it is about."""
