"""The page: the only room, with app.py, that knows gradio."""
