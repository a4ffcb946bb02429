"""Evaluation: an independent classifier, Frechet distance, confidence intervals."""
