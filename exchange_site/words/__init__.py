"""The languages of the pages: texts are read out of the sources, and catalogues compiled.

`make words` brings the catalogues up to date, set-up compiles them. See docs/languages.md.
"""
