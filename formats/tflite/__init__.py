"""TFLite files: flatbuffers to plain data, and back, without the IR."""
