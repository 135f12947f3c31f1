"""ONNX files: protobuf to plain data, and back, without the IR."""
