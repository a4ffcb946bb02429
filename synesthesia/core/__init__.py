"""Shared foundation: requests, results, presets, checkpoints and errors. No model and no torch at import."""
