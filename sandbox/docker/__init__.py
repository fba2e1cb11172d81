"""The sandbox cluster as a container image, and the engine that runs it.

Rule: standard library, util-linux and the `docker` command only, so that images are made while
packages are still being installed, and so that tests do not rely on the SDK that they test.
"""
