"""The tab Hear."""
