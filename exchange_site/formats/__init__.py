"""How dates are written, by language. Django reads these by FORMAT_MODULE_PATH."""
