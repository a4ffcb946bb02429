"""Vision-language model to sound: hidden states of Qwen3-VL to stereo codec tokens."""
