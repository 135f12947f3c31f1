"""nhwcc, the NHWC compiler: neural networks to TFLite without needless transposes, numerically checked."""

__version__ = "0.1.0"
