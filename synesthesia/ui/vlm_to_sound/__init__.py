"""The path `language` inside the tab Hear."""
