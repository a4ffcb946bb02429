"""Synthetic training scenes rendered with Blender (Cycles); its requirements are in requirements.txt."""
