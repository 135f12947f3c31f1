"""nhwcc as backends in ONNX's own protocol: ``interpreter`` runs the imported IR, others what targets' files hold."""
