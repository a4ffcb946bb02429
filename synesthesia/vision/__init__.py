"""Picture -> patch grid with features."""
