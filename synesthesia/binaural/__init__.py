"""Binaural rendering: HRTFs, SOFA files, rooms and the project's one azimuth convention."""
