"""How the project measures itself: an independent judge, Frechet distance, intervals. Nothing is imported here."""
