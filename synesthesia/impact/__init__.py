"""Impact sounds: a physics state predicted from a photograph, and the sound of striking the object there."""
