"""Patch -> sound, one file a path. Nothing is imported here: each path loads what it needs."""
