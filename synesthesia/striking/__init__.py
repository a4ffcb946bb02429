"""Struck things: from material, shape, size and the strike to the sound, by modal synthesis."""
