"""Image to sound: patch features to a sound by retrieval-conditioned flow matching or latent regression."""
