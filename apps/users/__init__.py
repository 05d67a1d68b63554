"""People, their trading accounts, their API keys and sessions; what other apps may know of them."""
