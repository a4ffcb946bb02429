"""Impact sounds: a physics state read from a photograph, and the sound of striking it."""
