"""The list of packages: what is found below `synesthesia/`, and `checkpoints/` as `synesthesia.checkpoints`."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["synesthesia", "synesthesia.*"]), "synesthesia.checkpoints"])
