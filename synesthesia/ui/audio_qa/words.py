"""Texts of the box "Ask about this clip"."""

from __future__ import annotations

ASK = "Ask about this clip"
ASK_LABEL = "Your question"
ASK_HOLDER = "Type a question"
ASK_SEND = "Ask"
ASK_FIRST = "What do you hear, and where does it come from?"
ASK_CHIPS = (
    "What is it?", "Where is it?", "Which side?", "In front or behind?", "How many sounds?",
    "它在哪里？", "这是什么声音？",
)  # fmt: skip
ASK_NOTE = (
    "A very small model trained for this project: it knows these questions and about a hundred sounds, in English and "
    "Chinese."
)
ASK_NO_DIRECTION = "This clip holds no direction: the model can only say what it hears, not where."
ASK_OWN = "This is the small language model's own estimate; the dial above is more accurate."
ANSWERING = "Answering …"
