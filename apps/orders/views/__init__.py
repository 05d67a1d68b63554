"""The doors: `hot` for orders (asynchronous, no thread), the rest by Django REST framework."""
