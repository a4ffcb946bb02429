"""The tab Tap."""
