"""Tests of the spatial room."""
