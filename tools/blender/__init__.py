"""Rendering of training scenes with Blender; requirements of its own in requirements.txt."""
