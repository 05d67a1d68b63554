"""Parts of the settings; `exchange_site.settings` puts them together."""
