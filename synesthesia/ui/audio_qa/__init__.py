"""The questions inside the tab Locate."""
