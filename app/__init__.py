"""SoundScore: a social music server."""

__version__ = "0.1.0"
