"""Audio question answering: Qwen2-Audio with one spatial token beside the audio embeddings."""
