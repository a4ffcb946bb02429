"""Neural-network building blocks: transformer, LoRA, quantisation, k-means."""
