"""The tab Locate."""
