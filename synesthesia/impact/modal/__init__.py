"""Modal synthesis of struck objects from material, shape, size, strike point, force and mallet."""
