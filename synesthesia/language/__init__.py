"""Language: an audio language model that is told by one token where the sound stood."""
