"""The TFLite backend."""
