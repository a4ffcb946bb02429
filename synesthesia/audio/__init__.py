"""Audio: files, log-mels, codecs, vocoders, the audio tagger, metrics."""
