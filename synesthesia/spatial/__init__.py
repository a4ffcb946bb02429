"""Two ears: heads, rooms, and where a sound comes from. Nothing is imported here: each path loads what it needs."""
