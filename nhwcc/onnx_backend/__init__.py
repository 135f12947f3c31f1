"""nhwcc as backends in ONNX's own protocol: ``interpreter`` runs the imported IR, ``tflite`` the compiled file."""
