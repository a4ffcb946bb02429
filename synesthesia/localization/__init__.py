"""Binaural sound source localization: a clip in, azimuth with its interval and evidence out."""
