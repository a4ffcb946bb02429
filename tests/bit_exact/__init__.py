"""Bit-exact regression record of the embedded preset."""
