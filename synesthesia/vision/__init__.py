"""Photographs: reading files, patch features, multi-crop, similarity maps."""
