"""The version of the installed distribution, which health and openapi.json tell."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("mparticle-testkit")
except PackageNotFoundError:  # run from a copy of the sources
    __version__ = "0+unknown"
