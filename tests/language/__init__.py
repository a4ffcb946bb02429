"""Tests of the language room, on random models of a few thousand parameters."""
