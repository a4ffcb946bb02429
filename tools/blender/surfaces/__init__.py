"""Procedural surfaces as Cycles shader nodes, one module per material."""
